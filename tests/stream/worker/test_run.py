"""The worker on the embedded broker: interrupted at every step of its commit, refused, fed with rubbish."""

import asyncio
import json
import sys
import time
from base64 import b64decode
from collections.abc import Iterator

import pytest

from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, SOURCE_ITEMS
from stream.embedded_broker import ApiKey, EmbeddedBroker
from stream.worker.app import EXIT_FAILED
from tests.agreement import Expected, assert_live_equals
from tests.crashing_worker import STEPS
from tests.recordings import keyed, recording
from tests.wire import WAIT_S, Deployment
from tests.workers import WorkerProcess

pytestmark = pytest.mark.slow  # each test starts workers, which take two seconds to join their group

FIRST = 900
"""So many observations of tech-2021 are enough to meet every kind of event, and leave the run short."""


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker of this test alone."""
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as started:
        yield started


@pytest.fixture
def deployment(broker: EmbeddedBroker) -> Deployment:
    """The engine's settings on that broker: small batches, so that there are many commits to interrupt."""
    changes = {
        "DECIBEL_WORKER_MAX_BATCH_RECORDS": "20",
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": "2",
        "DECIBEL_WORKER_HEARTBEAT_S": "0.5",
    }
    return Deployment(broker.bootstrap, embedded=True, changes=changes)


NEXT = "after the next window's events"


@pytest.mark.parametrize(
    ("step", "nth", "conflation_ms"),
    [(step, 9, 5) for step in STEPS if step != NEXT] + [("between item rows", 9, 0), (NEXT, 1, 0)],
)
async def test_a_crash_at_any_step_of_a_commit_loses_and_repeats_nothing(
    deployment: Deployment, step: str, nth: int, conflation_ms: int
) -> None:
    """Given a worker that dies at this step of its nth batch; when it is restarted; then all is as replay gives it."""
    deployment.changes["DECIBEL_WORKER_CONFLATION_MS"] = str(conflation_ms)
    items, profiles = recording("tech-2021")
    items = items[:FIRST]
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment, (sys.executable, "-m", "tests.crashing_worker", step, str(nth))) as worker:
        worker.until_ready()
        await deployment.until_committed((INCIDENT_PROFILES,))
        await deployment.produce(SOURCE_ITEMS, keyed(items))
        assert worker.exit_code() == -9
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        expected = Expected(items, profiles)
        await assert_live_equals(deployment, expected)
        assert 'outcome="repeated"' in worker.metrics() or step != "after incident rows"


async def test_a_worker_that_is_told_to_end_writes_first_what_it_has_gathered(deployment: Deployment) -> None:
    """Given a window that would last for long; when the worker is told to end; then all it has applied is safe."""
    deployment.changes["DECIBEL_WORKER_CONFLATION_MS"] = "10000"
    items, _ = recording("tech-2021")
    items = items[:60]
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.produce(SOURCE_ITEMS, keyed(items))
        deadline = time.monotonic() + WAIT_S
        while _applied(worker) < len(items):
            assert time.monotonic() < deadline, worker.log[-2000:]
            await asyncio.sleep(0.1)  # the condition is the worker's
        assert worker.stop() == 0
    await deployment.until_committed()
    await assert_live_equals(deployment, Expected(items, []))


def _applied(worker: WorkerProcess) -> float:
    """How many records a worker says it has applied."""
    lines = worker.metrics().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("decibel_batch_records_sum"))


async def test_a_send_that_the_broker_refuses_ends_the_worker_and_loses_nothing(
    deployment: Deployment, broker: EmbeddedBroker
) -> None:
    """Given a broker that will not take a batch's records; when they are sent; then the worker ends, uncommitted."""
    items, profiles = recording("tech-2021")
    items = items[:FIRST]
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed((INCIDENT_PROFILES,))
        with worker.held():
            await deployment.produce(SOURCE_ITEMS, keyed(items))
            broker.refuse_produce(50)
        assert worker.exit_code() == EXIT_FAILED
        assert "the worker ends" in worker.log
    broker.clear_errors(ApiKey.PRODUCE)
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        await assert_live_equals(deployment, Expected(items, profiles))


async def test_broken_records_are_dead_letters_and_every_good_one_is_scored(deployment: Deployment) -> None:
    """Given broken records among good ones; when they are read; then each lies in dead-letters, and the rest scores."""
    good, _ = recording("tech-2021")
    good = good[:60]
    records = keyed(good)
    for place, (_, record) in zip(range(5, 65, 6), BROKEN.values(), strict=False):
        records.insert(place, record)
    await deployment.produce(SOURCE_ITEMS, records)
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        letters = [event.said for event in await deployment.read(DEAD_LETTERS)]
        page = worker.metrics()
    found = {(letter["reason"], b64decode(letter["value"])) for letter in letters}
    assert found == {(reason, record[1]) for reason, record in BROKEN.values()}
    assert all(letter["origin"]["topic"] == SOURCE_ITEMS and letter["error"] for letter in letters)
    assert len({(letter["origin"]["partition"], letter["origin"]["offset"]) for letter in letters}) == len(
        BROKEN
    )
    assert 'decibel_dead_letters_total{reason="absurd-time"} 2.0' in page
    await assert_live_equals(deployment, Expected(good, []))


async def test_a_worker_without_its_topics_says_which_and_what_to_do() -> None:
    """Given a broker without our topics, or none at all; when a worker starts; then it ends with one clear line."""
    with (
        EmbeddedBroker({"noise-scores": 3}) as broker,
        WorkerProcess(Deployment(broker.bootstrap, embedded=True)) as worker,
    ):
        assert worker.exit_code() == 1
        assert "topic source-items does not exist; run `decibel topics apply`" in worker.log
    topics = Deployment("127.0.0.1:1", embedded=True).topics | {"noise-scores": 3}
    with (
        EmbeddedBroker(topics) as broker,
        WorkerProcess(Deployment(broker.bootstrap, embedded=True)) as worker,
    ):
        assert worker.exit_code() == 1
        assert "topics.partitions is 8, but noise-scores has 3" in worker.log
    with WorkerProcess(Deployment("127.0.0.1:1")) as worker:
        assert worker.exit_code() == 1
        assert "check that Kafka runs, that kafka.bootstrap" in worker.log


def _item(**changes: object) -> bytes:
    fields = {"item_id": "x:1", "incident_id": "x", "platform": "x", "published_at": "2021-12-10T01:05:00Z"}
    return json.dumps(
        {name: value for name, value in {**fields, **changes}.items() if value is not None}
    ).encode()


BROKEN: dict[str, tuple[str, tuple[bytes | None, bytes | None]]] = {
    "not JSON": ("not-json", (b"x", b"{half")),
    "a field is missing": ("invalid", (b"x", _item(item_id=None))),
    "a field has the wrong type": ("invalid", (b"x", _item(platform=7))),
    "NaN": ("not-json", (b"x", _item(stance=float("nan")))),
    "the year 1970": ("absurd-time", (b"x", _item(published_at="1970-01-01T00:00:00Z"))),
    "the year 2999": ("absurd-time", (b"x", _item(published_at="2999-01-01T00:00:00Z"))),
    "two megabytes": ("oversized", (b"x", _item(title="x" * 2_000_000))),
    "empty": ("empty", (b"x", b"")),
    "no key": ("key", (None, _item())),
    "another incident's key": ("key", (b"y", _item())),
}
"""What is wrong -> the reason it is rejected for, and the record."""
