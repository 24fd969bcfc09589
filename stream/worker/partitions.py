"""The partitions a worker owns: each with its ledger, its window, its commits in order, and its idle clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from agents.batch import MS_PER_S, Record, apply_records
from schemas.cloudevents import Output
from schemas.noise_index import IndexShare
from schemas.times import to_epoch
from schemas.topics import INDEX_SHARES
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import Policy
from stream.settings import Settings
from stream.worker.commit import Batch, BatchCommit, Outlet
from stream.worker.metrics import WorkerMetrics
from stream.worker.tables import PartitionRows, Tables, encode_rows
from stream.worker.turns import Turns
from stream.worker.window import Done, Window

log = logging.getLogger(__name__)

MOST_ROWS_HELD: Final = 50_000
"""Decoded rows a partition holds in memory; beyond that all are let go and read again from the tables."""

Fail = Callable[[BaseException], None]


class Partition:
    """One partition: records are applied at once and in order; what they change is gathered and committed behind.

    While the events of one window are on their way to the broker the next one is open, and stays so until it has them.
    The same holds of rows, which take longer: windows that close meanwhile leave theirs to a later one.
    """

    def __init__(
        self,
        number: int,
        policy: Policy,
        settings: Settings,
        rows: PartitionRows,
        commit: BatchCommit,
        metrics: WorkerMetrics,
        turns: Turns,
        fail: Fail,
    ) -> None:
        self.number, self._rows, self._commit = number, rows, commit
        self._metrics, self._turns, self._fail = metrics, turns, fail
        conflation_ms = settings.worker.conflation_ms
        self.ledger = Ledger(
            policy, rows, clock=Clock(settings.clock), partition=number, conflate=conflation_ms > 0
        )
        self._window = Window(conflation_ms)
        self._timer: asyncio.TimerHandle | None = None
        self._draining = False
        self._telling: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None
        self._moved_on = asyncio.Event()

    async def room(self) -> None:
        """Wait until another batch may be applied."""
        while self._window.full:
            await self._until_it_moves_on()

    def apply(self, topic: str, records: list[Record], done: Done) -> None:
        """Apply a batch of `topic` (a logical name); `done` is called when all it changed is safe."""
        started = time.perf_counter()
        try:
            apply_records(self.ledger, topic, self.number, records)
        except BaseException as error:
            # The ledger may have taken half of a record: nothing of it may be collected any more.
            self._window.close_with_rows()
            self._fail(error)
            raise
        self._metrics.batch(len(records), time.perf_counter() - started)
        self._window.add(len(records), time.time() - records[0].timestamp / MS_PER_S, done)
        self._close_when_due()

    def tick(self, until: float) -> None:
        """Fire the deadlines due by `until` (epoch seconds), when no record that came before is on its way."""
        if self._window.full or self.ledger.deadlines.next() > until:
            return
        self.ledger.advance(until)
        self._window.add(0, 0.0, None)
        self._close_when_due()

    def caught_up(self) -> None:
        """Hear that nothing more waits: the open window is no backlog's any more."""
        self._window.caught_up()
        self._close_when_due()

    def shares(self) -> Iterator[Output]:
        """Yield what this partition adds to the index, where that has changed."""
        for share in self.ledger.index_shares():
            yield share_output(share)

    async def drain(self) -> None:
        """Wait until all that was applied is safe; the open window closes as soon as it can."""
        self._draining = True
        self._close_when_due()
        while self._telling is not None or self._storing is not None or self._window.has_rows:
            await self._until_it_moves_on()
        self._draining = False

    def close(self) -> None:
        """Stop committing; what is under way is read again by whoever has the partition next."""
        for each in (self._timer, self._telling, self._storing):
            if each is not None:
                each.cancel()

    async def _until_it_moves_on(self) -> None:
        self._moved_on.clear()
        await self._moved_on.wait()

    def _close_when_due(self) -> None:
        """Have the window handed over, or looked at again: when it is due, or when what it waits for is safe."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._telling is not None or not self._window.has_rows:
            return
        wait_s = self._closes_in()
        if wait_s is None:
            return
        loop = asyncio.get_running_loop()
        if wait_s > 0.0:
            self._timer = loop.call_later(wait_s, self._close_when_due)
            return
        self._telling = loop.create_task(self._hand_over(), name=f"commit-{self.number}")

    def _closes_in(self) -> float | None:
        """How long (seconds) the window may stay open; None: until the rows that are on their way are safe."""
        window = self._window
        if self._draining or window.full:
            return 0.0 if self._storing is None else None
        if window.is_open:
            return window.closes_in()
        return window.rows_in() if self._storing is None else None

    def _collect(self) -> Batch:
        """Take all that the window has gathered and those before have left, encoded as it is now."""
        started, records = time.perf_counter(), self._window.records
        changes = self.ledger.collect()
        batch = Batch(changes.outputs, encode_rows(changes), self._window.close_with_rows())
        self._rows.coming(batch.rows)
        if self.ledger.held > MOST_ROWS_HELD:
            self.ledger.forget()
        self._closed(batch.outputs, records, started)
        return batch

    def _collect_events(self) -> list[Output]:
        """Take the events that the window has gathered."""
        started, records = time.perf_counter(), self._window.records
        outputs = self.ledger.tell()
        self._window.close()
        self._closed(outputs, records, started)
        return outputs

    def _closed(self, outputs: list[Output], records: int, started: float) -> None:
        self._metrics.tally(self.ledger.take_tally())
        self._metrics.outputs(outputs)
        self._metrics.window(records, time.perf_counter() - started)

    async def _hand_over(self) -> None:
        """Send what the window holds when it is this partition's turn, with rows if none are on their way."""
        try:
            await self._turns.mine()
            if self._window.has_rows:  # else a record that failed meanwhile has closed it
                await self._send_window()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is
            # Nothing after this batch may be committed, and the ledger is ahead of the tables: only a restart is safe.
            self._fail(error)
            return
        if self._telling is asyncio.current_task():
            self._telling = None
        self._close_when_due()
        self._moved_on.set()

    async def _send_window(self) -> None:
        window, started = self._window, time.perf_counter()
        rows_too = self._draining or not window.is_open or window.rows_in() <= 0.0
        if self._storing is not None or not rows_too:
            await self._commit.tell(self._collect_events())
            return
        batch, self._storing = self._collect(), self._telling
        self._moved_on.set()  # a full window has room again
        await self._commit.run(batch, self._told)
        self._storing = None
        self._metrics.committed(time.perf_counter() - started)

    def _told(self) -> None:
        """The broker has the events of the last window: the next one may close."""
        self._telling = None
        self._close_when_due()


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
        self._turns = Turns()
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
            made = Partition(
                number, self._policy, self._settings, rows, commit, self._metrics, self._turns, self._fail
            )
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
