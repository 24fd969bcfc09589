"""Reading the topics that the board shows: what is the latest of each key from the start, news from the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, TopicPartition
from msgspec import Struct

from schemas.errors import BrokerError
from schemas.topics import (
    DEAD_LETTERS,
    EVENT_OF,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from stream.kafka_clients import broker_errors, consumer
from stream.settings import Settings
from stream.topics import physical

STANDING: Final = (INCIDENT_PROFILES, NOISE_SCORES, NOISE_INDEX)
"""Compacted topics: read from their start they tell how things stand."""
NEWS: Final = (STATE_CHANGES, TREND_UPDATES, PEAK_CROSSINGS, INCIDENT_MERGES, DEAD_LETTERS)
"""Topics that tell what happened: of interest from now on."""


class BoardReader:
    """The events of the board's topics as they come. Made by `board_reader`."""

    def __init__(self, client: KafkaConsumer, settings: Settings) -> None:
        self._client = client
        self._logical = {physical(settings, logical): logical for logical in (*STANDING, *NEWS)}
        self._decoders = {
            logical: msgspec.json.Decoder(EVENT_OF[logical]) for logical in self._logical.values()
        }
        parts = {name: _partitions(client, name) for name in self._logical}
        client.assign([part for each in parts.values() for part in each])
        for name, each in parts.items():
            start = client.seek_to_beginning if self._logical[name] in STANDING else client.seek_to_end
            start(*each)
        standing = [part for name in parts if self._logical[name] in STANDING for part in parts[name]]
        self._behind = {part: end for part, end in client.end_offsets(standing).items() if end > 0}
        for name, each in parts.items():
            if self._logical[name] in NEWS:
                for part in each:
                    client.position(part)  # the end as it is now, not as it is at the first fetch

    def poll(self, timeout_s: float) -> list[tuple[str, Struct]]:
        """Return what has come, each event with its logical topic; wait at most `timeout_s` for the first.

        What cannot be read is left out: the event of another version must not stop the board.
        """
        polled = self._client.poll(timeout_ms=int(timeout_s * 1000))
        events = (
            (self._logical[part.topic], self._decoded(self._logical[part.topic], record.value))
            for part, records in polled.items()
            for record in records
        )
        return [(logical, event) for logical, event in events if event is not None]

    def caught_up(self) -> bool:
        """Say whether everything that stood in the compacted topics at the beginning has been read."""
        # Positions count, not records: compaction leaves gaps.
        self._behind = {part: end for part, end in self._behind.items() if self._client.position(part) < end}
        return not self._behind

    def _decoded(self, logical: str, value: bytes | None) -> Any:
        if not value:
            return None
        try:
            return self._decoders[logical].decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


@contextmanager
def board_reader(settings: Settings) -> Iterator[BoardReader]:
    """Give a reader of the deployment's board topics, outside of any group. Raises BrokerError."""
    with broker_errors(settings, "cannot read the scores"), closing(consumer(settings)) as client:
        yield BoardReader(client, settings)


def _partitions(client: KafkaConsumer, name: str) -> list[TopicPartition]:
    numbers = client.partitions_for_topic(name)
    if not numbers:
        raise BrokerError(f"topic {name} does not exist; run `decibel topics apply`")
    return [TopicPartition(name, number) for number in sorted(numbers)]
