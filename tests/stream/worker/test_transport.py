"""The transport: until when a partition counts as one that waits for nothing."""

from types import SimpleNamespace

from aiokafka import TopicPartition
from faust.types import TP

from stream.settings import Settings
from stream.worker.app import make_app
from stream.worker.transport import BatchConsumer

SOURCE = TP("source-items", 3)


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
