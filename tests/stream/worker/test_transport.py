"""The transport: until when a partition counts as one that waits for nothing, and which ones a fetch is for."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from faust.types import TP

import stream.worker.transport
from stream.settings import Settings, WorkerSettings
from stream.worker.app import make_app
from stream.worker.transport import BatchConsumer

SOURCE = TP("source-items", 3)
OTHER = TP("source-items", 4)
LONG_S = 10.0
"""Longer than anything here takes."""


class Client:
    """What the consumer asks of its client: the broker said at 7 s that four records are there."""

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(*SOURCE)}

    def last_poll_timestamp(self, _: TP) -> int:
        return 7000

    def highwater(self, _: TP) -> int:
        return 4


async def test_a_partition_is_not_caught_up_while_a_record_that_was_delivered_is_not_applied() -> None:
    """Given all records of a partition; when they are delivered and then applied; then it is caught up only after."""
    consumer: BatchConsumer = make_app(Settings()).consumer
    consumer._thread._consumer = Client()
    delivered = []

    async def keep(message: object) -> None:
        delivered.append(message)

    consumer.callback = keep
    records = [SimpleNamespace(offset=n, timestamp=1000 * n, timestamp_type=1) for n in range(4)]
    await consumer._deliver_batch(SOURCE, records)
    assert [message.value for message in delivered] == [records]
    assert consumer.next_offset(SOURCE) == 4
    assert consumer.caught_up_at(SOURCE) is None
    consumer.batch_applied(SOURCE)
    assert consumer.caught_up_at(SOURCE) == 7.0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[TP]]:
    """Partitions that each fetch is for; each finds one record of every one."""
    fetches: list[set[TP]] = []

    async def getmany(_: object, wanted: set[TP], __: float) -> dict[TP, list[SimpleNamespace]]:
        fetches.append(wanted)
        record = SimpleNamespace(offset=len(fetches), timestamp=1000, timestamp_type=1)
        return {tp: [record] for tp in sorted(wanted)}

    monkeypatch.setattr(BatchConsumer, "_getmany", getmany)
    monkeypatch.setattr(BatchConsumer, "_get_active_partitions", lambda _: {SOURCE, OTHER})
    monkeypatch.setattr(BatchConsumer, "highwater", lambda *_: 100)
    return fetches


async def _fetched_both(asked: list[set[TP]]) -> BatchConsumer:
    """A consumer that has delivered a batch of each partition."""
    consumer: BatchConsumer = make_app(Settings(worker=WorkerSettings(conflation_ms=0))).consumer

    async def take(_: object) -> None:
        """The agent's queue."""

    consumer.callback = take
    consumer.resume_flow()
    consumer.rebalance_ended()
    await consumer._fetch_and_deliver()
    assert asked == [{SOURCE, OTHER}]
    return consumer


async def test_a_fetch_begins_when_the_agent_has_taken_all_batches_and_is_for_all(
    asked: list[set[TP]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two batches delivered; when the agent has one; then a fetch waits until it has both, and is for both."""
    monkeypatch.setattr(stream.worker.transport, "FETCH_S", LONG_S)
    consumer = await _fetched_both(asked)
    consumer.batch_taken(SOURCE)
    fetching = asyncio.create_task(consumer._fetch_and_deliver())
    await asyncio.sleep(0)
    assert len(asked) == 1
    consumer.batch_taken(OTHER)
    await asyncio.wait_for(fetching, LONG_S)
    assert asked[1:] == [{SOURCE, OTHER}]


async def test_a_fetch_does_not_wait_for_an_agent_that_is_busy(asked: list[set[TP]]) -> None:
    """Given two batches delivered; when the agent takes but one for long; then the fetch is for that partition."""
    consumer = await _fetched_both(asked)
    consumer.batch_taken(SOURCE)
    await asyncio.wait_for(consumer._fetch_and_deliver(), LONG_S)
    assert asked[1:] == [{SOURCE}]
