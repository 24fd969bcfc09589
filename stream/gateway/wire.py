"""Live events as bytes on the wire: Server-Sent Events, and WebSocket frames; each is made once for all who get it.

Both are put together so that they can be written to a socket as they are: a part of a chunked HTTP body, a text frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from schemas.topics import INCIDENT_PROFILES, NOISE_INDEX, NOISE_SCORES
from stream.gateway.filters import Form
from stream.view.answers import LiveEvent

Wire = Literal["sse", "sse-gzip", "sse-1.0", "websocket"]
"""Server-Sent Events in a chunked body, in a compressed one, in the plain one of HTTP/1.0 (as proxies may ask);
WebSocket.
"""

GZIP_BEGINS: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""What a compressed body begins with (RFC 1952, 2.3.1)."""
LEVEL: Final = 5
"""Of compression: made once for all listeners, events shrink to a tenth; more takes longer than it saves."""

SNAPSHOT: Final = "snapshot"
"""The event that says: what you have is no longer what is followed on, read everything anew."""
HEARTBEAT: Final = b":\n\n"
_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")
"""In JSON, line breaks stand between its parts only: a space says the same, and does not end a line of an event."""
_TEXT_FRAME: Final = 0x81


class _BriefScore(Struct, frozen=True):
    """A score without its reasons, for boards of thousands: the same fields by the same names."""

    incident_id: str
    revision: int
    as_of: Raw
    noise: float
    level: str
    composite: float
    anchor: Raw
    half_life: float
    state: str
    trend: str
    category: str
    merged_into: str | None = None


class _BriefProfile(Struct, frozen=True):
    incident_id: str
    title: str = ""
    category: str | UnsetType = UNSET


class _BriefIndex(Struct, frozen=True):
    category: str
    at: Raw
    value: float
    half_life: float
    relative: float | None = None


_BRIEF: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    NOISE_SCORES: msgspec.json.Decoder(_BriefScore),
    INCIDENT_PROFILES: msgspec.json.Decoder(_BriefProfile),
    NOISE_INDEX: msgspec.json.Decoder(_BriefIndex),
}
_ENCODER: Final = msgspec.json.Encoder()


class _Frame(Struct, frozen=True):
    id: str
    topic: str
    event: Raw


def told(event: LiveEvent, form: Form) -> bytes:
    """Return the event as JSON on one line: whole, or with its main fields only, if it has them."""
    value = bytes(event.event)
    if form == "brief" and (decoder := _BRIEF.get(event.topic)) is not None:
        with suppress(msgspec.MsgspecError):
            value = _ENCODER.encode(decoder.decode(value))
    return value.translate(_BREAKS)


def sse(place: str, topic: str, event: bytes) -> bytes:
    """Return a Server-Sent Event.

    >>> sse("7-0", "noise-index", b"{}")
    b'id:7-0\\nevent:noise-index\\ndata:{}\\n\\n'
    """
    return b"id:%b\nevent:%b\ndata:%b\n\n" % (place.encode(), topic.encode(), event)


def frame_text(place: str, topic: str, event: bytes) -> bytes:
    """Return the text of a WebSocket message."""
    return _ENCODER.encode(_Frame(place, topic, Raw(event)))


def text_frame(text: bytes) -> bytes:
    """Return a whole text frame from server to client (RFC 6455, 5.2): not masked, not compressed."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", _TEXT_FRAME, size) + text
    if size < 65536:
        return struct.pack("!BBH", _TEXT_FRAME, 126, size) + text
    return struct.pack("!BBQ", _TEXT_FRAME, 127, size) + text


def chunk(body: bytes) -> bytes:
    """Return a part of a chunked HTTP body (RFC 9112, 7.1).

    >>> chunk(b"hello")
    b'5\\r\\nhello\\r\\n'
    """
    return b"%x\r\n%b\r\n" % (len(body), body)


def one(wire: Wire, place: str, topic: str, event: bytes) -> bytes:
    """Return one event on its wire, not yet joined to others."""
    if wire == "websocket":
        return text_frame(frame_text(place, topic, event))
    return sse(place, topic, event)


def packed(body: bytes) -> bytes:
    """Return a piece of a compressed body (RFC 1951) that looks back at nothing before it and ends on a whole byte.

    So the same piece can follow whatever a listener has got until then.
    """
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)


def joined(wire: Wire, parts: Iterable[bytes]) -> bytes:
    """Return several events as what is written to a socket."""
    body = b"".join(parts)
    if not body or wire in {"sse-1.0", "websocket"}:
        return body
    return chunk(packed(body) if wire == "sse-gzip" else body)
