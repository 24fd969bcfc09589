"""A merge across partitions on real Kafka: workers are killed around it, and every item is counted once."""

import asyncio
import random

import pytest

from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.provisioning import apply
from tests.merging import ALL, BEFORE, MERGE, assert_merged, until_quiet
from tests.real.conftest import RunningKafka
from tests.recordings import keyed, recording
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
]  # a broker and workers start, and the group waits for each lost member

KILLS = 4


@pytest.fixture
def deployment(kafka: RunningKafka, prefix: str) -> Deployment:
    """Topics of this test alone, and small batches, so that a kill falls between many."""
    made = Deployment(kafka.bootstrap, prefix)
    made.changes["DECIBEL_WORKER_SESSION_TIMEOUT_S"] = str(kafka.session_timeout_s)
    made.changes["DECIBEL_WORKER_HEARTBEAT_S"] = "0.5"
    made.changes["DECIBEL_WORKER_MAX_BATCH_RECORDS"] = "20"
    apply(made.settings)
    return made


@pytest.mark.timeout(300)  # four times: the group waits for the lost member, the tables are read back
async def test_a_worker_killed_around_a_merge_loses_nothing_and_counts_nothing_twice(
    deployment: Deployment,
) -> None:
    """Given a merge in the middle of a run, and kill -9 around it; then it is as if all items had been there."""
    items, profiles = recording("tech-2021")
    items, chance = items[:ALL], random.Random(20210114)
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed((INCIDENT_PROFILES,))
        await deployment.produce(SOURCE_ITEMS, keyed(items[:BEFORE]))
        await until_quiet(deployment)
        await deployment.produce(INCIDENT_PROFILES, [MERGE])
        cuts = sorted(chance.sample(range(BEFORE, ALL), KILLS))
        for start, end in zip([BEFORE, *cuts], [*cuts, ALL], strict=True):
            await deployment.produce(SOURCE_ITEMS, keyed(items[start:end]))
            if end < ALL:
                await asyncio.sleep(chance.uniform(0.0, 0.1))  # somewhere in what the merge set going
                worker.kill()
                worker.start()
                worker.until_ready()
        await until_quiet(deployment)
        await assert_merged(deployment, items, profiles)
