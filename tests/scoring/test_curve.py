"""The noise curve, its mean, its slope: closed forms against numbers found step by step."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.curve import (
    long_average_at,
    long_residue,
    noise_average_at,
    noise_falls_below,
    settle_averages,
    slope_per_hour,
    slope_turns,
)
from scoring.decay import NEVER, decay, falls_below
from scoring.incident import Incident
from tests.builders import hours
from tests.driver import SHIPPED_POLICY as POLICY

HALF_LIFE_S = POLICY.curve.half_life_s
points = st.floats(0.0, 100.0)


@st.composite
def curves(draw, latest_anchor_h=1.0):
    """An incident in the middle of its life; its last coverage may claim to be up to an hour ahead."""
    return Incident(
        composite=draw(st.floats(1.0, 100.0)),
        last_seen=hours(draw(st.floats(-200.0, latest_anchor_h))),
        averages_at=hours(0.0),
        noise_average=draw(points),
        long_average=draw(points),
    )


def integrated(incident: Incident, until_h: float, steps: int = 4000) -> float:
    """The mean of the noise by Runge and Kutta's midpoint rule, step by step from `averages_at`."""
    pull, mean, width = math.log(2.0) / POLICY.trend.slope_h, incident.noise_average, until_h / steps
    for number in range(steps):
        middle = hours((number + 0.5) * width)
        half = mean + pull * (incident.noise_at(hours(number * width), HALF_LIFE_S) - mean) * width / 2.0
        mean += pull * (incident.noise_at(middle, HALF_LIFE_S) - half) * width
    return mean


@given(curves(), st.floats(0.0, 72.0))
def test_the_mean_of_the_noise_is_the_integral(incident, until_h):
    assert noise_average_at(incident, POLICY, hours(until_h)) == pytest.approx(
        integrated(incident, until_h), abs=2e-3
    )


@given(curves(), st.lists(st.floats(0.0, 24.0), max_size=5))
def test_the_mean_does_not_depend_on_how_often_it_is_settled(incident, stops):
    # given
    at_once = noise_average_at(incident, POLICY, hours(24.0))

    # when
    for stop in sorted(stops):
        settle_averages(incident, POLICY, hours(stop))

    # then
    assert noise_average_at(incident, POLICY, hours(24.0)) == pytest.approx(at_once, abs=1e-9)


@given(curves(), st.floats(0.0, 24.0 * 100), st.lists(st.floats(0.0, 1.0), max_size=5))
def test_the_long_average_is_that_of_the_noise_over_months_however_often_it_is_settled(
    incident, until_h, stops
):
    # given: average' = (noise - average) / 45 days, by the midpoint rule
    expected, steps = incident.long_average, 1000
    width_s, tau_s = until_h * 3600.0 / steps, 45.0 * 24.0 * 3600.0
    for number in range(steps):
        begin, middle = (incident.averages_at + (number + part) * width_s for part in (0.0, 0.5))
        half = expected + (incident.noise_at(begin, HALF_LIFE_S) - expected) / tau_s * width_s / 2.0
        expected += (incident.noise_at(middle, HALF_LIFE_S) - half) / tau_s * width_s

    # when
    for stop in sorted(stops):
        settle_averages(incident, POLICY, hours(stop * until_h))

    # then
    assert long_average_at(incident, POLICY, hours(until_h)) == pytest.approx(expected, abs=1e-3)


@given(curves(), st.floats(0.0, 24.0 * 100))
def test_from_its_time_on_the_residue_and_the_noise_make_up_the_long_average(incident, later_h):
    # given
    residue, since = long_residue(
        incident.composite, incident.last_seen, incident.averages_at, incident.long_average, POLICY
    )
    at = since + later_h * 3600.0

    # when
    left = residue * math.exp(-later_h / (45.0 * 24.0))
    gain = POLICY.derived.long_gain

    # then
    assert since == max(incident.averages_at, incident.last_seen)
    assert gain * incident.noise_at(at, HALF_LIFE_S) + left == pytest.approx(
        long_average_at(incident, POLICY, at), abs=1e-9
    )


def test_steps_of_less_than_a_second_are_no_less_exact():
    # given
    incident = Incident(composite=80.0, last_seen=hours(0.0) + 1.9, averages_at=hours(0.0), polarity=90.0)
    at_once = dataclasses.replace(incident)

    # when
    settle_averages(at_once, POLICY, hours(0.0) + 1801.0)
    for half_second in range(1, 3603):
        settle_averages(incident, POLICY, hours(0.0) + half_second / 2.0)

    # then
    for name in ("noise_average", "long_average", "averages_at"):
        assert getattr(incident, name) == pytest.approx(getattr(at_once, name), rel=1e-9), name


def test_noise_that_is_its_own_average_has_turned_already():
    incident = Incident(composite=50.0, last_seen=hours(0.0), averages_at=hours(0.0), noise_average=50.0)
    assert slope_turns(incident, POLICY, 1.0, 1.0) == (-math.inf, -math.inf)


def test_the_slope_of_a_ramp_is_its_slope():
    # given: noise that rises by two points an hour, in steps of a minute, for ten half-lives of the mean
    incident = Incident(averages_at=hours(0.0), polarity=50.0)

    # when
    for minute in range(60 * 60):
        settle_averages(incident, POLICY, hours(minute / 60.0))
        incident.composite, incident.last_seen = 2.0 * minute / 60.0, hours(minute / 60.0)

    # then
    at = hours((60 * 60 - 1) / 60.0)
    assert slope_per_hour(incident, POLICY, at) == pytest.approx(2.0, abs=0.02)


@given(curves())
def test_the_slope_turns_where_its_sign_changes(incident):
    # when
    turns, _ = slope_turns(incident, POLICY, 1.0, 1.0)

    # then
    if turns == -math.inf:
        assert slope_per_hour(incident, POLICY, incident.averages_at) <= 1e-9
        assert slope_per_hour(incident, POLICY, hours(30.0)) < 1e-9
    else:
        assert slope_per_hour(incident, POLICY, turns - 1.0) > -1e-9
        assert slope_per_hour(incident, POLICY, turns + 1.0) < 1e-9


@given(curves(), st.floats(0.5, 100.0))
def test_the_noise_falls_below_a_value_at_the_millisecond_that_is_told(incident, value):
    # when
    falls = noise_falls_below(incident, POLICY, value)

    # then
    if falls == -math.inf:
        assert incident.composite < value
    else:
        assert incident.noise_at(falls - 0.001, HALF_LIFE_S) >= value * (1.0 - 1e-9)
        assert incident.noise_at(falls, HALF_LIFE_S) < value * (1.0 + 1e-9)
        assert falls == round(falls, 3)


@given(st.integers(1, 2**40), st.integers(0, 20))
def test_a_fall_in_the_middle_of_a_millisecond_is_told_at_its_end(at_ms, halvings):
    at = at_ms / 1000.0
    just_more = 2.0**halvings * 2.0 ** (0.0005 / 10.0)
    assert falls_below(just_more, at, 10.0, 1.0) == round(at + 10.0 * halvings + 0.001, 3)


def test_what_is_at_the_threshold_falls_below_it_a_millisecond_later():
    assert falls_below(2.0, 100.0, 10.0, 2.0) == 100.001
    assert falls_below(1.999, 100.0, 10.0, 2.0) == -math.inf
    assert falls_below(2.0, 100.0, 10.0, 0.0) == math.inf


def test_nothing_decays_before_its_time():
    assert decay(0.0, 10.0) == 1.0
    assert decay(-1.0, 10.0) == 1.0
    assert decay(1e9, 1.0) == 0.0


def test_decay_alone_brings_the_noise_no_further_below_its_mean_than_the_lag_of_the_mean():
    """A mean with a memory of 6 h lags 168 / 162 behind what halves in 168 h: to 3 % below it falls, to 4 % never."""
    row = Incident(items=1, composite=50.0, last_seen=hours(0.0), averages_at=hours(0.0), noise_average=40.0)

    three, four = slope_turns(row, POLICY, 1.03, 1.04)

    assert hours(0.0) < three < NEVER
    assert four == NEVER
