"""A partition: what it does with a failure that nobody expected."""

import pytest

from schemas.topics import SOURCE_ITEMS
from scoring.policy import load_policy
from stream.commit import BatchCommit, Outlet
from stream.metrics import WorkerMetrics
from stream.partitions import Partition
from stream.settings import Settings
from stream.shelves import MemoryShelf
from stream.tables import PartitionRows


class Refused:
    """A producer that is never to be asked."""

    async def send(self, *_: object) -> None:
        pytest.fail("nothing of a batch that failed may be sent")


class Unreadable:
    """A record whose reading fails as no bad record does."""

    offset, timestamp, key = 0, 0, b"x"

    @property
    def value(self) -> bytes:
        raise MemoryError("no room for the record")


async def test_an_unexpected_failure_ends_the_worker_and_hands_nothing_over() -> None:
    """Given a record that fails in an unexpected way; when it is applied; then the worker is to end."""
    settings, failures, done = Settings(), [], []
    rows = PartitionRows(MemoryShelf(), MemoryShelf())
    commit = BatchCommit(Outlet(Refused(), settings), 0, rows)
    partition = Partition(0, load_policy(), settings, rows, commit, WorkerMetrics(), failures.append)
    with pytest.raises(MemoryError) as raised:
        partition.apply(SOURCE_ITEMS, [Unreadable()], lambda: done.append(True))
    assert failures == [raised.value]
    await partition.drain()
    assert done == []
    partition.close()
