"""The partitions a worker owns: each with its ledger, its commits in order, and its idle clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from agents.batch import Record, apply_batch
from schemas.cloudevents import Output
from schemas.noise_index import IndexShare
from schemas.times import to_epoch
from schemas.topics import INDEX_SHARES
from scoring.changes import Changes
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import Policy
from stream.commit import Batch, BatchCommit, Outlet
from stream.metrics import WorkerMetrics
from stream.settings import Settings
from stream.tables import PartitionRows, Tables, encode_rows

log = logging.getLogger(__name__)

MOST_UNDER_WAY: Final = 4
"""Batches of one partition applied but not yet safe; more would only wait longer, and be read again after a crash."""

MOST_ROWS_HELD: Final = 50_000
"""Decoded rows a partition holds in memory; beyond that all are let go and read again from the tables."""

Fail = Callable[[BaseException], None]


class Partition:
    """One partition: records are applied at once and in order; what they change is committed behind, in order."""

    def __init__(
        self,
        number: int,
        policy: Policy,
        settings: Settings,
        rows: PartitionRows,
        commit: BatchCommit,
        metrics: WorkerMetrics,
        fail: Fail,
    ) -> None:
        self.number, self._rows, self._commit = number, rows, commit
        self._metrics, self._fail = metrics, fail
        self.ledger = Ledger(
            policy, rows, clock=Clock(settings.clock), partition=number, conflate=settings.worker.conflate
        )
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._under_way = 0
        self._one_is_safe = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._commit_all(), name=f"commit-{number}")

    async def room(self) -> None:
        """Wait until another batch may be applied."""
        while self._under_way >= MOST_UNDER_WAY:
            self._one_is_safe.clear()
            await self._one_is_safe.wait()

    def apply(self, topic: str, records: list[Record], done: Callable[[], None]) -> None:
        """Apply a batch of `topic` (a logical name); `done` is called when all it changed is safe."""
        started = time.perf_counter()
        try:
            changes = apply_batch(self.ledger, topic, self.number, records)
        except BaseException as error:
            # The ledger may have taken half of a record: nothing of it may be collected any more.
            self._fail(error)
            raise
        self._hand_over(changes, done)
        self._metrics.batch(len(records), time.perf_counter() - started)

    def tick(self, until: float) -> None:
        """Fire the deadlines due by `until` (epoch seconds), when no record that came before is on its way."""
        if self._under_way >= MOST_UNDER_WAY or self.ledger.deadlines.next() > until:
            return
        self.ledger.advance(until)
        changes = self.ledger.collect()
        if changes.outputs or changes.incidents:
            self._hand_over(changes, _nothing)

    def shares(self) -> Iterator[Output]:
        """Yield what this partition adds to the index, where that has changed."""
        for share in self.ledger.index_shares():
            yield share_output(share)

    async def drain(self) -> None:
        """Wait until every batch applied is safe."""
        await self._batches.join()

    def close(self) -> None:
        """Stop committing; what is under way is read again by whoever has the partition next."""
        self._task.cancel()

    def _hand_over(self, changes: Changes, done: Callable[[], None]) -> None:
        self._metrics.tally(self.ledger.take_tally())
        self._metrics.outputs(changes.outputs)
        batch = Batch(changes.outputs, encode_rows(changes), done)
        self._rows.coming(batch.rows)
        if self.ledger.held > MOST_ROWS_HELD:
            self.ledger.forget()
        self._under_way += 1
        self._batches.put_nowait(batch)

    async def _commit_all(self) -> None:
        try:
            while True:
                batch = await self._batches.get()
                started = time.perf_counter()
                await self._commit.run(batch)
                self._under_way -= 1
                self._one_is_safe.set()
                self._batches.task_done()
                self._metrics.committed(time.perf_counter() - started)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is
            # Nothing after this batch may be committed, and the ledger is ahead of the tables: only a restart is safe.
            self._fail(error)


def _nothing() -> None:
    """A tick has no offset to report."""


def share_output(share: IndexShare) -> Output:
    """Return a share of the index as an event on its way out."""
    key = f"{share.partition}/{share.category}"
    at = to_epoch(share.at)
    return Output(INDEX_SHARES, key, f"{key}/{round(at * 1000)}", at, share)


class Partitions:
    """All partitions of a worker, made after recovery and dropped when they go."""

    def __init__(
        self,
        policy: Policy,
        settings: Settings,
        tables: Tables,
        outlet: Callable[[], Outlet],
        metrics: WorkerMetrics,
        fail: Fail,
        commit_type: type[BatchCommit] = BatchCommit,
    ) -> None:
        self._policy, self._settings, self._tables = policy, settings, tables
        self._outlet, self._metrics, self._fail, self._commit_type = outlet, metrics, fail, commit_type
        self._partitions: dict[int, Partition] = {}
        self._generation = -1

    def __iter__(self) -> Iterator[Partition]:
        """Iterate over the partitions owned."""
        return iter(list(self._partitions.values()))

    def __getitem__(self, number: int) -> Partition:
        """Return a partition; KeyError if it has not been recovered here."""
        return self._partitions[number]

    def assigned(self, numbers: Iterable[int], generation: int) -> None:
        """Drop the partitions that this generation of the group does not leave here.

        One that stays is kept with its ledger, since all it had under way was drained; but only if no generation was
        missed: in that one somebody else may have had it.
        """
        kept = set(numbers) if generation == self._generation + 1 else set()
        self._generation = generation
        for number in set(self._partitions) - kept:
            self._partitions.pop(number).close()
            # Its last lag would stand for ever, and keep an alert on it.
            self._metrics.lag_gone(number)
        self._metrics.owned(len(self._partitions))

    def recover(self, numbers: Iterable[int]) -> None:
        """Build the partitions that are not here yet from their recovered rows."""
        for number in sorted(set(numbers) - set(self._partitions)):
            started = time.perf_counter()
            rows = PartitionRows(self._tables.incidents.shelf(number), self._tables.items.shelf(number))
            commit = self._commit_type(self._outlet(), number, rows)
            made = Partition(number, self._policy, self._settings, rows, commit, self._metrics, self._fail)
            found = made.ledger.recover()
            self._partitions[number] = made
            self._metrics.recovered(found, time.perf_counter() - started)
            log.info("partition %d: %d incidents recovered", number, found)
        self._metrics.owned(len(self._partitions))

    async def drain(self) -> None:
        """Wait until all that was applied is safe; give up the worker if that takes too long."""
        timeout_s = self._settings.worker.drain_timeout_s
        try:
            await asyncio.wait_for(asyncio.gather(*(each.drain() for each in self)), timeout_s)
        except TimeoutError as error:
            # Were the partitions given up now, our late rows would come behind the next owner's.
            self._fail(error)

    def close(self) -> None:
        """Stop all commits."""
        for partition in self:
            partition.close()
        self._partitions.clear()
