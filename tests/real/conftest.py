"""Real servers, one of each per test run. Tests share them: each names its topics by a prefix of its own."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.real.kafka import RealKafka


@dataclass(frozen=True)
class RunningKafka:
    """A Kafka the tests may use, but neither stop nor restart."""

    bootstrap: str
    session_timeout_s: float = 6.0
    """The shortest session it allows a member of a group: how long a killed worker is waited for."""


@pytest.fixture(scope="session")
def kafka() -> Iterator[RunningKafka]:
    """The broker that DECIBEL_KAFKA names, or else one started for this test run."""
    if bootstrap := os.environ.get("DECIBEL_KAFKA"):
        yield RunningKafka(bootstrap)
        return
    with RealKafka() as started:
        yield RunningKafka(started.bootstrap, session_timeout_s=2.0)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A start for the names of topics and groups that no other test has, today or on a long-lived cluster."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.removeprefix("test_"))[:60]
    return f"{name}-{uuid.uuid4().hex[:8]}-"
