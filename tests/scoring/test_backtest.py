"""Forecasts are held against what the noise then was, without a look ahead; on real recordings they are good."""

import zlib

import msgspec
import pytest

from schemas.codec import decode_item, decode_profile
from schemas.noise_score import Forecast
from schemas.times import from_epoch, parse_time
from schemas.topics import NOISE_SCORES
from scoring.backtest import Backtest
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY, Driver
from tests.recordings import recording

HALF_LIFE_H = SHIPPED_POLICY.curve.half_life_h


@pytest.fixture(scope="module")
def pattern():
    """A score to be changed."""
    driver = Driver()
    driver.pipe(item())
    return driver.events(NOISE_SCORES)[-1]


@pytest.fixture
def score(pattern):
    def made(h, composite, *forecast, incident="leak", anchor=None):
        """A score at hour `h`; forecasts are (hours, noise, low_50, high_50, low_90, high_90)."""
        return msgspec.structs.replace(
            pattern,
            incident_id=incident,
            as_of=from_epoch(hours(h)),
            anchor=from_epoch(hours(h if anchor is None else anchor)),
            composite=composite,
            noise=composite,
            forecast=tuple(Forecast(*each) for each in forecast),
        )

    return made


def left(composite, h):
    return composite * 2 ** -(h / HALF_LIFE_H)


def test_a_forecast_is_held_against_the_curve_that_stood_at_its_time(score):
    # given: a forecast for hour 6; at hour 5 the noise rises to 50, at hour 7 to 90
    test = Backtest()
    for each in (score(0, 40.0, (6.0, 48.0, 45.0, 49.0, 39.0, 55.0)), score(5, 50.0), score(7, 90.0)):
        test.take(each)

    # when
    (result,) = test.results(hours(8))

    # then
    was = left(50.0, 1)
    assert (result.hours, result.forecasts) == (6.0, 1)
    assert result.forecast.mae == pytest.approx(abs(48.0 - was))
    assert result.decay_only.mae == pytest.approx(was - left(40.0, 6))
    assert result.persistence.mae == pytest.approx(was - 40.0)
    assert (result.band_50.held, result.band_50.width) == (0.0, 4.0)
    assert (result.band_90.held, result.band_90.width) == (1.0, 16.0)


def test_a_score_at_the_very_time_counts(score):
    test = Backtest()
    for each in (score(0, 40.0, (6.0, 60.0, 60.0, 60.0, 60.0, 60.0)), score(6, 60.0)):
        test.take(each)

    assert test.results(hours(6))[0].forecast.mae == 0.0


def test_a_score_that_comes_late_is_judged_at_its_own_time(score):
    # given: a score of hour 3, then one of hour 0 of an incident that rises at hour 2
    flat, rising = (1.0, left(40.0, 1), 0.0, 99.0, 0.0, 99.0), (1.0, left(20.0, 1), 0.0, 99.0, 0.0, 99.0)
    test = Backtest()
    for each in (
        score(3, 40.0, flat, incident="other"),
        score(0, 20.0, rising),
        score(2, 80.0),
        score(9, 90.0, incident="other"),
    ):
        test.take(each)

    # then: in hour 1 it had not risen
    (result,) = test.results(hours(9))
    assert result.forecasts == 2
    assert result.forecast.mae == pytest.approx(0.0, abs=1e-9)


def test_what_lies_beyond_the_end_is_not_judged(score):
    test = Backtest()
    test.take(score(0, 40.0, (1.0, 40.0, 0.0, 99.0, 0.0, 99.0), (6.0, 40.0, 0.0, 99.0, 0.0, 99.0)))

    near, far = test.results(hours(5.999))

    assert (near.forecasts, far.forecasts, test.open) == (1, 0, 1)


def test_of_each_hour_the_first_score_is_taken_that_moves_the_curve(score):
    # given: three scores within an hour; then a deadline, which leaves the curve as it is; then one of another incident
    sure = (1.0, 40.0, 0.0, 99.0, 0.0, 99.0)
    test = Backtest()
    for each in (
        score(0.0, 40.0, sure),
        score(0.2, 41.0, sure),
        score(0.9, 42.0, sure, anchor=0),
        score(1.5, 42.0, sure, anchor=0),
        score(1.6, 42.0, sure, incident="strike"),
        score(1.7, 43.0, sure),
    ):
        test.take(each)

    # then
    assert test.results(hours(99))[0].forecasts == 3
    assert (test.scores, test.incidents) == (6, 2)


def test_forecasts_made_too_early_are_left_out(score):
    sure = (1.0, 40.0, 0.0, 99.0, 0.0, 99.0)
    test = Backtest(begin=hours(5))
    for each in (score(0, 40.0, sure), score(5, 41.0, sure)):
        test.take(each)

    assert test.results(hours(99))[0].forecasts == 1


def test_squares_weigh_large_errors(score):
    test = Backtest()
    test.take(score(0, 40.0, (1.0, left(40.0, 1) + 1, 0.0, 99.0, 0.0, 99.0), anchor=0))
    test.take(score(10, 60.0, (1.0, left(60.0, 1) + 7, 0.0, 99.0, 0.0, 99.0)))

    result = test.results(hours(99))[0]

    assert result.forecast.mae == pytest.approx(4.0)
    assert result.forecast.rmse == pytest.approx(5.0)
    assert result.decay_only.mae == pytest.approx(0.0, abs=1e-12)


def test_an_unchanged_curve_is_not_taken_in_a_new_hour_either(score):
    # given: a score each hour, of which the second tells the curve of the first again
    sure = (1.0, 40.0, 0.0, 99.0, 0.0, 99.0)
    test = Backtest()
    for each in (score(0, 40.0, sure), score(1.5, 40.0, sure, anchor=0), score(2.5, 42.0, sure)):
        test.take(each)

    # then
    assert test.results(hours(99))[0].forecasts == 2


def test_every_figure_is_the_mean_over_all_forecasts(score):
    """Given noise that ends 10 and 2 points above where it would be by decay; then each is redone by hand."""
    # given
    first, second = left(40.0, 1), left(60.0, 1)
    test = Backtest()
    for each in (
        score(0, 40.0, (1.0, 48.0, 45.0, 55.0, 40.0, 60.0)),
        score(1, first + 10.0),
        score(10, 60.0, (1.0, 70.0, 63.0, 75.0, 61.0, 79.0)),
        score(11, second + 2.0),
    ):
        test.take(each)

    # when
    (result,) = test.results(hours(12))

    # then
    was = (first + 10.0, second + 2.0)
    ours = [abs(48.0 - was[0]), abs(70.0 - was[1])]
    naive = [abs(40.0 - was[0]), abs(60.0 - was[1])]
    assert result.forecasts == 2
    assert result.forecast.mae == pytest.approx(sum(ours) / 2)
    assert result.forecast.rmse == pytest.approx((sum(each**2 for each in ours) / 2) ** 0.5)
    assert result.decay_only.mae == pytest.approx(6.0)
    assert result.decay_only.rmse == pytest.approx(52.0**0.5)
    assert result.persistence.mae == pytest.approx(sum(naive) / 2)
    assert result.persistence.rmse == pytest.approx((sum(each**2 for each in naive) / 2) ** 0.5)
    assert (result.band_50.held, result.band_50.width) == (0.5, 11.0)
    assert (result.band_90.held, result.band_90.width) == (1.0, 19.0)


def test_a_band_holds_its_own_edges(score):
    for edge in ((60.0, 70.0), (50.0, 60.0)):
        test = Backtest()
        test.take(score(0, 40.0, (6.0, 60.0, *edge, *edge)))
        test.take(score(6, 60.0))

        (result,) = test.results(hours(6))

        assert (result.band_50.held, result.band_90.held) == (1.0, 1.0)


def test_the_future_of_a_recording_does_not_change_the_forecasts_of_its_past():
    """Given a stream and its first half; then the forecasts in the scores of that half are the same."""
    stream = [
        item(f"i{n}", h=n * 0.7, likes=40 * n, platform="reddit" if n % 3 else "news") for n in range(40)
    ]
    whole, half = Driver(), Driver()
    for each in stream:
        whole.pipe(each)
    for each in stream[:20]:
        half.pipe(each)

    early = half.events(NOISE_SCORES)

    assert [each.forecast for each in whole.events(NOISE_SCORES)[: len(early)]] == [
        each.forecast for each in early
    ]


def judged(items, profiles=(), begin="2000-01-01"):
    """Replay a recording and judge its forecasts."""
    driver, test = Driver(), Backtest(begin=parse_time(begin))
    for line in profiles:
        driver.profile(decode_profile(line))
    for line in items:
        driver.pipe(decode_item(line))
    for score in driver.events(NOISE_SCORES):
        test.take(score)
    return test.results(driver.ledger.time)


def test_on_a_year_of_front_pages_the_bands_hold_and_both_naive_models_are_beaten():
    """Given one in 24 stories of the second half of the year (the first was fitted on); by its incident's CRC."""
    lines = [
        line
        for line in recording("frontpage-2021")[0]
        if zlib.crc32(decode_item(line).incident_id.encode()) % 24 == 0
        and decode_item(line).observed_at.month >= 7
    ]

    results = judged(lines)

    assert [each.hours for each in results] == [1.0, 6.0, 24.0]
    for each in results:
        assert each.forecasts > 4000
        assert 0.85 <= each.band_90.held <= 0.95, each
        assert 0.40 <= each.band_50.held <= 0.65, each
        assert each.better_by > 0.25, each
        assert each.forecast.rmse < min(each.decay_only.rmse, each.persistence.rmse)


def test_on_ten_real_incidents_the_bands_hold_and_both_naive_models_are_beaten():
    results = judged(*recording("tech-2021"))

    for each in results:
        assert each.forecasts > 1000
        assert 0.85 <= each.band_90.held <= 0.95, each
        assert each.forecast.mae < min(each.decay_only.mae, each.persistence.mae), each
    assert results[2].better_by > 0.25
