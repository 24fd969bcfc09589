"""From the records of one batch to what they change: decode, judge, apply; what cannot be accepted is a dead letter.

The worker, `replay` and the tests all go through here, so they agree to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from schemas.cloudevents import Output
from schemas.codec import decode_item, decode_profile
from schemas.dead_letter import DeadLetter, Origin
from schemas.errors import RecordError
from schemas.times import from_epoch
from schemas.topics import DEAD_LETTERS, SOURCE_ITEMS
from scoring.changes import Changes
from scoring.ledger import Ledger

MS_PER_S = 1000.0


class Record(Protocol):
    """A raw record: what Kafka's client gives, or a line of a file made to look like it.

    `timestamp` is in milliseconds since the epoch.
    """

    @property
    def offset(self) -> int:
        """Position in its partition (or line of its file)."""

    @property
    def timestamp(self) -> int:
        """When the broker appended it (or when it was read), milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None:
        """The incident, in UTF-8."""

    @property
    def value(self) -> bytes | None:
        """The event, in JSON."""


def apply_batch(ledger: Ledger, topic: str, partition: int, records: Iterable[Record]) -> Changes:
    """Apply the records as `apply_records` does; return all they change."""
    apply_records(ledger, topic, partition, records)
    return ledger.collect()


def apply_records(ledger: Ledger, topic: str, partition: int, records: Iterable[Record]) -> None:
    """Apply the records of one partition of `topic` (a logical name) in order; the ledger holds what they change.

    A record that cannot be accepted becomes a dead letter among the outputs, and the others go on.
    """
    most = ledger.policy.limits.record_bytes
    decode: Callable[[bytes | None], Any] = decode_item
    apply: Callable[[Any, int, float], None] = ledger.apply_item
    if topic != SOURCE_ITEMS:
        decode, apply = decode_profile, ledger.apply_profile
    for record in records:
        try:
            value = record.value
            check_size(value, most)
            event = decode(value)
            _check_key(record.key, event.incident_id)
            apply(event, record.offset, record.timestamp / MS_PER_S)
        except RecordError as error:
            ledger.emit(dead_letter(topic, partition, record, error))


def check_size(value: bytes | None, most: int) -> None:
    """Raise RecordError if a record's value has more than `most` bytes."""
    if value is not None and len(value) > most:
        raise RecordError(f"the record has {len(value)} bytes; at most {most} are accepted", "oversized")


def _check_key(key: bytes | None, incident_id: str) -> None:
    if key != incident_id.encode():
        shown = "none" if key is None else repr(key.decode("utf-8", "replace"))
        raise RecordError(
            f"the record's key is {shown}, not its incident {incident_id!r}: it may lie in the wrong partition",
            "key",
        )


def dead_letter(topic: str, partition: int, record: Record, error: RecordError) -> Output:
    """Return the event that `record` was not accepted, with its bytes untouched."""
    at = record.timestamp / MS_PER_S
    letter = DeadLetter(
        reason=error.reason,
        error=str(error),
        origin=Origin(topic, partition, record.offset, from_epoch(at)),
        key=record.key,
        value=record.value,
    )
    key = "" if record.key is None else record.key.decode("utf-8", "replace")
    return Output(DEAD_LETTERS, key, f"{topic}/{partition}/{record.offset}", at, letter)
