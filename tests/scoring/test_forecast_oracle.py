"""The forecast held against one that is worked out quantile by quantile, as the methodology page says it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.noise_score import Forecast
from scoring.curve import noise_average_at
from scoring.forecast import forecast, growth_scale
from scoring.incident import LN2, Incident
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import CROWD, bursts, streams

CENT = 0.01
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def row_of(stream) -> Incident:
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    return driver.state()


class Oracle:
    """What a row says of its future, one plain formula after the other. Times in hours."""

    def __init__(self, row: Incident, at: float) -> None:
        self.row, self.rule = row, POLICY.forecast
        self.since_h = (at - row.last_seen) / 3600.0
        self.silent_h = max(0.0, (at - row.averages_at) / 3600.0)
        self.noise = row.composite * self.left(self.since_h)
        self.average = noise_average_at(row, POLICY, at)
        self.age_h = max(0.0, self.since_h)
        elapsed_h = max(0.0, (at - row.rates_at) / 3600.0)
        counts = dict(zip(POLICY.rates.horizons_h, row.counts, strict=True))
        rates = [max(0.0, counts[h] - 1.0) * LN2 / h * 0.5 ** (elapsed_h / h) for h in self.rule.rates_h]
        self.rate = math.fsum(rates) / len(rates) if row.items > 1 else 0.0

    @staticmethod
    def left(age_h: float) -> float:
        return 0.5 ** (max(0.0, age_h) / POLICY.curve.half_life_h)

    def scale(self) -> float:
        momentum = 1.0 + self.rule.momentum_weight * max(0.0, self.noise - self.average)
        crowd = float(self.row.items) ** -self.rule.crowd_exponent
        return momentum * crowd * 0.5 ** (self.silent_h / self.rule.silence_half_life_h)

    def growth(self, ahead_h: float) -> float:
        grows_h = min(ahead_h, max(self.rule.grows_h - self.age_h, self.rule.lingers_h))
        own = self.scale() * math.log(1.0 + grows_h / (self.age_h + self.rule.young_h))
        return own + self.rule.newcomer_points * math.log(1.0 + self.rate * ahead_h / self.row.items)

    def curve(self, ahead_h: float, quantile: float) -> float:
        """The noise at a quantile of the time that will have passed since the last coverage."""
        row = self.row
        wait_h = (1.0 / quantile - 1.0) / self.rate if self.rate else math.inf
        if wait_h >= ahead_h:
            return row.composite * self.left(self.since_h + ahead_h)
        lasted_h = (row.last_seen - row.first_seen) / 3600.0
        longer_h = min(POLICY.duration.full_h, lasted_h + self.age_h + ahead_h - wait_h) - lasted_h
        longer = POLICY.weights.duration * 100.0 * max(0.0, longer_h) / POLICY.duration.full_h
        return (row.composite + longer) * self.left(wait_h)

    def forecasts(self):
        for each in self.rule.horizons:
            bottom, low, median, high, top = (self.curve(each.hours, quantile) for quantile in QUANTILES)
            q25, q50, q75, q95 = (self.growth(each.hours) * share for share in each.growth)
            said = median + q50, low + q25, high + q75, bottom, top + q95
            yield Forecast(each.hours, *(min(100.0, value) for value in said))


def check(row: Incident, at: float) -> None:
    for told, slow in zip(forecast(row, POLICY, at), Oracle(row, at).forecasts(), strict=True):
        assert told.noise == pytest.approx(slow.noise, abs=0.5 * CENT + 1e-9), told.hours
        for name in ("low_50", "low_90"):
            assert -1e-9 <= getattr(slow, name) - getattr(told, name) <= CENT + 1e-9, (name, told.hours)
        for name in ("high_50", "high_90"):
            assert -1e-9 <= getattr(told, name) - getattr(slow, name) <= CENT + 1e-9, (name, told.hours)


def every(count: int, gap_h: float, **fields):
    return [item(f"i{number}", h=round(number * gap_h, 2), **fields) for number in range(count)]


ROWS = {
    "one item that has just come": [item("a", likes=100)],
    "two items at once": every(2, 0.0, likes=300),
    "two items that have grown": [
        *every(2, 0.5, likes=3, platform="reddit"),
        item("i1", h=0.5, seen=2.0, likes=900, platform="reddit"),
    ],
    "one that is ten hours old and still grows": [item("a", likes=10), item("a", seen=10, likes=500)],
    "one that has shrunk": [item("a", likes=900), item("a", seen=1, likes=10)],
    "a day of coverage": every(24, 1.0, likes=50),
    "coverage that lacks two hours of the longest": [item("old"), *every(12, 6.36, likes=50)],
    "coverage that lacks half an hour of the longest": [item("old"), *every(12, 6.5, likes=50)],
    "coverage that has lasted for longer than the longest": every(20, 5.0, likes=50),
}


@pytest.mark.parametrize("later_h", [0.0, 0.3, 1.0, 9.0, 30.0])
@pytest.mark.parametrize("stream", ROWS.values(), ids=ROWS)
def test_each_figure_is_that_of_the_formulas(stream, later_h):
    row = row_of(stream)

    check(row, row.as_of + later_h * 3600.0)


@given(st.one_of(streams(), bursts()), st.sampled_from([0.0, 0.001, 0.4, 5.0, 30.0, 5000.0]))
def test_each_figure_of_any_incident_is_that_of_the_formulas(stream, later_h):
    row = row_of(stream)
    if row.items:
        check(row, row.as_of + later_h * 3600.0)


def test_before_the_time_that_coverage_is_dated_at_nothing_has_decayed_yet():
    driver = Driver(clock="wall")
    for number in range(2):
        driver.pipe(item(str(number), h=1, likes=300), at=hours(0.2))

    check(driver.state(), hours(0.2))


def test_no_figure_is_above_100_where_the_formulas_lead_there():
    # given: all there is on five platforms, lasting as long as counts, and a flood of late
    loud = {"likes": 10**9, "audience": 10**10, "figures": CROWD}
    platforms = ("x", "news", "reddit", "bluesky", "youtube")
    driver = Driver()
    driver.pipe(item("old", h=-80, platform="x", **loud))
    for number in range(25):
        stance = (-1.0) ** number
        driver.pipe(item(str(number), h=0.01 * number, platform=platforms[number % 5], stance=stance, **loud))
    row = driver.state()

    # when
    day = forecast(row, POLICY, row.as_of)[2]

    # then
    assert (day.high_50, day.high_90) == (100.0, 100.0)
    check(row, row.as_of)


def test_what_is_expected_to_grow_is_less_from_the_first_second_of_silence_on():
    row = row_of([item("a", likes=100)])
    at_once, later = (growth_scale(row, POLICY, hours(0) + s, 0.0) for s in (0.0, 1.0))

    assert at_once == 1.0
    assert later == pytest.approx(0.5 ** (1.0 / 1800.0), rel=1e-12)
