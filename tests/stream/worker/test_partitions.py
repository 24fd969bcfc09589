"""A partition: what it gathers, when it hands over and tells that all is safe, and what it does with a failure."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

import stream.worker.window
from schemas.cloudevents import Headers
from schemas.topics import NOISE_SCORES, SOURCE_ITEMS, STATE_CHANGES
from scoring.policy import load_policy
from stream.settings import Settings, WorkerSettings
from stream.worker.commit import BatchCommit, Outlet
from stream.worker.metrics import WorkerMetrics
from stream.worker.partitions import Partition
from stream.worker.shelves import MemoryShelf
from stream.worker.tables import PartitionRows
from stream.worker.turns import AT_A_TIME, CLIENT_STEPS, Turns
from tests.builders import hours, item
from tests.driver import Driver, Raw

POLICY = load_policy()
LONG_MS = 10_000
"""A window that no test waits for."""
INCIDENT_ROWS = "decibel-incidents-changelog"
ITEM_ROWS = "decibel-items-changelog"


class Answered:
    """Records whose last one has the offset `last`, once there are answers."""

    def __init__(self, answers: asyncio.Event, last: int) -> None:
        self.answers, self.last = answers, last

    async def offset(self) -> int:
        await self.answers.wait()
        return self.last


class Taken:
    """A producer that keeps what it is given.

    That is acknowledged only while `answers` is set, rows of incidents only while `answers_rows` is.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[bytes]]] = []
        self.answers, self.answers_rows = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.answers_rows.set()

    async def post_records(
        self, topic: str, partition: int, records: Iterable[tuple[bytes, bytes, Headers]]
    ) -> "Answered":
        keys = [key for key, _, _ in records]
        self.sent.append((topic, keys))
        answers = self.answers_rows if topic == INCIDENT_ROWS else self.answers
        return Answered(answers, len(keys) - 1)

    def keys(self, topic: str) -> list[list[bytes]]:
        """What went to a topic, one list for each time it was sent to."""
        return [keys for name, keys in self.sent if name == topic]


def made(
    producer: object,
    conflation_ms: int = LONG_MS,
    fail: Callable[[BaseException], None] = pytest.fail,
    turns: Turns | None = None,
) -> Partition:
    """A partition of its own, in memory."""
    settings = Settings(clock="stream", worker=WorkerSettings(conflation_ms=conflation_ms))
    rows = PartitionRows(MemoryShelf(), MemoryShelf())
    commit = BatchCommit(Outlet(producer, settings), 0, rows)
    return Partition(0, POLICY, settings, rows, commit, WorkerMetrics(), turns or Turns(), fail)


def observations(*incidents: str) -> list[Raw]:
    """Records of one new item each, an hour between them."""
    driver = Driver()
    return [
        driver.record(item(f"x:{number}", incident, h=float(number), likes=9))
        for number, incident in enumerate(incidents)
    ]


async def until(holds: Callable[[], bool]) -> None:
    """Give the loop its rounds until a condition holds."""
    for _ in range(100):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come to hold")


async def first_is_safe(partition: Partition, record: Raw) -> None:
    """Apply a record and wait until it is safe: from then on the partition is not quiet."""
    safe = asyncio.Event()
    partition.apply(SOURCE_ITEMS, [record], safe.set)
    await asyncio.wait_for(safe.wait(), 5.0)


async def test_what_comes_first_goes_out_at_once_and_what_follows_is_gathered() -> None:
    """Given a quiet partition; when batches come close together; then the first leaves alone, the others together."""
    producer, done = Taken(), []
    partition = made(producer)
    first, *rest = observations("a", "a", "b", "a", "b")
    await first_is_safe(partition, first)
    for record in rest:
        partition.apply(SOURCE_ITEMS, [record], lambda record=record: done.append(record.offset))
    assert producer.keys(NOISE_SCORES) == [[b"a"]]
    await partition.drain()
    assert done == [1, 2, 3, 4]
    # One score and one row of each incident, each item's row; the state change of the new one is there as well.
    assert producer.keys(NOISE_SCORES) == [[b"a"], [b"a", b"b"]]
    assert producer.keys(STATE_CHANGES) == [[b"a"], [b"b"]]
    assert producer.keys(INCIDENT_ROWS) == [[b"a"], [b"a", b"b"]]
    assert sorted(producer.keys(ITEM_ROWS)[1]) == [b"a\0x:1", b"a\0x:3", b"b\0x:2", b"b\0x:4"]


async def test_without_conflation_every_revision_has_its_score() -> None:
    """Given no conflation; when one batch changes an incident twice; then both scores are sent."""
    producer = Taken()
    partition = made(producer, conflation_ms=0)
    partition.apply(SOURCE_ITEMS, observations("a", "a"), lambda: None)
    await partition.drain()
    assert producer.keys(NOISE_SCORES) == [[b"a", b"a"]]


async def test_the_next_window_stays_open_until_the_broker_has_the_events_of_the_last_one() -> None:
    """Given a broker that does not answer; when batches come; then one window waits for it, the rest is gathered."""
    producer, done = Taken(), []
    partition = made(producer, conflation_ms=0)
    producer.answers.clear()
    for record in observations("a", "a", "b"):
        partition.apply(SOURCE_ITEMS, [record], lambda record=record: done.append(record.offset))
        await asyncio.sleep(0)
    assert producer.keys(NOISE_SCORES) == [[b"a"]]
    assert done == []
    producer.answers.set()
    await partition.drain()
    assert producer.keys(NOISE_SCORES) == [[b"a"], [b"a", b"b"]]
    assert done == [0, 1, 2]


async def test_events_leave_while_rows_are_on_their_way_and_the_next_rows_wait_for_those() -> None:
    """Given rows that are not acknowledged; when batches come; then each has its events sent, and none is safe."""
    producer, done = Taken(), []
    partition = made(producer, conflation_ms=0)
    producer.answers_rows.clear()
    for number, record in enumerate(observations("a", "a", "b", "b")):
        partition.apply(SOURCE_ITEMS, [record], lambda record=record: done.append(record.offset))
        await until(lambda told=number + 1: len(producer.keys(NOISE_SCORES)) == told)
    assert producer.keys(NOISE_SCORES) == [[b"a"], [b"a"], [b"b"], [b"b"]]
    assert (producer.keys(ITEM_ROWS), producer.keys(INCIDENT_ROWS)) == ([[b"a\0x:0"]], [[b"a"]])
    assert done == []
    producer.answers_rows.set()
    await asyncio.wait_for(partition.drain(), 5.0)
    assert producer.keys(INCIDENT_ROWS) == [[b"a"], [b"a", b"b"]]
    assert done == [0, 1, 2, 3]


async def test_rows_that_no_later_window_takes_leave_by_themselves() -> None:
    """Given a window that has left its rows behind; when nothing more comes; then they are soon stored."""
    producer, safe = Taken(), asyncio.Event()
    partition = made(producer, conflation_ms=0)
    first, second = observations("a", "b")
    await first_is_safe(partition, first)
    partition.apply(SOURCE_ITEMS, [second], safe.set)
    await until(lambda: len(producer.keys(NOISE_SCORES)) == 2)
    assert producer.keys(INCIDENT_ROWS) == [[b"a"]]
    await asyncio.wait_for(safe.wait(), 5.0)
    assert producer.keys(INCIDENT_ROWS) == [[b"a"], [b"b"]]


async def test_a_partition_takes_no_more_than_a_full_window_while_one_is_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given rows that are not acknowledged; when the window is full; then there is room only once they are."""
    monkeypatch.setattr(stream.worker.window, "MOST_RECORDS", 2)
    producer = Taken()
    partition = made(producer)
    producer.answers_rows.clear()
    one, *rest = observations("a", "a", "b", "b")
    partition.apply(SOURCE_ITEMS, [one], lambda: None)
    await asyncio.wait_for(partition.room(), 5.0)
    await until(lambda: bool(producer.keys(INCIDENT_ROWS)))
    partition.apply(SOURCE_ITEMS, rest, lambda: None)
    room = asyncio.create_task(partition.room())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not room.done()
    producer.answers_rows.set()
    await asyncio.wait_for(room, 5.0)
    await partition.drain()


async def test_windows_that_close_together_are_handed_over_a_few_at_a_time() -> None:
    """Given windows that close at the same moment; when the client has sent the first few; then come the next."""
    producer, turns = Taken(), Turns()
    producer.answers.clear()  # nothing is acknowledged: a turn does not wait for that
    partitions = [made(producer, turns=turns) for _ in range(2 * AT_A_TIME + 1)]
    for partition in partitions:
        partition.apply(SOURCE_ITEMS, observations("a"), lambda: None)
    handed_over = []
    while len(producer.keys(NOISE_SCORES)) < len(partitions):
        handed_over.append(len(producer.keys(NOISE_SCORES)))
        assert len(handed_over) < 100
        await asyncio.sleep(0)
    assert sorted(set(handed_over)) == [0, AT_A_TIME, 2 * AT_A_TIME]
    assert handed_over.count(AT_A_TIME) >= CLIENT_STEPS
    producer.answers.set()
    await asyncio.wait_for(asyncio.gather(*(partition.drain() for partition in partitions)), 5.0)


async def test_the_end_of_a_backlog_closes_its_window() -> None:
    """Given old records gathered in a window; when nothing more waits; then it closes soon, and all is safe."""
    producer, safe = Taken(), asyncio.Event()
    partition = made(producer, conflation_ms=1)
    first, second = observations("a", "a")
    await first_is_safe(partition, first)
    partition.apply(SOURCE_ITEMS, [second], safe.set)
    partition.caught_up()
    await asyncio.wait_for(safe.wait(), 4.0)
    assert producer.keys(NOISE_SCORES) == [[b"a"], [b"a"]]


async def test_a_deadline_that_fires_goes_the_same_way() -> None:
    """Given an incident whose state will change by itself; when its deadline is due; then the change is sent."""
    producer = Taken()
    partition = made(producer)
    await first_is_safe(partition, observations("a")[0])
    partition.tick(partition.ledger.time)
    assert producer.keys(STATE_CHANGES) == [[b"a"]]
    partition.tick(hours(24.0 * 365))
    await partition.drain()
    assert producer.keys(STATE_CHANGES)[1:]
    assert set(producer.keys(STATE_CHANGES)[1]) == {b"a"}


class NeverAsked:
    """A producer that is never to be asked."""

    async def post_records(self, *_: object) -> Answered:
        pytest.fail("nothing of a batch that failed may be sent")


class Unreadable:
    """A record whose reading fails as no bad record does."""

    offset, timestamp, key = 0, 0, b"x"

    @property
    def value(self) -> bytes:
        raise MemoryError("no room for the record")


async def test_an_unexpected_failure_ends_the_worker_and_hands_nothing_over() -> None:
    """Given a record that fails in an unexpected way; when it is applied; then the worker is to end."""
    failures, done = [], []
    partition = made(NeverAsked(), fail=failures.append)
    with pytest.raises(MemoryError) as raised:
        partition.apply(SOURCE_ITEMS, [Unreadable()], lambda: done.append(True))
    assert failures == [raised.value]
    await partition.drain()
    assert done == []
    partition.close()


async def test_a_failure_hands_over_no_window_that_waits_for_its_turn() -> None:
    """Given a window that is due; when a record fails before its turn has come; then nothing of it leaves."""
    failures, done = [], []
    partition = made(NeverAsked(), fail=failures.append)
    partition.apply(SOURCE_ITEMS, observations("a"), lambda: done.append(True))
    with pytest.raises(MemoryError) as raised:
        partition.apply(SOURCE_ITEMS, [Unreadable()], lambda: done.append(True))
    await asyncio.wait_for(partition.drain(), 5.0)
    assert failures == [raised.value]
    assert done == []


async def test_a_send_that_fails_ends_the_worker_and_tells_nobody_that_it_is_safe() -> None:
    """Given a broker that refuses the records; when a window is sent; then the worker is to end, nothing is done."""

    class Refused:
        async def offset(self) -> int:
            raise ConnectionError("no broker")

    class Refusing:
        async def post_records(self, *_: object) -> Refused:
            return Refused()

    failed, done = asyncio.Event(), []
    partition = made(Refusing(), fail=lambda error: failed.set())
    partition.apply(SOURCE_ITEMS, observations("a"), lambda: done.append(True))
    await asyncio.wait_for(failed.wait(), 5.0)
    assert done == []
    partition.close()
