"""Faust's Kafka transport with three things replaced: what a fetch delivers, where reading resumes, what is committed.

*Batches.* What was fetched of one partition reaches the agent (of a changelog: the recovery) as ONE event: its value is
the list of raw records, its offset the last one's. Faust's own path makes four asyncio tasks for every record.

*Seeking back.* A rebalance ends with every partition at its committed offset. Faust seeks only where there is one, lets
records through before and clears them from the agents' queues after; each of these loses records. Here nothing of a
batch topic is fetched from the moment partitions are revoked until the rebalance is over, and all are sought.

*Commits.* Only what the batch commit has reported with `batch_done` is committed. Faust's own bookkeeping also
acknowledges what it skips in a rebalance, and what an exception has interrupted.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from stream.worker.commit import Record

Drain = Callable[[], Awaitable[None]]

FETCH_S: Final = 0.02
"""Longest wait for records in one go: a rebalance waits so long for the fetch that is under way."""

FEW_RECORDS: Final = 100
"""A fetch of fewer costs more than its records do."""

QUIET_NAP_S: Final = 0.02
"""How long to sleep while no partition may be fetched."""


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread the client runs in, with the one client setting that Faust does not offer."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes this at 1500 ms. The client keeps one fetch under way per broker and leaves out partitions whose
        # records still wait; if all that are left are quiet, everything stands still for that long.
        consumer._fetch_max_wait_ms = self.consumer.fetch_wait_ms
        return consumer

    async def on_start(self) -> None:
        """Start the client; nothing is fetched before Faust has subscribed."""
        await super().on_start()
        self._ensure_consumer()._fetcher._records = _Fetched()


class _Fetched(OrderedDict[TP, Any]):
    """What the client has fetched, partition by partition: records come out as its decoder gives them.

    The decoder's records have all we read (offset, timestamp, key, value). The client would make a second record of
    twelve fields from each, which takes as long as decoding it.
    """

    def __setitem__(self, tp: TP, fetched: Any) -> None:
        records = getattr(fetched, "_partition_records", None)
        if records is not None:
            records._consumer_record = _as_decoded
        super().__setitem__(tp, fetched)


def _as_decoded(_: TP, record: Any) -> Any:
    return record


class BatchConsumer(driver.Consumer):
    """The consumer of a worker; see the module's text."""

    batch_topics: frozenset[str] = frozenset()
    """Physical names of the topics whose records come in batches and are committed by `batch_done`."""

    rebuilt_topics: frozenset[str] = frozenset()
    """Physical names of batch topics that are never committed: they are read from their start each time."""

    fetch_wait_ms: int = 50
    pace_s: float = 0.0
    """How long to wait after a fetch that brought few records, so that a trickle is not fetched one by one."""

    before_revoke: Drain | None = None
    """Awaited when partitions are about to be taken away, after new batches have stopped coming."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._done: dict[TP, int] = {}
        self._scoring = False
        self._fetching = asyncio.Lock()
        self._waiting: set[TP] = set()
        self._all_taken = asyncio.Event()
        self._unapplied: Counter[TP] = Counter()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- what a fetch delivers -----------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await asyncio.sleep(0)
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                    continue
                await self._fetch_and_deliver()
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _fetch_and_deliver(self) -> None:
        await self._until_taken()
        async with self._fetching:
            # A copy: what may be fetched can change while the fetch waits, and Faust's own set changes with it.
            wanted = {tp for tp in self._get_active_partitions() if self._may_fetch(tp)}
            records = await self._getmany(wanted, FETCH_S) if wanted else {}
            self._waiting.update(tp for tp in records if tp.topic in self.batch_topics)
        if not wanted:
            await asyncio.sleep(QUIET_NAP_S)
        if records:
            # One wait for a rebalance to begin, whatever the number of partitions: it makes four tasks.
            await self.wait_first(self._deliver_all(records), self.suspend_flow.wait())
        if self._scoring and self.pace_s and sum(map(len, records.values())) < FEW_RECORDS:
            await asyncio.sleep(self.pace_s)

    async def _deliver_all(self, records: Mapping[TP, list[Any]]) -> None:
        """Hand on what was fetched, unless a rebalance begins: what is left out then is sought back to when it ends."""
        for tp, fetched in records.items():
            if not self.flow_active or self.should_stop:
                return
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            if tp.topic not in self.batch_topics:
                await self._deliver_rows(tp, fetched)
            elif self._scoring:
                await self._deliver_batch(tp, fetched)

    def _may_fetch(self, tp: TP) -> bool:
        """A batch topic's partition is fetched while the worker scores, and once its last batch has been taken.

        So a batch never waits behind another of its partition: when the worker is busy its batches grow instead.
        """
        return tp.topic not in self.batch_topics or (self._scoring and tp not in self._waiting)

    async def _until_taken(self) -> None:
        """Wait until the agent has all batches, but not for long: it may be busy with large ones.

        What has been fetched of a partition whose batch still waits stays with the client, which then fetches nothing
        of any partition; so a wait for the others' records that begins now would be in vain to its end.
        """
        if self._waiting:
            self._all_taken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(FETCH_S):
                    await self._all_taken.wait()

    def batch_taken(self, tp: TP) -> None:
        """Hear that the agent has the last batch of `tp`."""
        self._waiting.discard(tp)
        if not self._waiting:
            self._all_taken.set()

    def batch_applied(self, tp: TP) -> None:
        """Hear that the agent has applied a batch of `tp`."""
        self._unapplied[tp] -= 1

    async def _deliver_batch(self, tp: TP, fetched: list[Any]) -> None:
        read = self._read_offset[tp]
        if read is not None and fetched[0].offset < read:
            fetched = [record for record in fetched if record.offset >= read]
            if not fetched:
                self.batch_taken(tp)
                return
        self._unapplied[tp] += 1
        await self._deliver(tp, fetched)
        self._read_offset[tp] = fetched[-1].offset + 1

    async def _deliver_rows(self, tp: TP, fetched: list[Any]) -> None:
        """Changelog records, as one event too; see `RowStore.apply_changelog_batch`.

        What has been read of these is the last record's offset, as Faust's recovery counts it.
        """
        read = self._read_offset[tp]
        if read is not None and fetched[-1].offset < read:
            return
        await self._deliver(tp, fetched)
        self._read_offset[tp] = fetched[-1].offset

    async def _deliver(self, tp: TP, fetched: list[Any]) -> None:
        last = fetched[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            headers=None,
            key=None,
            value=fetched,
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        await self.callback(message)

    def next_offset(self, tp: TP) -> int:
        """Return the offset after the last record delivered of `tp`."""
        return self._read_offset[tp] or 0

    def caught_up_at(self, tp: TP) -> float | None:
        """Return when (epoch seconds) the broker last said that `tp` has no record beyond those applied, or None."""
        client = self._thread._consumer
        if self._unapplied[tp] or client is None or tp not in client.assignment():
            return None
        polled_ms, highwater = client.last_poll_timestamp(tp), client.highwater(tp)
        if polled_ms is None or highwater is None or highwater > self.next_offset(tp):
            return None
        return float(polled_ms) / 1000.0

    # -- where reading resumes -----------------------------------------------------------------------------------

    async def perform_seek(self) -> None:
        """Seek every partition to its committed offset, and where it has none to its start."""
        async with self._fetching:
            await super().perform_seek()
            fresh = [
                aiokafka.TopicPartition(tp.topic, tp.partition)
                for tp in self.assignment()
                if tp.topic in self.batch_topics and not self._read_offset[tp]
            ]
            if fresh:
                await self._thread.seek_to_beginning(*fresh)

    def rebalance_ended(self) -> None:
        """Fetch the batch topics again: all are sought, and Faust will not clear the agents' queues any more."""
        self._waiting.clear()
        self._unapplied.clear()
        self._scoring = True

    # -- what may be committed -----------------------------------------------------------------------------------

    def batch_done(self, tp: TP, next_offset: int) -> None:
        """Report that everything of `tp` below `next_offset` is in the outputs and in the changelogs."""
        if tp.topic not in self.rebuilt_topics:
            self._done[tp] = max(next_offset, self._done.get(tp, 0))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._done) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.get(tp)

    async def come_to_rest(self) -> None:
        """Deliver nothing more, and wait until all that was applied is safe."""
        self._scoring = False
        self.stop_flow()
        self.app.flow_control.suspend()
        if self.before_revoke is not None:
            await self.before_revoke()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the batches under way come to their end, commit them, and only then give the partitions up.

        So the worker that gets them next finds all our rows in the changelogs.
        """
        await self.come_to_rest()
        await self.commit()
        for tp in revoked:
            self._done.pop(tp, None)
        await super().on_partitions_revoked(revoked)


class Sent:
    """Whole batches on their way to one partition; the last one has so many records."""

    def __init__(self, waiting: list[asyncio.Future[Any]], last: int) -> None:
        self._waiting, self._last = waiting, last

    async def offset(self) -> int:
        """Return the last record's offset once all batches are acknowledged, or raise."""
        acknowledged = [await batch for batch in self._waiting]
        return int(acknowledged[-1].offset) + self._last - 1


class IdempotentProducer(driver.Producer):
    """Faust's producer, which takes many records at once and numbers them: a retry neither repeats nor reorders any."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {**super()._settings_extra(), "enable_idempotence": True}

    async def post_records(self, topic: str, partition: int, records: Iterable[Record]) -> Sent:
        """Put records on their way to one partition, in order.

        They leave as whole batches: one future for each batch, where the client's `send` makes one for each record.
        """
        client = self._ensure_producer()
        waiting = []
        batch = client.create_batch()
        for key, value, headers in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                waiting.append(await client.send_batch(batch, topic, partition=partition))
                batch = client.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        last = batch.record_count()
        # Nothing will be added to it, so it need not linger.
        batch.close()
        waiting.append(await client.send_batch(batch, topic, partition=partition))
        return Sent(waiting, last)


class BatchTransport(driver.Transport):
    """Kafka by aiokafka, with the consumer and the producer above."""

    Consumer: ClassVar[type[driver.Consumer]] = BatchConsumer
    Producer: ClassVar[type[driver.Producer]] = IdempotentProducer


def make_transport(
    url: Any,
    app: Any,
    *,
    batch_topics: frozenset[str],
    rebuilt_topics: frozenset[str],
    fetch_wait_ms: int,
    pace_s: float,
    drain: Drain,
) -> BatchTransport:
    """Return the transport of one app: the consumer Faust makes of it knows its topics and whom to wait for."""

    class Consumer(BatchConsumer):
        pass

    Consumer.batch_topics, Consumer.rebuilt_topics = batch_topics, rebuilt_topics
    Consumer.fetch_wait_ms, Consumer.pace_s = fetch_wait_ms, pace_s
    Consumer.before_revoke = staticmethod(drain)

    class Transport(BatchTransport):
        pass

    Transport.Consumer = Consumer
    return Transport(url, app)
