"""Reading and writing the wire: strict decoders whose errors name the field, one encoder for all events."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from schemas.errors import RecordError
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem

_Event = TypeVar("_Event")

_ITEM: Final = msgspec.json.Decoder(SourceItem)
_PROFILE: Final = msgspec.json.Decoder(IncidentProfile)
_ENCODER: Final = msgspec.json.Encoder()


def decode_item(value: bytes | None) -> SourceItem:
    """Return the observation in `value` (JSON); RecordError names the field that is wrong."""
    return _decode(_ITEM, value)


def decode_profile(value: bytes | None) -> IncidentProfile:
    """Return the profile in `value` (JSON); RecordError names the field that is wrong."""
    return _decode(_PROFILE, value)


def encode(event: msgspec.Struct) -> bytes:
    """Return the event as one line of JSON (UTF-8). The same event always gives the same bytes."""
    return _ENCODER.encode(event)


def _decode(decoder: msgspec.json.Decoder[_Event], value: bytes | None) -> _Event:
    if not value:
        raise RecordError("the record has no value; expected a JSON object", "empty")
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        raise RecordError(str(error), "invalid") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"the value is not JSON: {error}", "not-json") from error
    except RecursionError as error:  # an unknown field of a thousand brackets must not stop the worker
        raise RecordError("the value nests its objects or arrays too deeply", "invalid") from error
