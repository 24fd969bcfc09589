"""A merge across partitions on the embedded broker: a worker dies at each step of it; nothing is lost or doubled."""

import sys
from collections.abc import Iterator

import pytest

from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.embedded_broker import EmbeddedBroker
from tests.merging import ALL, BEFORE, MERGE, assert_merged, until_quiet
from tests.recordings import keyed, recording
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = pytest.mark.slow  # each test starts workers, which take two seconds to join their group


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    """The engine's settings on a broker of this test alone: small batches, so that there are many commits."""
    changes = {
        "DECIBEL_WORKER_MAX_BATCH_RECORDS": "20",
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": "2",
        "DECIBEL_WORKER_HEARTBEAT_S": "0.5",
    }
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        yield Deployment(broker.bootstrap, embedded=True, changes=changes)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("between outputs", "merges"),
        ("after outputs", "merges"),
        ("after incident rows", "merges"),
        ("after outputs", "forwards"),
    ],
)
async def test_a_crash_at_any_step_of_a_merge_loses_nothing_and_counts_nothing_twice(
    deployment: Deployment, step: str, kind: str
) -> None:
    """Given a worker that dies at this step; when it is restarted; then all items are counted in the new incident."""
    items, profiles = recording("tech-2021")
    items = items[:ALL]
    await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
    command = (sys.executable, "-m", "tests.crashing_worker", step, "1", kind)
    with WorkerProcess(deployment, command) as worker:
        worker.until_ready()
        await deployment.until_committed((INCIDENT_PROFILES,))
        await deployment.produce(SOURCE_ITEMS, keyed(items[:BEFORE]))
        await until_quiet(deployment)
        await deployment.produce(INCIDENT_PROFILES, [MERGE])
        if kind == "forwards":
            await until_quiet(deployment)
            await deployment.produce(SOURCE_ITEMS, keyed(items[BEFORE:]))
        assert worker.exit_code() == -9
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await until_quiet(deployment)
        if kind == "merges":
            await deployment.produce(SOURCE_ITEMS, keyed(items[BEFORE:]))
            await until_quiet(deployment)
        await assert_merged(deployment, items, profiles)
        assert 'outcome="forwarded"' in worker.metrics()
