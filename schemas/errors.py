"""Every error Decibel raises on purpose: one small hierarchy, so that a caller catches what it means to.

A message says what was wrong, where (field path; file and line; topic, partition and offset; key of a
setting), and what to do about it. Whoever knows the place adds it with :meth:`DecibelError.at`.
"""

from __future__ import annotations

import re
from typing import Final


class DecibelError(Exception):
    """The root of all errors that Decibel raises on purpose."""

    def at(self, place: str) -> DecibelError:
        """Return the same error with `place` put before its message, the outermost place first."""
        return type(self)(f"{place}: {self}")


class RecordError(DecibelError):
    """A record cannot be accepted as it is. It goes to the dead letters; the stream goes on.

    `reason` is a short, stable code for counting (`not-json`, `invalid`, `absurd-time`, ...); the message is
    for people.
    """

    def __init__(self, message: str, reason: str = "invalid") -> None:
        super().__init__(message)
        self.reason = reason

    def at(self, place: str) -> RecordError:
        """Return the same error with `place` put before its message; the reason stays."""
        return type(self)(f"{place}: {self}", self.reason)


class SettingsError(DecibelError):
    """A setting is missing, unknown or wrong; the message names its key and where it came from."""


class PolicyError(DecibelError):
    """The scoring policy cannot be used; the message names the key."""


class BrokerError(DecibelError):
    """Kafka did not do what was asked of it, or is not there; the message says what to check."""


class ViewError(DecibelError):
    """The view (Redis) did not do what was asked of it, or is not there; the message says what to check."""


class RequestError(DecibelError):
    """What a reader asks for cannot be answered as it is asked; the message names the parameter."""


class StateError(DecibelError):
    """Stored state contradicts what is read; the worker stops rather than guess."""


_NAMED: Final = {
    "Object missing required field `": "missing required field",
    "Object contains unknown field `": "there is no such key",
}
"""What msgspec says of a field that it names itself, beside its path."""


def field_first(message: str, *, first: int = 0) -> str:
    """Return msgspec's message with the field's path first, as one reads it.

    Elements of a list are counted from `first`: from 0 in JSON, from 1 in files that people write.

    >>> field_first("Expected `int`, got `str` - at `$.engagement.likes`")
    'engagement.likes: expected int, got str'
    >>> field_first("Object missing required field `item_id`")
    'item_id: missing required field'
    >>> field_first("Object contains unknown field `levels` - at `$.when`")
    'when.levels: there is no such key'
    >>> field_first("Expected `str`, got `int` - at `$.when[0].states[2]`", first=1)
    'when[1].states[3]: expected str, got int'
    """
    text, _, path = message.partition(" - at `$")
    path = re.sub(r"\[(\d+)\]", lambda at: f"[{int(at[1]) + first}]", path.rstrip("`").lstrip("."))
    for opening, wrong in _NAMED.items():
        if text.startswith(opening):
            name = text.removeprefix(opening).rstrip("`")
            return f"{path}.{name}: {wrong}".lstrip(".")
    if not path:
        return text.replace("`", "")
    return f"{path}: {text[:1].lower()}{text[1:]}".replace("`", "")
