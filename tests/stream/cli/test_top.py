"""`decibel top` on a broker that holds scores."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.codec import encode
from schemas.topics import NOISE_SCORES
from scoring.policy import load_policy
from stream.embedded_broker import EmbeddedBroker
from stream.replay.run import Replay
from tests.builders import item
from tests.wire import Deployment

DECIBEL = str(Path(sys.executable).with_name("decibel"))


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        yield Deployment(broker.bootstrap, embedded=True)


def top(deployment: Deployment, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [DECIBEL, "top", *arguments],
        env=deployment.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_loudest_stand_first_as_a_table_and_as_json(deployment: Deployment) -> None:
    """Given scores of three incidents; when the board is asked for once; then the loudest stand first."""
    replay, scores = Replay(load_policy(), received_at=time.time()), {}
    for line, (incident_id, likes) in enumerate([("quiet", 1), ("loud", 90_000), ("middling", 500)], 1):
        value = encode(item(f"x:{line}", incident_id, likes=likes))
        for output in replay.item(value, ("items", line)) or []:
            if output.topic == NOISE_SCORES:
                scores[output.key] = encode(output.event)
    await deployment.produce(NOISE_SCORES, [(key.encode(), value) for key, value in scores.items()])

    shown = top(deployment, "--json", "--limit", "2")
    assert shown.returncode == 0, shown.stderr
    assert [json.loads(line)["incident_id"] for line in shown.stdout.splitlines()] == ["loud", "middling"]
    table = top(deployment, "--once")
    assert table.returncode == 0, table.stderr
    assert table.stdout.index("loud") < table.stdout.index("middling") < table.stdout.index("quiet")
