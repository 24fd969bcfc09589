"""The forecast of a row: bands in order and in range, decay where nothing will come, more where more is coming."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from schemas.topics import NOISE_SCORES
from scoring.decay import LN2
from scoring.forecast import coverage_rate, forecast, growth_scale
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import bursts, streams

CENT = 0.01


def row_of(stream):
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    return driver.state()


def told(row, h):
    return forecast(row, POLICY, hours(h))


def check_bands(row, at):
    for each in forecast(row, POLICY, at):
        low, point, high = each.low_50, each.noise, each.high_50
        assert 0.0 <= each.low_90 <= low <= point <= high <= each.high_90 <= 100.0, each


@given(st.one_of(streams(), bursts()), st.sampled_from([0.0, 0.001, 0.4, 5.0, 30.0, 5000.0]))
def test_bands_lie_in_order_around_the_point_and_between_0_and_100(stream, later_h):
    row = row_of(stream)

    check_bands(row, row.as_of + later_h * 3600.0)


@given(bursts())
def test_every_score_carries_the_forecast_of_its_row_again_to_the_bit(stream):
    first, second = Driver(), Driver()
    for driver in (first, second):
        for each in stream:
            driver.pipe(each)

    for one, other in zip(first.events(NOISE_SCORES), second.events(NOISE_SCORES), strict=True):
        assert one.forecast == other.forecast
        assert [each.hours for each in one.forecast] == [each.hours for each in POLICY.forecast.horizons]
    row = first.state()
    if first.events(NOISE_SCORES)[-1].revision == row.revision:
        assert first.events(NOISE_SCORES)[-1].forecast == forecast(row, POLICY, row.as_of)


@given(st.one_of(streams(), bursts()), st.sampled_from([0.0, 0.7, 20.0]))
def test_the_wide_band_holds_what_is_left_if_nothing_new_comes(stream, later_h):
    row = row_of(stream)
    at = row.as_of + later_h * 3600.0

    for each in forecast(row, POLICY, at):
        left = row.noise_at(at + each.hours * 3600.0, POLICY.curve.half_life_s)
        if row.items < 2:
            assert each.low_90 == pytest.approx(left, abs=CENT)
        assert each.low_90 <= left + CENT or coverage_rate(row, POLICY, at) > 0.0
        assert each.high_90 >= left


def test_of_a_lone_item_the_low_edge_is_mere_decay_and_falls_with_the_horizon():
    row = row_of([item("a", h=0, likes=300)])

    lows = [each.low_90 for each in told(row, 0)]

    assert lows == sorted(lows, reverse=True)
    for each in told(row, 0):
        assert each.low_90 == pytest.approx(row.composite * 2 ** -(each.hours / 168.0), abs=CENT)


def test_by_hand():
    """Given one item seen twice in its first hour; then each number is that of the formula on the methodology page."""
    driver = Driver()
    driver.pipe(item("a", h=0, platform="hackernews", likes=10))
    driver.pipe(item("a", h=0, seen=1, platform="hackernews", likes=100))
    row, rule = driver.state(), POLICY.forecast

    six_hours = told(row, 1)[1]

    noise = row.noise_at(hours(1), POLICY.curve.half_life_s)
    momentum = noise - row.noise_average
    growth = (1.0 + rule.momentum_weight * momentum) * math.log(1.0 + 6.0 / (1.0 + rule.young_h))
    left = row.composite * 2 ** -(7.0 / 168.0)
    low, median, high, highest = rule.horizons[1].growth
    assert momentum > 1.0
    assert six_hours.noise == pytest.approx(left + growth * median, abs=CENT)
    assert (six_hours.low_50, six_hours.high_50) == (
        pytest.approx(left + growth * low, abs=CENT),
        pytest.approx(left + growth * high, abs=CENT),
    )
    assert six_hours.high_90 == pytest.approx(left + growth * highest, abs=CENT)


def test_young_coverage_grows_more_than_old():
    young = row_of([item("a", h=0, likes=100)])
    old = row_of([item("a", h=0, likes=100), item("a", h=0, seen=10, likes=101)])

    gains = [
        [each.noise - row.noise_at(hours(h + each.hours), POLICY.curve.half_life_s) for each in told(row, h)]
        for row, h in ((young, 0), (old, 10))
    ]

    assert all(fresh > 3 * stale > 0 for fresh, stale in zip(*gains, strict=True))


def test_one_that_has_gained_of_late_gains_more():
    rising = row_of([item("a", h=0, likes=10), item("a", h=0, seen=2, likes=900)])
    level = row_of([item("a", h=0, likes=890), item("a", h=0, seen=2, likes=900)])

    assert rising.composite == level.composite
    assert all(
        fast.noise > slow.noise and fast.high_90 > slow.high_90
        for fast, slow in zip(told(rising, 2), told(level, 2), strict=True)
    )


def test_what_has_not_been_seen_to_grow_for_long_is_expected_to_decay():
    row = row_of([item("a", h=0, likes=100)])

    silent = told(row, 12)

    for each in silent:
        left = row.noise_at(hours(12 + each.hours), POLICY.curve.half_life_s)
        assert each.noise == pytest.approx(left, abs=CENT)
        assert each.high_90 - each.low_90 <= 3 * CENT


def test_silence_narrows_every_band():
    row = row_of([item("a", h=0, likes=100)])

    widths = [[each.high_90 - each.low_90 for each in told(row, h)] for h in (0, 0.5, 1, 2, 4)]

    for sooner, later in itertools.pairwise(widths):
        assert all(wide > narrow for wide, narrow in zip(sooner, later, strict=True))


def test_the_newest_item_alone_is_no_rate():
    row = row_of([item("a", h=0)])

    assert coverage_rate(row, POLICY, hours(0)) == 0.0


def test_the_rate_is_the_mean_of_two_without_the_newest():
    row = row_of([item(f"i{number}", h=0) for number in range(5)])

    fast, slow = (4 * LN2 / horizon_h for horizon_h in POLICY.forecast.rates_h)

    assert coverage_rate(row, POLICY, hours(0)) == pytest.approx((fast + slow) / 2)
    assert coverage_rate(row, POLICY, hours(24)) == pytest.approx((fast / 16 + slow / 2) / 2)


def test_steady_coverage_keeps_the_noise_up():
    """Given an item every hour for four days; then in 24 h it is expected about as loud, not decayed by a tenth."""
    row = row_of([item(f"i{number}", h=number, likes=50) for number in range(96)])

    day = told(row, 95)[2]
    left = row.noise_at(hours(119), POLICY.curve.half_life_s)

    assert day.noise > row.composite - 1.0 > left + 2.0
    assert day.low_90 > left


def test_of_a_crowd_the_newest_item_moves_little():
    one = row_of([item("a", h=0, likes=50)])
    many = row_of([item(f"i{number}", h=0, likes=50) for number in range(30)])

    assert growth_scale(many, POLICY, hours(0), 0.0) < growth_scale(one, POLICY, hours(0), 0.0) / 50


def test_coverage_that_lasts_longer_is_worth_its_points_up_to_the_cap():
    """Given two rows that differ in the time since first coverage alone; the one with a full duration gains less."""
    young = row_of([item(f"i{number}", h=number, likes=50) for number in range(24)])
    full = row_of([item("old", h=-400, likes=0), *(item(f"i{n}", h=n, likes=50) for n in range(24))])

    gains = [
        told(row, 23)[2].noise - row.noise_at(hours(23), POLICY.curve.half_life_s) for row in (young, full)
    ]

    assert gains[0] > gains[1] + 2.0


def test_a_retracted_incident_stays_silent():
    row = row_of([item("a", h=0), item("a", h=0, seen=1, retracted=True)])

    assert {value for each in told(row, 1) for name, value in asdict(each).items() if name != "hours"} == {
        0.0
    }


def test_the_loudest_there_is_stays_within_100():
    figures = tuple(f"figure {number}" for number in range(20))
    row = row_of(
        [
            item(f"i{number}", h=number, platform=platform, likes=10**9, audience=10**10, figures=figures,
                 stance=(-1.0) ** number)
            for number, platform in enumerate(("x", "news", "reddit", "bluesky", "youtube") * 20)
        ]
    )  # fmt: skip

    assert row.composite > 90.0
    check_bands(row, row.as_of)
    assert told(row, 99)[0].high_90 <= 100.0


def test_a_deadline_carries_a_forecast_of_its_own_time():
    driver = Driver()
    driver.pipe(item("a", h=0, likes=500))
    driver.advance(hours(100))
    scores = driver.events(NOISE_SCORES)

    assert len(scores) > 1
    for score in scores[1:]:
        assert score.forecast[0].noise == pytest.approx(score.noise * 2 ** -(1 / 168), abs=CENT)


def test_coverage_dated_ahead_of_its_arrival_does_not_decay_before_its_time():
    driver = Driver(clock="wall")
    driver.pipe(item("a", h=1, likes=300), at=hours(0.2))
    row = driver.state()

    hour, six, _ = told(row, 0.2)

    assert hour.low_90 == pytest.approx(row.composite * 2 ** -(0.2 / 168.0), abs=CENT)
    assert six.low_90 == pytest.approx(row.composite * 2 ** -(5.2 / 168.0), abs=CENT)
