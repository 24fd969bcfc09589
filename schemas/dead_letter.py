"""`dead-letters`: a record that could not be accepted, why, where it came from, and its bytes untouched."""

from __future__ import annotations

from msgspec import Struct

from schemas.times import Moment


class Origin(Struct, frozen=True):
    """Where a record came from: its place in Kafka; of a file, its path as topic, the line as offset."""

    topic: str
    partition: int
    offset: int
    at: Moment


class DeadLetter(Struct, frozen=True):
    """A record that was not accepted; keyed as the record was.

    `reason` is a short stable code, `error` the same for people, with the field's path. `key` and `value` are
    the record's own bytes (base64 in JSON); null where the record had none.
    """

    reason: str
    error: str
    origin: Origin
    key: bytes | None
    value: bytes | None
