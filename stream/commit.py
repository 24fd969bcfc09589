"""The batch commit: one object that owns the order in which a batch leaves the worker. Read `run` from top to bottom.

1. The output events, acknowledged by the broker.
2. The item rows, acknowledged in their changelog.
3. The incident rows, acknowledged in theirs.
4. The rows into the tables.
5. The batch reported as done, so that the next offset commit is its last offset + 1.

A crash before 5 means that the batch is read again. Rows carry the offset they are at, so what is in them is skipped;
an item row that is ahead of its incident's row (a crash between 2 and 3) says what the incident counted before; and
the ledger gives the same events with the same ids and bytes. Nothing is lost and nothing counted twice.
The commits of one partition run one after another; those of different partitions run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from schemas.cloudevents import Headers, Output, headers
from schemas.codec import encode
from schemas.topics import INDEX_SHARES, NOISE_INDEX, SOURCE_ITEMS
from stream.partitioner import Partitioner
from stream.settings import Settings
from stream.tables import EncodedRows, PartitionRows
from stream.topics import INCIDENTS_CHANGELOG, ITEMS_CHANGELOG, LOGICAL, physical


class Sent(Protocol):
    """What the broker says of a record it has taken."""

    @property
    def offset(self) -> int:
        """The record's offset."""


class Producer(Protocol):
    """The one thing wanted of a producer (Faust's has it): take a record, and say later that the broker has it."""

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Headers | None,
    ) -> Awaitable[Sent]:
        """Take one record; the awaitable gives its offset once the broker has acknowledged it, or raises."""


class Batch(Struct):
    """What one batch leaves behind: events and rows, encoded; and whom to tell when all of it is safe."""

    outputs: list[Output]
    rows: EncodedRows
    done: Callable[[], None]


class Outlet:
    """Sends events and rows of a partition to their topics. The only place that knows physical names on the way out."""

    def __init__(self, producer: Producer, settings: Settings) -> None:
        self._producer = producer
        self._names = {logical: physical(settings, logical) for logical in LOGICAL}
        self._partition_of = Partitioner(settings.topics.partitions)

    async def send_outputs(self, partition: int, outputs: Iterable[Output]) -> None:
        """Send the events, each to the partition its source has, and wait for all.

        The index has one partition; and what goes back to the source goes to the partition of its incident.
        """
        await self._send(
            [
                (
                    self._names[output.topic],
                    self._place(partition, output),
                    output.key.encode(),
                    encode(output.event),
                    headers(output),
                )
                for output in outputs
            ]
        )

    def _place(self, partition: int, output: Output) -> int:
        if output.topic == SOURCE_ITEMS:
            return self._partition_of(output.key)
        return 0 if output.topic in (NOISE_INDEX, INDEX_SHARES) else partition

    async def send_rows(self, changelog: str, partition: int, rows: Mapping[bytes, bytes]) -> int | None:
        """Send the rows to their changelog, wait for all, and return the last one's offset (None: there were none)."""
        name = self._names[changelog]
        return await self._send([(name, partition, key, row, None) for key, row in rows.items()])

    async def _send(self, records: list[tuple[str, int, bytes, bytes, Headers | None]]) -> int | None:
        send = self._producer.send
        waiting = [
            await send(topic, key, value, partition, None, headers)
            for topic, partition, key, value, headers in records
        ]
        sent = await asyncio.gather(*waiting)
        return max((each.offset for each in sent), default=None)


class BatchCommit:
    """The order of one batch; a subclass may stand between its steps (the tests do, to crash there)."""

    def __init__(self, outlet: Outlet, partition: int, stored: PartitionRows) -> None:
        self.outlet, self.partition, self.stored = outlet, partition, stored

    async def run(self, batch: Batch) -> None:
        """Take a batch through all five steps; whatever raises, raises before it is reported as done."""
        await self.outputs(batch)
        items = await self.items(batch)
        incidents = await self.incidents(batch)
        self.stored.arrived(batch.rows, {"items": items, "incidents": incidents})
        batch.done()

    async def outputs(self, batch: Batch) -> None:
        """Step 1."""
        await self.outlet.send_outputs(self.partition, batch.outputs)

    async def items(self, batch: Batch) -> int | None:
        """Step 2."""
        return await self.outlet.send_rows(ITEMS_CHANGELOG, self.partition, batch.rows.items)

    async def incidents(self, batch: Batch) -> int | None:
        """Step 3."""
        return await self.outlet.send_rows(INCIDENTS_CHANGELOG, self.partition, batch.rows.incidents)
