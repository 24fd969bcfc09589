"""The dead letters as they stand in Kafka: finding them, and sending their records again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.dead_letter import DeadLetter
from schemas.errors import DecibelError
from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, SOURCE_ITEMS
from stream.kafka_clients import broker_errors, open_producer
from stream.loading import MEANT_FOR, Sender, require_topics
from stream.log_reader import read_one, read_to_end
from stream.settings import Settings
from stream.topics import physical

REQUEUED_FROM: Final = "decibel-requeued-from"
"""Header of a requeued record: PARTITION:OFFSET of the dead letter it was."""

_SOURCES: Final = (SOURCE_ITEMS, INCIDENT_PROFILES)
_LETTER: Final = msgspec.json.Decoder(DeadLetter)


class Found(Struct, frozen=True):
    """A dead letter and where it lies; `destination` is the logical topic its record goes back to."""

    partition: int
    offset: int
    destination: str
    letter: DeadLetter

    @property
    def place(self) -> str:
        """PARTITION:OFFSET, as the commands take it."""
        return f"{self.partition}:{self.offset}"


def find_letters(settings: Settings, reason: str | None = None) -> Iterator[Found]:
    """Give the dead letters there are now, of one reason or all. Raises BrokerError."""
    for record in read_to_end(settings, physical(settings, DEAD_LETTERS)):
        found = _found(settings, record)
        if found is not None and reason in {None, found.letter.reason}:
            yield found


def letter_at(settings: Settings, place: str) -> Found:
    """Return the dead letter at PARTITION:OFFSET; DecibelError if there is none."""
    partition, colon, offset = place.partition(":")
    if not (colon and partition.isdecimal() and offset.isdecimal()):
        raise DecibelError(f"{place!r} is not PARTITION:OFFSET; `decibel dead-letters list` shows them")
    record = read_one(settings, physical(settings, DEAD_LETTERS), int(partition), int(offset))
    found = None if record is None else _found(settings, record)
    if found is None:
        raise DecibelError(
            f"there is no dead letter at {place}; `decibel dead-letters list` shows those there are"
        )
    return found


def requeue(settings: Settings, letters: Iterable[Found]) -> tuple[int, list[Found]]:
    """Send each letter's record back where it belongs; return how many were sent, and those that hold no
    record.

    Raises BrokerError.
    """
    sent = 0
    empty = []
    with broker_errors(settings, "cannot requeue"), open_producer(settings) as client:
        require_topics(settings, *_SOURCES)
        sender = Sender(client)
        for found in letters:
            if found.letter.value is None:
                empty.append(found)
                continue
            headers = [(REQUEUED_FROM, found.place.encode())]
            topic = physical(settings, found.destination)
            sender.send(topic, found.letter.key, found.letter.value, headers)
            sent += 1
        sender.flush()
    return sent, empty


def _found(settings: Settings, record: Any) -> Found | None:
    try:
        letter = _LETTER.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # not written by us; `decibel tail dead-letters` shows it
    meant = dict(record.headers).get(MEANT_FOR, b"").decode("utf-8", "replace")
    if meant not in _SOURCES:
        profiles = letter.origin.topic in (INCIDENT_PROFILES, physical(settings, INCIDENT_PROFILES))
        meant = INCIDENT_PROFILES if profiles else SOURCE_ITEMS
    return Found(record.partition, record.offset, meant, letter)
