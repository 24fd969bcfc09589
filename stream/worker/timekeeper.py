"""The wall clock of a worker: fires deadlines of idle partitions, publishes index shares, keeps the gauges true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import faust
from faust.types import TP

from scoring.clock import Clock
from stream.settings import Settings
from stream.worker.commit import Outlet
from stream.worker.metrics import WorkerMetrics
from stream.worker.partitions import Partition, Partitions
from stream.worker.tables import Tables
from stream.worker.transport import BatchConsumer

LONGEST_NAP_S: Final = 0.5
"""At least so often index and gauges are looked after; deadlines wake it earlier."""

SHORTEST_NAP_S: Final = 0.02
"""A deadline that waits for the broker's word that nothing is on its way is tried again after this."""


class Timekeeper:
    """Looks at all partitions of a worker again and again, but only while it scores."""

    def __init__(
        self,
        app: faust.App,
        settings: Settings,
        source: str,
        partitions: Partitions,
        tables: Tables,
        outlet: Callable[[], Outlet],
        metrics: WorkerMetrics,
        fail: Callable[[BaseException], None],
        share_every_s: float,
    ) -> None:
        self._app, self._settings, self._source = app, settings, source
        self._partitions, self._tables, self._outlet = partitions, tables, outlet
        self._metrics, self._fail = metrics, fail
        self._share_every_s, self._shared_at = share_every_s, 0.0
        self._scored_at = time.monotonic()
        self._started_at = time.time()
        self._caught_up_at: dict[int, float] = {}

    def stuck_s(self) -> float:
        """For how long (seconds) the worker has not scored; 0 while it does."""
        now = time.monotonic()
        if self.ready():
            self._scored_at = now
        return now - self._scored_at

    def ready(self) -> bool:
        """Whether the worker scores: it is in the group, recovered, and no rebalance is under way."""
        return bool(
            self._app.tables.actives_ready
            and not self._app.rebalancing
            and self._app.flow_control.is_active()
        )

    async def run(self) -> None:
        """Keep time until the worker stops."""
        try:
            while not self._app.should_stop:
                nap_s = LONGEST_NAP_S
                scores = self.stuck_s() == 0.0
                self._metrics.ready(ready=scores)
                if scores:
                    self._end_backlogs()
                    nap_s = self._fire_idle()
                    self._show_lag()
                    await self._share_index()
                await asyncio.sleep(nap_s)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the deadlines would stand still
            self._fail(error)

    def _end_backlogs(self) -> None:
        """Let the window of a partition that has nothing more to read close in its usual time."""
        consumer: BatchConsumer = self._app.consumer
        for partition in self._partitions:
            if consumer.caught_up_at(TP(self._source, partition.number)) is not None:
                partition.caught_up()

    def _fire_idle(self) -> float:
        """Fire what is due on partitions that have nothing to read; return how long to sleep (seconds).

        A recording's time is moved by its records alone.
        """
        if self._settings.clock == Clock.STREAM:
            return LONGEST_NAP_S
        consumer: BatchConsumer = self._app.consumer
        grace_s, nap_s = self._settings.worker.idle_grace_s, LONGEST_NAP_S
        for partition in self._partitions:
            quiet_at = consumer.caught_up_at(TP(self._source, partition.number))
            if quiet_at is not None:
                partition.tick(quiet_at - grace_s)
            due = partition.ledger.deadlines.next() + grace_s - time.time()
            nap_s = min(nap_s, max(due, SHORTEST_NAP_S))
        return nap_s

    async def _share_index(self) -> None:
        now = time.monotonic()
        if now - self._shared_at < self._share_every_s:
            return
        self._shared_at = now
        shares = [share for partition in self._partitions for share in partition.shares()]
        if shares:
            await self._outlet().send_outputs(0, shares)

    def _show_lag(self) -> None:
        consumer: BatchConsumer = self._app.consumer
        for partition in self._partitions:
            tp = TP(self._source, partition.number)
            behind = max(0, (consumer.highwater(tp) or 0) - consumer.next_offset(tp))
            if not behind:
                self._caught_up_at[partition.number] = time.time()
            self._metrics.lag(partition.number, behind, self._age(partition) if behind else 0.0)
        self._metrics.planned(sum(len(partition.ledger.deadlines) for partition in self._partitions))
        self._metrics.rows(len(self._tables.incidents.data), len(self._tables.items.data))

    def _age(self, partition: Partition) -> float:
        """Seconds since the last record applied arrived, or since nothing was left to apply if that is later.

        In stream time a record does not tell when it arrived, so only the latter counts.
        """
        applied_at = 0.0 if self._settings.clock == Clock.STREAM else partition.ledger.time
        since = max(applied_at, self._caught_up_at.get(partition.number, self._started_at))
        return max(0.0, time.time() - since)
