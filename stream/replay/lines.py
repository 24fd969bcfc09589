"""What a replay reads and writes: lines of files made to look like Kafka's records, and events as lines of JSON."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from schemas.cloudevents import Output

MS_PER_S: Final = 1000


class Raw(NamedTuple):
    """A record made to look like Kafka's; of one that was not accepted the line is its offset."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes


Place = tuple[str, int]
"""Where a record stands: its file, and the line in it, counted from 1."""


class Line(Struct, frozen=True, gc=False):
    """One event as it is written; `timestamp` is its time in milliseconds since the epoch, as Kafka's is."""

    topic: str
    key: str | None
    timestamp: int
    id: str
    value: Struct


_LINES: Final = msgspec.json.Encoder()


def line_of(output: Output) -> bytes:
    """Return an event as the line of JSON that is written of it."""
    line = Line(output.topic, output.key or None, round(output.at * MS_PER_S), output.id, output.event)
    return _LINES.encode(line) + b"\n"
