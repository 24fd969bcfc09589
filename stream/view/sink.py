"""The sink: reads the topics and writes the view, on from where the view itself says it is.

Several may run at once: each reads everything, and what one has written the others' repeat leaves as it is. Redis
may go away: the sink waits and tries the same again, for writing twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import StateError
from stream.settings import Settings
from stream.view.connection import PASSING, explain
from stream.view.entries import Reading
from stream.view.metrics import ViewMetrics
from stream.view.topics import Partitions
from stream.view.writer import Slice, ViewWriter, Written

log = logging.getLogger(__name__)

POLL_MS: Final = 200
"""How long one look for records lasts: the end is heard that soon."""
MOST_RECORDS: Final = 2000
"""Most records of one write; a megabyte or two on the wire."""
MOST_RECORDS_EMBEDDED: Final = 100
"""The stand-in works in this process' event loop: so many hold it up for less than a tenth of a second."""
CHECK_EVERY_S: Final = 1.0
"""How often it is looked whether Redis still has the view; two small requests."""
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 5.0
"""Between two attempts while Redis is away; doubled from the first up to the longest."""


class Sink:
    """One sink: `consumer` has all `partitions`; what it reads goes to `writer`."""

    def __init__(
        self,
        settings: Settings,
        consumer: AIOKafkaConsumer,
        partitions: Partitions,
        writer: ViewWriter,
        entries: Reading,
        metrics: ViewMetrics,
    ) -> None:
        self._settings, self._consumer, self._partitions = settings, consumer, partitions
        self._writer, self._entries, self._metrics = writer, entries, metrics
        self._most = MOST_RECORDS_EMBEDDED if settings.view.embedded else MOST_RECORDS
        self._generation = 0
        self._positions: dict[TopicPartition, int] = {}
        self._stamps: dict[TopicPartition, int] = {}
        self._failing_since: float | None = time.monotonic()
        self._stop = asyncio.Event()

    def stuck_s(self) -> float:
        """Return for how many seconds it has not been able to write; 0 while all is well."""
        return 0.0 if self._failing_since is None else max(0.001, time.monotonic() - self._failing_since)

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop` is set.

        Raises StateError where the view cannot be continued (see `decibel view rebuild`), ViewError where Redis
        answers what only a person can mend, BrokerError.
        """
        self._stop = stop
        await self._patiently(self._resume)
        checked = time.monotonic()
        while not stop.is_set():
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=self._most)
            if polled:
                await self._patiently(
                    self._write, [self._slice(tp, records) for tp, records in polled.items()]
                )
            if time.monotonic() - checked >= CHECK_EVERY_S:
                await self._patiently(self._check)
                checked = time.monotonic()
            self._note_lag()

    async def _check(self) -> None:
        """Look whether the view still is where it was left: a partition on which nothing comes would not tell."""
        offsets = await self._writer.offsets(self._generation)
        lost = any(
            offsets.get(f"{logical}/{tp.partition}", 0) < self._positions[tp]
            for tp, logical in self._partitions.items()
        )
        if lost or await self._writer.begin(self._entries.half_life_s) != self._generation:
            await self._displaced()

    async def _displaced(self) -> None:
        """Rebuilt and switched meanwhile, or Redis has lost what it had: what is missing is read again."""
        self._metrics.failed("displaced")
        log.warning("the view was rebuilt, or Redis lost its latest writes: reading on from where it is")
        await self._resume()

    async def _resume(self) -> None:
        """Go on from where the view is: its generation, and the offsets in it."""
        self._generation = await self._writer.begin(self._entries.half_life_s)
        self._metrics.generation(self._generation)
        offsets = await self._writer.offsets(self._generation)
        ends = await self._consumer.end_offsets(list(self._partitions))
        for tp, logical in self._partitions.items():
            position = self._positions[tp] = offsets.get(f"{logical}/{tp.partition}", 0)
            if position > ends[tp]:
                raise _made_anew(tp, position)
            self._consumer.seek(tp, position)
        log.info("the view's generation %d is continued", self._generation)

    def _slice(self, tp: TopicPartition, records: Sequence[Any]) -> Slice:
        logical, begin = self._partitions[tp], self._positions[tp]
        if records[0].offset < begin:
            raise _made_anew(tp, begin)
        read = [self._entries.entry(logical, record) for record in records]
        entries = [entry for entry in read if entry is not None]
        if len(entries) < len(records):
            self._metrics.read("unreadable", {logical: len(records) - len(entries)})
            log.warning(
                "%d records of %s before offset %d cannot be read and are left out",
                len(records) - len(entries),
                tp.topic,
                records[-1].offset + 1,
            )
        self._stamps[tp] = records[-1].timestamp
        return Slice(logical, tp.partition, begin, records[-1].offset + 1, entries)

    async def _write(self, slices: list[Slice]) -> None:
        started = time.perf_counter()
        written = await self._writer.write(self._generation, slices)
        self._metrics.written(time.perf_counter() - started)
        self._count(written)
        if written.displaced:
            await self._displaced()
            return
        by_source = {(each.topic, each.partition): each.end for each in slices}
        for tp, logical in self._partitions.items():
            self._positions[tp] = by_source.get((logical, tp.partition), self._positions[tp])

    async def _patiently(self, step: Any, *arguments: Any) -> None:
        """Take a step; where Redis is away, take it again until it is back, or the sink is to stop."""
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            try:
                await step(*arguments)
            except PASSING as error:
                self._metrics.failed("redis")
                self._metrics.ready(ready=False)
                if self._failing_since is None:
                    self._failing_since = time.monotonic()
                log.warning("%s; trying again in %.1f s", explain(self._settings, error), wait_s)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                self._failing_since = None
                self._metrics.ready(ready=True)
                return

    def _count(self, written: Written) -> None:
        self._metrics.read("new", written.new)
        self._metrics.read("repeated", written.repeated)

    def _note_lag(self) -> None:
        records: dict[str, int] = dict.fromkeys(self._partitions.values(), 0)
        seconds: dict[str, float] = dict.fromkeys(self._partitions.values(), 0.0)
        for tp, logical in self._partitions.items():
            end = self._consumer.highwater(tp)
            behind = 0 if end is None else max(0, end - self._positions[tp])
            records[logical] += behind
            if behind and tp in self._stamps:
                seconds[logical] = max(seconds[logical], time.time() - self._stamps[tp] / 1000)
        for logical, count in records.items():
            self._metrics.lag(logical, count, seconds[logical])


def _made_anew(tp: TopicPartition, position: int) -> StateError:
    return StateError(
        f"{tp.topic}, partition {tp.partition}: the view has read up to offset {position}, which is not there: the "
        "topic was made anew; run `decibel view rebuild` and start again"
    )
