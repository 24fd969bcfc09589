"""Which alerts are judged false: by the volume around a rise, and by what comes back after an end."""

import pytest

from bench.alerts import alerts
from bench.story import Story
from schemas.noise_score import Peak
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import from_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import PeakKind, State, Trend
from tests.builders import hours


def story(published, *, trends=(), states=(), crossings=()) -> Story:
    return Story("leak", "A leak", [hours(h) for h in published], [], [*trends], [*states], [*crossings])


def surge(h: float) -> TrendUpdate:
    return TrendUpdate("leak", 1, from_epoch(hours(h)), Trend.SURGING, Trend.STEADY, {}, 1.0, 0.0, 0.0)


def step(h: float, previous: State | None, to: State) -> StateChange:
    return StateChange("leak", 1, from_epoch(hours(h)), previous, to, "", {}, 50.0)


def peak(h: float, kind: PeakKind) -> PeakCrossing:
    return PeakCrossing(
        "leak", 1, from_epoch(hours(h)), kind, 50.0, "Chatter", Peak(50.0, from_epoch(hours(h)))
    )


def judged(told: Story) -> list[bool]:
    return [each.false for each in alerts(told)]


@pytest.mark.parametrize(
    ("published", "false"),
    [
        ([200.0, 201.0, 202.0], False),  # three items where there was silence
        ([200.0, 201.0], True),  # too few to say that anything rose
        ([*range(0, 200, 4), 200.0, 201.0, 202.0], True),  # three in twelve hours are what every day has had
        ([*range(0, 200, 4), *(200.0 + 0.1 * number for number in range(9))], False),
    ],
)
def test_an_alert_of_a_rise_is_false_where_the_volume_has_not_risen(published, false):
    assert judged(story(published, trends=[surge(201.0)])) == [false]


def test_a_peak_that_is_exceeded_within_two_days_was_none():
    items = [0.0, 0.1, 0.2, 40.0, 40.1, 40.2]
    told = [peak(0.2, PeakKind.NEW_PEAK), peak(24.2, PeakKind.PEAKED), peak(40.2, PeakKind.NEW_PEAK)]
    assert judged(story(items, crossings=told)) == [False, True, False]
    later = [*told[:2], peak(24.2 + 48.1, PeakKind.NEW_PEAK)]
    assert judged(story([*items[:3], 72.0, 72.1, 72.2], crossings=later)) == [False, False, False]


def test_a_step_back_that_is_taken_forward_again_within_two_days_was_false():
    items = [0.0, 0.1, 0.2, 150.0, 150.1, 150.2]
    back = step(110.0, State.DEBATED, State.RESOLVED)
    assert judged(story(items, states=[back, step(150.2, State.RESOLVED, State.DEBATED)])) == [True, False]
    assert judged(story(items, states=[back])) == [False]


def test_the_first_detection_is_no_alert():
    assert alerts(story([0.0], states=[step(0.0, None, State.EMERGING)])) == []
