"""Faust's Kafka transport with two things replaced: what a fetch delivers, and what may be committed.

*Batches.* What was fetched of one partition of a source topic reaches the agent as ONE event: its value is the list of
raw records, its offset the last one's. Faust's own path makes four asyncio tasks for every record.

*Commits.* Only what the batch commit has reported with `batch_done` is committed. Faust's own bookkeeping also
acknowledges what it skips in a rebalance, and what an exception has interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, ClassVar

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

Drain = Callable[[], Awaitable[None]]


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread the client runs in, with the one client setting that Faust does not offer."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes this at 1500 ms. The client keeps one fetch under way per broker and leaves out partitions whose
        # records still wait; if all that are left are quiet, everything stands still for that long.
        consumer._fetch_max_wait_ms = self.consumer.fetch_wait_ms
        return consumer


class BatchConsumer(driver.Consumer):
    """The consumer of a worker; see the module's text."""

    batch_topics: frozenset[str] = frozenset()
    """Physical names of the topics whose records come in batches and are committed by `batch_done`."""

    rebuilt_topics: frozenset[str] = frozenset()
    """Physical names of batch topics that are never committed: they are read from their start each time."""

    fetch_wait_ms: int = 50
    before_revoke: Drain | None = None
    """Awaited when partitions are about to be taken away, after new batches have stopped coming."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._done: dict[TP, int] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- what a fetch delivers -----------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await asyncio.sleep(0)
                records, active = await self._wait_next_records(1.0)
                if records and not self.should_stop:
                    await self._deliver(records, active)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _deliver(self, records: Mapping[TP, list[Any]], active: set[TP] | None) -> None:
        generation = self.app.consumer_generation_id
        for tp, fetched in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                # A rebalance has begun: every partition is sought to its committed offset when it ends.
                return
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            if tp.topic in self.batch_topics:
                await self._deliver_batch(tp, fetched)
            else:
                await self._deliver_each(tp, fetched)

    async def _deliver_batch(self, tp: TP, fetched: list[Any]) -> None:
        read = self._read_offset[tp]
        if read is not None and fetched[0].offset < read:
            fetched = [record for record in fetched if record.offset >= read]
            if not fetched:
                return
        message = self._to_message(tp, fetched[-1])
        message.key, message.value = None, fetched
        await self.wait_first(self.callback(message), self.suspend_flow.wait())
        self._read_offset[tp] = fetched[-1].offset + 1

    async def _deliver_each(self, tp: TP, fetched: list[Any]) -> None:
        """Changelog records, one by one, as Faust's recovery wants them."""
        for record in fetched:
            read = self._read_offset[tp]
            if read is None or record.offset >= read:
                await self.wait_first(self.callback(self._to_message(tp, record)), self.suspend_flow.wait())
                self._read_offset[tp] = record.offset

    def next_offset(self, tp: TP) -> int:
        """Return the offset after the last record delivered of `tp`."""
        return self._read_offset[tp] or 0

    def caught_up_at(self, tp: TP) -> float | None:
        """Return when (epoch seconds) the broker last said that `tp` has no record beyond those delivered, or None."""
        client = self._thread._consumer
        if client is None or tp not in client.assignment():
            return None
        polled_ms, highwater = client.last_poll_timestamp(tp), client.highwater(tp)
        if polled_ms is None or highwater is None or highwater > self.next_offset(tp):
            return None
        return float(polled_ms) / 1000.0

    # -- what may be committed -----------------------------------------------------------------------------------

    def batch_done(self, tp: TP, next_offset: int) -> None:
        """Report that everything of `tp` below `next_offset` is in the outputs and in the changelogs."""
        if tp.topic not in self.rebuilt_topics:
            self._done[tp] = max(next_offset, self._done.get(tp, 0))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._done) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the batches under way come to their end, commit them, and only then give the partitions up.

        So the worker that gets them next finds all our rows in the changelogs.
        """
        self.stop_flow()
        self.app.flow_control.suspend()
        if self.before_revoke is not None:
            await self.before_revoke()
        await self.commit()
        for tp in revoked:
            self._done.pop(tp, None)
        await super().on_partitions_revoked(revoked)


class IdempotentProducer(driver.Producer):
    """Faust's producer, with sequence numbers: a retry after a lost answer neither repeats nor reorders records."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {**super()._settings_extra(), "enable_idempotence": True}


class BatchTransport(driver.Transport):
    """Kafka by aiokafka, with the consumer and the producer above."""

    Consumer: ClassVar[type[driver.Consumer]] = BatchConsumer
    Producer: ClassVar[type[driver.Producer]] = IdempotentProducer


def make_transport(
    url: Any, app: Any, *, batch_topics: frozenset[str], rebuilt_topics: frozenset[str], fetch_wait_ms: int, drain: Drain
) -> BatchTransport:
    """Return the transport of one app: the consumer that Faust will make of it knows its topics and whom to wait for."""

    class Consumer(BatchConsumer):
        pass

    Consumer.batch_topics, Consumer.rebuilt_topics = batch_topics, rebuilt_topics
    Consumer.fetch_wait_ms, Consumer.before_revoke = fetch_wait_ms, staticmethod(drain)

    class Transport(BatchTransport):
        pass

    Transport.Consumer = Consumer
    return Transport(url, app)
