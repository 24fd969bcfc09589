"""Rates: the order of arrival is of no matter, and what was added can be taken out again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.decay import LN2, count_of, falls_below
from scoring.incident import Incident
from scoring.rates import add_item, remove_item
from tests.builders import hours

HORIZONS_H = (1.0, 6.0, 24.0, 168.0)
dates = st.lists(st.integers(0, 60 * 48).map(lambda minute: hours(minute / 60.0)), min_size=1, max_size=30)


def counted(at: list[float]) -> Incident:
    incident = Incident()
    for each in at:
        add_item(incident, each, HORIZONS_H)
    return incident


def count_falls_below(incident: Incident, horizon: int, items: float) -> float:
    return falls_below(incident.counts[horizon], incident.rates_at, HORIZONS_H[horizon] * 3600.0, items)


def rates(incident: Incident, at: float) -> list[float]:
    return [incident.rate_at(index, horizon, at) for index, horizon in enumerate(HORIZONS_H)]


@given(dates, st.randoms(use_true_random=False))
def test_late_items_count_as_if_they_had_come_in_time(at, random):
    # given
    late = list(at)
    random.shuffle(late)

    # then
    assert rates(counted(late), hours(48)) == pytest.approx(rates(counted(sorted(at)), hours(48)), rel=1e-9)


@given(dates, dates)
def test_adding_and_removing_are_inverse(kept, removed):
    # given
    incident = counted(kept)
    for each in removed:
        add_item(incident, each, HORIZONS_H)

    # when
    for each in reversed(removed):
        remove_item(incident, each, HORIZONS_H)

    # then
    assert rates(incident, hours(60)) == pytest.approx(rates(counted(kept), hours(60)), rel=1e-9, abs=1e-10)


def test_an_item_has_half_its_weight_after_each_half_life():
    incident = counted([hours(0)])
    left = [incident.rate_at(index, h, hours(2 * h)) * h / LN2 for index, h in enumerate(HORIZONS_H)]
    assert left == pytest.approx([0.25] * 4)


def test_a_steady_stream_reads_as_its_own_rate():
    # given: 20 items an hour for ten of the shortest half-lives
    incident = counted([hours(number / 20.0) for number in range(200)])

    # then
    assert incident.rate_at(0, 1.0, hours(10.0 - 1.0 / 40.0)) == pytest.approx(20.0, rel=2e-3)


@given(dates, st.floats(0.01, 20.0), st.integers(0, 3))
def test_a_rate_falls_below_a_value_at_the_millisecond_that_is_told(at, value, horizon):
    # given
    incident, horizon_h = counted(at), HORIZONS_H[horizon]

    # when
    falls = count_falls_below(incident, horizon, count_of(value, horizon_h))

    # then
    if falls == -math.inf:
        assert incident.rate_at(horizon, horizon_h, incident.rates_at) < value
    else:
        assert incident.rate_at(horizon, horizon_h, falls - 0.001) >= value * (1.0 - 1e-9)
        assert incident.rate_at(horizon, horizon_h, falls) < value * (1.0 + 1e-9)


def test_a_count_of_nothing_is_below_everything_and_always_was():
    assert count_falls_below(Incident(), 0, 0.5) == -math.inf
    assert count_falls_below(counted([hours(0)]), 0, 0.0) == math.inf
