"""Every event of an incident says whose it is, as of which revision and when; its id is a function of that."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from schemas.cloudevents import Output
from schemas.times import to_epoch
from schemas.topics import INCIDENT_MERGES, NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from schemas.words import Trend
from tests.builders import hours, item, merged
from tests.driver import Driver

IDS: dict[str, Callable[[Output], str]] = {
    NOISE_SCORES: lambda output: "noise",
    TREND_UPDATES: lambda output: "trend",
    STATE_CHANGES: lambda output: f"state/{output.event.to.value}",
    PEAK_CROSSINGS: lambda output: f"{output.event.kind.value}/{output.event.level}",
    INCIDENT_MERGES: lambda output: "unmerged" if output.event.undone else "merged",
}
"""What follows on incident and revision in the id, by topic."""


@pytest.fixture(scope="module")
def told() -> list[Output]:
    """All that is told of two incidents: an outbreak that fades, and two merges that end in a circle."""
    driver = Driver()
    for number in range(30):
        driver.pipe(item(f"i{number}", h=0.1 * number, platform="reddit", likes=900, audience=10**5))
    driver.pipe(item("other", "fire", h=4, likes=10))
    driver.advance(hours(24 * 20))
    driver.profile(merged("leak", "fire"))
    driver.profile(merged("fire", "leak"))
    return [each for each in driver.log if each.topic in IDS]


def test_all_kinds_of_events_are_there(told):
    assert {each.topic for each in told} == set(IDS)


def test_the_key_is_the_incident_of_the_event(told):
    for each in told:
        fields = msgspec.to_builtins(each.event)
        assert each.key == fields.get("incident_id", fields.get("from")), each.id
    assert {each.key for each in told} == {"leak", "fire"}


def test_the_id_is_made_of_incident_revision_and_kind(told):
    for each in told:
        assert each.id == f"{each.key}/{each.event.revision}/{IDS[each.topic](each)}"
    assert len({each.id for each in told}) == len(told)


def test_the_time_of_an_output_is_that_of_its_event(told):
    for each in told:
        at = each.event.as_of if each.topic == NOISE_SCORES else each.event.at
        assert each.at == to_epoch(at), each.id


def test_the_events_of_one_revision_are_of_one_time(told):
    times: dict[str, set[float]] = {}
    for each in told:
        revision = re.match(r"\w+/\d+", each.id)
        assert revision is not None
        times.setdefault(revision[0], set()).add(each.at)
    assert all(len(each) == 1 for each in times.values())


def test_a_trend_update_has_the_slope_of_the_noise_up_while_it_builds_up_and_down_when_it_is_past(told):
    slopes = {each.event.trend: each.event.slope for each in told if each.topic == TREND_UPDATES}

    assert slopes[Trend.SURGING] > 0.1
    assert slopes[Trend.COOLING] < -0.1
