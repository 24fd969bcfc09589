"""The wall clock of a worker: deadlines fire on idle partitions, at their due time, and survive a restart."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.times import format_time, parse_time
from schemas.topics import NOISE_SCORES, PEAK_CROSSINGS, SOURCE_ITEMS
from scoring.policy import SHIPPED
from stream.embedded_broker import EmbeddedBroker
from tests.wire import Deployment, Event
from tests.workers import WorkerProcess

pytestmark = pytest.mark.slow  # a deadline of real seconds is waited for

HOLD_S = 2.0
WAIT_S = 20.0


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A worker on the wall clock whose peaks are confirmed after two seconds."""
    policy = tmp_path / "policy.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    hold, pause = "\nhold_h = 24.0", "\npause_h = 3.0"
    assert text.count(hold) == text.count(pause) == 1
    text = text.replace(hold, f"\nhold_h = {HOLD_S / 3600:.12f}").replace(pause, "\npause_h = 0.0")
    policy.write_text(text, encoding="utf-8")
    changes = {
        "DECIBEL_CLOCK": "wall",
        "DECIBEL_POLICY": str(policy),
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": "2",
        "DECIBEL_WORKER_HEARTBEAT_S": "0.5",
    }
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        yield Deployment(broker.bootstrap, embedded=True, changes=changes)


async def test_a_deadline_of_an_idle_partition_fires_at_its_due_time(deployment: Deployment) -> None:
    """Given one item and then silence; when the hold of its peak has passed; then the peak is confirmed, to the ms."""
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.produce(SOURCE_ITEMS, [_item_now()])
        peaked = await _until_peaked(deployment)
        first = (await deployment.read(NOISE_SCORES))[0].said
    assert parse_time(peaked.said["at"]) - parse_time(first["peak"]["at"]) == pytest.approx(HOLD_S, abs=0.001)
    assert peaked.said["peak"] == first["peak"]
    assert peaked.said["revision"] == first["revision"] + 1


async def test_a_deadline_that_fell_due_while_no_worker_ran_fires_after_the_restart(
    deployment: Deployment,
) -> None:
    """Given a worker killed before the deadline; when another one starts after it; then it fires at its due time."""
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.produce(SOURCE_ITEMS, [_item_now()])
        await deployment.until_committed((SOURCE_ITEMS,))
        worker.kill()
        assert not [
            event for event in await deployment.read(PEAK_CROSSINGS) if event.said["kind"] == "peaked"
        ]
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        peaked = await _until_peaked(deployment)
        first = (await deployment.read(NOISE_SCORES))[0].said
    assert parse_time(peaked.said["at"]) - parse_time(first["peak"]["at"]) == pytest.approx(HOLD_S, abs=0.001)


async def _until_peaked(deployment: Deployment) -> Event:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        for event in await deployment.read(PEAK_CROSSINGS):
            if event.said["kind"] == "peaked":
                return event
        await asyncio.sleep(0.1)  # the event is awaited on the broker, which has nothing to wait on
    pytest.fail("the peak was not confirmed")


def _item_now() -> tuple[bytes, bytes]:
    item = {
        "item_id": "x:1",
        "incident_id": "wall",
        "platform": "x",
        "published_at": format_time(time.time() - 60.0),
        "engagement": {"likes": 900, "comments": 120},
    }
    return b"wall", json.dumps(item).encode()
