"""Reading topics outside of any group: to the end as it stands now, one record, or on and on as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from schemas.errors import BrokerError
from stream.kafka_clients import broker_errors, consumer
from stream.settings import Settings

STALL_TIMEOUT_S: Final = 30.0
"""How long a broker may give nothing although its end offset says that there is more."""

_POLL_MS: Final = 200
"""How long one look for records lasts; short, so that a limit or Ctrl-C is heeded at once."""

Record = Any
"""kafka-python's ConsumerRecord: topic, partition, offset, timestamp (epoch ms), key, value, headers."""


def read_to_end(settings: Settings, topic: str) -> Iterator[Record]:
    """Give every record between the first offset and the end as it is now; in order within a partition.

    `topic` is the name in Kafka. Raises BrokerError.
    """
    with broker_errors(settings, f"cannot read {topic}"), closing(consumer(settings)) as client:
        parts = _assign(client, topic)
        ends = client.end_offsets(parts)
        client.seek_to_beginning(*parts)
        yield from _until(client, topic, {part: end for part, end in ends.items() if end > 0})


def read_one(settings: Settings, topic: str, partition: int, offset: int) -> Record | None:
    """Return the record at `offset`, or None if there is none (any more). Raises BrokerError."""
    with broker_errors(settings, f"cannot read {topic}"), closing(consumer(settings)) as client:
        part = TopicPartition(topic, partition)
        if part not in _assign(client, topic):
            return None
        if not client.beginning_offsets([part])[part] <= offset < client.end_offsets([part])[part]:
            return None
        client.assign([part])
        client.seek(part, offset)
        found = next(_until(client, topic, {part: offset + 1}), None)
        return found if found is not None and found.offset == offset else None


def follow(
    settings: Settings, topic: str, *, from_beginning: bool = False, idle_timeout_s: float | None = None
) -> Iterator[Record]:
    """Give records as they come, for ever or until none came for `idle_timeout_s`. Raises BrokerError."""
    with broker_errors(settings, f"cannot read {topic}"), closing(consumer(settings)) as client:
        parts = _assign(client, topic)
        (client.seek_to_beginning if from_beginning else client.seek_to_end)(*parts)
        for part in parts:
            client.position(part)  # the end as it is now, not as it is at the first fetch
        quiet_since = time.monotonic()
        while idle_timeout_s is None or time.monotonic() - quiet_since < idle_timeout_s:
            for records in client.poll(timeout_ms=_POLL_MS).values():
                yield from records
                quiet_since = time.monotonic()


def _assign(client: KafkaConsumer, topic: str) -> list[TopicPartition]:
    numbers = client.partitions_for_topic(topic)
    if not numbers:
        raise BrokerError(f"topic {topic} does not exist; run `decibel topics apply`")
    parts = [TopicPartition(topic, number) for number in sorted(numbers)]
    client.assign(parts)
    return parts


def _until(client: KafkaConsumer, topic: str, ends: dict[TopicPartition, int]) -> Iterator[Record]:
    """Give the records before `ends`. Positions count, not records: compaction leaves gaps."""
    left = {part: end for part, end in ends.items() if client.position(part) < end}
    moved = time.monotonic()
    while left:
        for part, records in client.poll(timeout_ms=_POLL_MS).items():
            moved = time.monotonic()
            for record in records:
                if record.offset < ends.get(part, 0):
                    yield record
        left = {part: end for part, end in left.items() if client.position(part) < end}
        if left and time.monotonic() - moved > STALL_TIMEOUT_S:
            names = ", ".join(f"{part.partition} at {client.position(part)} of {left[part]}" for part in left)
            raise BrokerError(
                f"{topic}: no records for {STALL_TIMEOUT_S:g} s; partition {names}; check the brokers"
            )
