"""The promise that carries the project, on real Kafka and real input: a live run gives what `replay` gives."""

import json
import random
from contextlib import ExitStack

import pytest

from schemas.times import parse_time
from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, NOISE_SCORES, SOURCE_ITEMS
from stream.provisioning import apply
from tests.agreement import Expected, assert_index_agrees, assert_live_equals
from tests.real.conftest import RunningKafka
from tests.recordings import keyed, recording
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
]  # a broker and workers start, and a year of items goes through


@pytest.fixture
def deployment(kafka: RunningKafka, prefix: str) -> Deployment:
    """Topics of this test alone."""
    made = Deployment(kafka.bootstrap, prefix)
    made.changes["DECIBEL_WORKER_SESSION_TIMEOUT_S"] = str(kafka.session_timeout_s)
    made.changes["DECIBEL_WORKER_HEARTBEAT_S"] = "0.5"
    apply(made.settings)
    return made


@pytest.mark.parametrize(("workers", "store"), [(1, "memory://"), (2, "memory://"), (1, "rocksdb://")])
async def test_every_live_event_is_the_event_that_replay_gives(
    deployment: Deployment, workers: int, store: str, tmp_path: object
) -> None:
    """Given tech-2021 with its profiles; when workers score it live; then it is the replay, event by event."""
    items, profiles = recording("tech-2021")
    deployment.changes |= {"DECIBEL_WORKER_STORE": store, "DECIBEL_WORKER_DATADIR": str(tmp_path)}
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with ExitStack() as running:
        for worker in [running.enter_context(WorkerProcess(deployment)) for _ in range(workers)]:
            worker.until_ready()
        await deployment.until_committed()

        await deployment.produce(SOURCE_ITEMS, keyed(items))
        await deployment.until_committed()
        expected = Expected(items, profiles)
        await assert_live_equals(deployment, expected)
        await assert_index_agrees(deployment, expected)
    assert not await deployment.read(DEAD_LETTERS)


@pytest.mark.timeout(300)  # ten times: the group waits for the lost member, the tables are read back
async def test_a_worker_killed_ten_times_loses_nothing_and_repeats_the_same(deployment: Deployment) -> None:
    """Given a run killed with -9 at ten random moments; when it ends; then it is the replay, repeats alike."""
    items, profiles = recording("tech-2021")
    chance = random.Random(20211210)
    deployment.changes["DECIBEL_WORKER_MAX_BATCH_RECORDS"] = "50"
    records = keyed(items)
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        cuts = sorted(chance.sample(range(1, len(records)), 10))
        for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
            await deployment.produce(SOURCE_ITEMS, records[start:end])
            if end < len(records):
                worker.kill()
                worker.start()
                if chance.random() < 0.5:
                    worker.until_ready()
        worker.until_ready()
        await deployment.until_committed()
        expected = Expected(items, profiles)
        await assert_live_equals(deployment, expected)
        await assert_index_agrees(deployment, expected)


async def test_workers_that_join_and_leave_in_the_middle_change_nothing(deployment: Deployment) -> None:
    """Given a run; when workers join, leave cleanly and are killed meanwhile; then it is the replay."""
    items, profiles = recording("tech-2021")
    parts = [items[start : start + 920] for start in range(0, len(items), 920)]
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment) as first:
        first.until_ready()
        await deployment.until_committed((INCIDENT_PROFILES,))
        await deployment.produce(SOURCE_ITEMS, keyed(parts[0]))
        with WorkerProcess(deployment) as second:
            await deployment.produce(SOURCE_ITEMS, keyed(parts[1]))
            second.until_ready()
            assert first.stop() == 0
            await deployment.produce(SOURCE_ITEMS, keyed(parts[2]))
            with WorkerProcess(deployment) as third:
                second.kill()
                third.until_ready()
                await deployment.until_committed()
                expected = Expected(items, profiles)
                await assert_live_equals(deployment, expected)
                await assert_index_agrees(deployment, expected)


async def test_records_delivered_twice_and_shuffled_give_the_same_factors(deployment: Deployment) -> None:
    """Given every record twice, shuffled within an hour; when it is scored live; then each incident's factors agree."""
    items, profiles = recording("tech-2021")
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        await deployment.produce(SOURCE_ITEMS, keyed(twice_and_shuffled(items, random.Random(7))))
        await deployment.until_committed()
    expected = Expected(items, profiles)
    last = {event.key: event.said for event in await deployment.read(NOISE_SCORES)}
    assert set(last) == set(expected.last_score)
    for incident_id, ident in expected.last_score.items():
        want = json.loads(expected.events[ident][2])
        assert last[incident_id]["items"] == want["items"]
        assert last[incident_id]["factors"] == pytest.approx(want["factors"], abs=1e-9)


def twice_and_shuffled(items: list[bytes], chance: random.Random) -> list[bytes]:
    """Return every record twice, each delivered up to an hour after it was observed."""

    def delivered_at(item: bytes) -> float:
        return parse_time(json.loads(item)["observed_at"]) + chance.uniform(0.0, 3600.0)

    return sorted([*items, *items], key=delivered_at)
