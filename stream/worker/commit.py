"""The batch commit: one object that owns the order in which a batch leaves the worker. Read `run` from top to bottom.
What leaves together is what a partition has gathered in a window, or in several whose events have left already: here a
batch is that.

1. The output events, and 2. the item rows, both acknowledged by the broker. They do not wait for each other.
3. The incident rows, acknowledged in their changelog.
4. The rows into the tables.
5. The batch reported as done, so that the next offset commit is its last offset + 1 (of either source topic).

A crash before 5 means that the batch is read again. Rows carry the offset they are at, so what is in them is skipped;
an item row that is ahead of its incident's row (a crash before 3) says what the incident counted before; and the ledger
gives the same events with the same ids and bytes. Nothing is lost and nothing counted twice.
The commits of one partition run one after another; those of different partitions run side by side. From 3 on the events
of the partition's next windows may leave: they are never more than a repeat of what is told after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from schemas.cloudevents import Headers, Output, headers
from schemas.codec import encode
from schemas.topics import SOURCE_ITEMS
from stream.partitioner import Partitioner
from stream.settings import Settings
from stream.topics import INCIDENTS_CHANGELOG, ITEMS_CHANGELOG, LOGICAL, ONE_PARTITION, physical
from stream.worker.tables import EncodedRows, PartitionRows

Record = tuple[bytes, bytes, Headers]
"""What is sent: key, value, headers."""

_NO_HEADERS: Final[Headers] = []


class Posted(Protocol):
    """Records on their way to one partition."""

    async def offset(self) -> int:
        """Return the last one's offset once the broker has all, or raise."""


class Producer(Protocol):
    """The one thing wanted of a producer: take many records for one partition at once."""

    async def post_records(self, topic: str, partition: int, records: Iterable[Record]) -> Posted:
        """Put the records (one at least) on their way, in order.

        They are taken one by one, as they are packed, so that no more of them need to be there than the one.
        """


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

    async def post_outputs(self, partition: int, outputs: Iterable[Output]) -> list[Posted]:
        """Put the events on their way, each to the partition its source has.

        The index has one partition; and what goes back to the source goes to the partition of its incident.
        """
        places: dict[tuple[str, int], list[Output]] = {}
        for output in outputs:
            place = output.topic, self._place(partition, output)
            known = places.get(place)
            if known is None:
                known = places[place] = []
            known.append(output)
        return [
            await self._producer.post_records(self._names[topic], place, map(_record, of_one))
            for (topic, place), of_one in places.items()
        ]

    async def send_outputs(self, partition: int, outputs: Iterable[Output]) -> None:
        """Send the events and wait until the broker has all."""
        for posted in await self.post_outputs(partition, outputs):
            await posted.offset()

    def _place(self, partition: int, output: Output) -> int:
        if output.topic == SOURCE_ITEMS:
            return self._partition_of(output.key)
        return 0 if output.topic in ONE_PARTITION else partition

    async def post_rows(self, changelog: str, partition: int, rows: Mapping[bytes, bytes]) -> Posted | None:
        """Put the rows on their way to their changelog; None: there are none."""
        if not rows:
            return None
        records = ((key, row, _NO_HEADERS) for key, row in rows.items())
        return await self._producer.post_records(self._names[changelog], partition, records)

    async def send_rows(self, changelog: str, partition: int, rows: Mapping[bytes, bytes]) -> int | None:
        """Send the rows, wait until the broker has all, and return the last one's offset (None: there were none)."""
        posted = await self.post_rows(changelog, partition, rows)
        return None if posted is None else await posted.offset()


def _record(output: Output) -> Record:
    return output.key.encode(), encode(output.event), headers(output)


class BatchCommit:
    """The order of one batch; a subclass may take it through its steps (the tests do, to crash between them)."""

    def __init__(self, outlet: Outlet, partition: int, stored: PartitionRows) -> None:
        self.outlet, self.partition, self.stored = outlet, partition, stored

    async def tell(self, outputs: list[Output]) -> None:
        """Send the events of a window that leaves its rows to a later batch; return when the broker has them."""
        await self.outlet.send_outputs(self.partition, outputs)

    async def run(self, batch: Batch, told: Callable[[], None]) -> None:
        """Take a batch through all five steps; whatever raises, raises before it is reported as done.

        The first two go together, without a task for each of their topics: that would cost more than a small batch.
        `told` is called after them.
        """
        posted = await self.outlet.post_rows(ITEMS_CHANGELOG, self.partition, batch.rows.items)
        for each in await self.outlet.post_outputs(self.partition, batch.outputs):
            await each.offset()
        items = None if posted is None else await posted.offset()
        told()
        incidents = await self.outlet.send_rows(INCIDENTS_CHANGELOG, self.partition, batch.rows.incidents)
        self.stored.arrived(batch.rows, {"items": items, "incidents": incidents})
        batch.done()
