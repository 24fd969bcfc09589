"""The floor: aiokafka's getmany, msgspec, a dict; one update and one changelog record per dirty incident and batch.

No recovery, no rebalance, no deduplication, no scoring: the least that anything in Python on this client must do. Given
the sizes of Decibel's records it writes as many bytes, and a row for each item as well: the same writes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from bench.throughput.peers.work import NEW, SESSION_MS, Observed, Place, State, heard, row, update

BATCH: Final = 2000
"""Most records of one fetch, as `worker.max_batch_records`."""


class Item(Observed):
    """A source item, with its name."""

    item_id: str = ""


_DECODE: Final = msgspec.json.Decoder(Item).decode


class Sizes(NamedTuple):
    """Bytes of an update, of an incident's row and of an item's row; 0: no more than is needed, and no item's row."""

    update: int = 0
    row: int = 0
    item: int = 0

    @classmethod
    def given(cls) -> Sizes:
        """Read them from the environment."""
        return cls(*(int(os.environ.get(f"BENCH_BYTES_{field.upper()}", "0")) for field in cls._fields))

    def environ(self) -> dict[str, str]:
        """Return the environment that says them."""
        return {f"BENCH_BYTES_{name.upper()}": str(value) for name, value in self._asdict().items()}


class Floor:
    """The states, and what is written of a batch."""

    def __init__(self, place: Place, sizes: Sizes) -> None:
        self._place, self._sizes = place, sizes
        self._states: dict[bytes, State] = {}

    def writes(self, records: list[ConsumerRecord]) -> Iterator[tuple[str, bytes, bytes]]:
        """Apply the records of one partition; yield topic, value and key of what they come to."""
        states, sizes, changelog = self._states, self._sizes, self._place.changelog
        dirty: dict[bytes, bytes] = {}
        items: dict[bytes, bytes] = {}
        for record in records:
            key, item = record.key, _DECODE(record.value)
            states[key] = heard(states.get(key, NEW), item.observed_at.timestamp(), item.interactions)
            dirty[key] = record.value
            if sizes.item:
                items[key + b"\0" + item.item_id.encode()] = record.value[: sizes.item]
        for key, value in items.items():
            yield changelog, value, key
        for key, value in dirty.items():
            state = states[key]
            yield self._place.output, update(key.decode(), state, value, sizes.update), key
            yield changelog, row(state) + value[: sizes.row], key


async def run(place: Place, sizes: Sizes) -> None:
    """Read for ever; a batch is committed once all it wrote is acknowledged."""
    consumer = AIOKafkaConsumer(
        place.source,
        bootstrap_servers=place.bootstrap,
        group_id=place.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        session_timeout_ms=SESSION_MS,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=place.bootstrap,
        linger_ms=5,
        compression_type="lz4",
        max_batch_size=262_144,
        enable_idempotence=True,
    )
    await producer.start()
    await consumer.start()
    floor = Floor(place, sizes)
    while True:
        fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH)
        waiting = [
            await producer.send(topic, value, key, tp.partition)
            for tp, records in fetched.items()
            for topic, value, key in floor.writes(records)
        ]
        if waiting:
            await asyncio.gather(*waiting)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(run(Place.given(), Sizes.given()))
