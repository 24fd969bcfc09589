"""The follower: reads the score topics, lets the desk judge, and writes to the outbox what comes of it.

It reads on from where the outbox says; so what was judged and what was not never disagree.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.times import HOUR_S
from schemas.topics import COMPACTED
from stream.alerts.channels import ChannelTable, takes
from stream.alerts.desk import SETTLE_S, Desk
from stream.alerts.heard import TOPICS, Heard, at_of, read
from stream.alerts.metrics import AlertMetrics
from stream.alerts.notices import Notice
from stream.alerts.outbox import Outbox
from stream.settings import Settings
from stream.view.topics import Partitions

log = logging.getLogger(__name__)

POLL_MS: Final = 200
"""How long one look for records lasts: what is due is told that soon, and the end is heard."""
MOST_RECORDS: Final = 2000
"""Most records of one batch, and so of one transaction."""
MOST_IDLE_S: Final = 5.0
"""It looks for records five times a second; so long without a look is no busy moment any more."""
COUNT_EVERY_S: Final = 1.0
"""How often it is counted what is undelivered: of ten thousand, that takes ten milliseconds."""
PRUNE_EVERY_S: Final = 3600.0
REPEATED_WITHIN_S: Final = 14 * 24 * HOUR_S
"""So long it is remembered which events were told: a worker repeats those of its last batches, an operator who resets
the group's offsets those of its topics' retention."""


class Follower:
    """One follower: `consumer` has all `partitions`; `wake` is called when the outbox has something new."""

    def __init__(
        self,
        settings: Settings,
        consumer: AIOKafkaConsumer,
        partitions: Partitions,
        desk: Desk,
        outbox: Outbox,
        channels: Iterable[ChannelTable],
        metrics: AlertMetrics,
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._consumer, self._partitions = settings, consumer, partitions
        self._desk, self._outbox, self._metrics, self._wake = desk, outbox, metrics, wake
        self._channels = {channel.name: channel for channel in channels}
        self._positions: dict[TopicPartition, int] = {}
        self._heard_at, self._came = 0.0, time.monotonic()
        self._pruned = self._counted = 0.0
        self._progress, self._following = time.monotonic(), False

    def stuck_s(self) -> float:
        """Return for how many seconds it has not followed its topics; 0 while all is well."""
        idle_s = time.monotonic() - self._progress
        return 0.0 if self._following and idle_s < MOST_IDLE_S else max(0.001, idle_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set."""
        self._desk.restore(self._outbox.kept())
        await self._resume()
        self._following = True
        while not stop.is_set():
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
            self._judge(polled)
            self._prune()
            self._note(polled)
            self._progress = time.monotonic()

    async def _resume(self) -> None:
        """Go on from the outbox' offsets; where it has none yet, write down now where it begins."""
        known, ends = self._outbox.offsets(), await self._consumer.end_offsets(list(self._partitions))
        starts = await self._consumer.beginning_offsets(list(self._partitions))
        for tp, logical in self._partitions.items():
            position = known.get((logical, tp.partition))
            if position is None:
                # Scores and profiles are read from their start: they say what is known of each incident.
                from_end = self._settings.alerts.first == "end" and logical not in COMPACTED
                position = ends[tp] if from_end else starts[tp]
            elif position > ends[tp]:
                log.warning("%s, partition %d was made anew: read from its start", tp.topic, tp.partition)
                position = starts[tp]
            self._positions[tp] = position
            self._consumer.seek(tp, position)
        self._outbox.commit(self._offsets(self._positions), (), (), self._now())

    def _judge(self, polled: dict[TopicPartition, list[Any]]) -> None:
        """Let the desk hear a batch, in the order in which the broker took its records, and write what comes of it."""
        notices: list[Notice] = []
        for topic, record in in_order(polled, self._partitions):
            heard = read(topic, record)
            if heard is None and not record.value:
                continue
            self._metrics.read(topic, readable=heard is not None)
            if heard is not None:
                notices += self._desk.hear(heard, self._time(heard))
        if polled:
            self._came = time.monotonic()
        elif time.monotonic() - self._came >= SETTLE_S:
            notices += self._desk.wait_no_more(self._now())  # with `clock = "stream"`, time stands still now
        notices += self._desk.advance(self._now())
        changes = self._desk.take_changes()
        for tp, found in polled.items():
            self._positions[tp] = found[-1].offset + 1
        if not (polled or changes):
            return
        offsets = self._offsets({tp: self._positions[tp] for tp in polled})
        self._outbox.commit(offsets, changes, [(each, self._takers(each)) for each in notices], time.time())
        for notice in notices:
            self._metrics.told(notice.rule)
        if notices:
            self._wake()

    def _takers(self, notice: Notice) -> list[str]:
        return [name for name in self._desk.channels_of(notice) if takes(self._channels[name], notice)]

    def _time(self, heard: Heard) -> float:
        self._heard_at = max(self._heard_at, at_of(heard.event) or 0.0)
        return self._now()

    def _now(self) -> float:
        """The time by which is decided: the wall clock, or with `clock = "stream"` the latest event time."""
        return time.time() if self._settings.clock == "wall" else self._heard_at

    def _offsets(self, positions: dict[TopicPartition, int]) -> dict[tuple[str, int], int]:
        return {(self._partitions[tp], tp.partition): position for tp, position in positions.items()}

    def _prune(self) -> None:
        now = time.time()
        if now - self._pruned < PRUNE_EVERY_S:
            return
        self._pruned = now
        self._outbox.prune(now - self._settings.alerts.keep_h * HOUR_S)
        self._desk.forget(self._now() - REPEATED_WITHIN_S)

    def _note(self, polled: dict[TopicPartition, list[Any]]) -> None:
        behind = dict.fromkeys(self._partitions.values(), 0)
        for tp, logical in self._partitions.items():
            end = self._consumer.highwater(tp)
            behind[logical] += 0 if end is None else max(0, end - self._positions[tp])
        for logical, count in behind.items():
            self._metrics.lag(logical, count)
        self._metrics.collecting(self._desk.collecting)
        if time.monotonic() - self._counted >= COUNT_EVERY_S:
            self._counted = time.monotonic()
            self._metrics.backlogs(self._outbox.backlogs(), time.time())


def in_order(polled: Mapping[TopicPartition, Iterable[Any]], partitions: Partitions) -> list[tuple[str, Any]]:
    """Return records with their logical topics in the order in which the broker took them.

    Of those taken in the same millisecond profiles and scores come first: what they say is known then of the others.
    """
    found = [
        (record.timestamp, TOPICS.index(partitions[tp]), record)
        for tp, records in polled.items()
        for record in records
    ]
    found.sort(key=lambda each: each[:2])
    return [(TOPICS[topic], record) for _, topic, record in found]
