"""The verdict line, word for word."""

import pytest

from schemas.times import from_epoch
from schemas.words import State
from scoring.incident import Incident
from scoring.platform_sum import PlatformSum
from scoring.verdict import verdict
from tests.builders import hours
from tests.driver import SHIPPED_POLICY as POLICY


def covered(items, platforms):
    return Incident(
        items=items,
        platforms={str(number): PlatformSum(1) for number in range(platforms)},
        state=State.MAJOR,
        peak_noise=81.9,
        peak_at=hours(0.0),
    )


@pytest.mark.parametrize(
    ("items", "platforms", "counted"),
    [
        (0, 0, "0 source items across 0 platforms"),
        (1, 1, "1 source item across 1 platform"),
        (2, 1, "2 source items across 1 platform"),
        (30, 2, "30 source items across 2 platforms"),
    ],
)
def test_it_counts_as_people_speak_and_rounds_down(items, platforms, counted):
    incident = covered(items, platforms)
    assert verdict(incident, POLICY, 79.99, from_epoch(incident.peak_at)) == (
        f"{POLICY.words[State.MAJOR]}: noise 79/100 · state: Major Controversy · {counted} · "
        "peaked at 81/100 on Jun 24, 2026"
    )
