"""The published page: one item on one platform, composite 40.15, 99 % of it left, shown as 39, "Murmur"."""

import pytest

from schemas.noise_score import Factors
from schemas.times import from_epoch, parse_time
from schemas.words import State, Trend
from scoring import factors
from scoring.decay import decay
from scoring.incident import Incident
from scoring.levels import level_of, shown
from scoring.platform_sum import PlatformSum
from scoring.verdict import verdict
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver

PUBLISHED = Factors(
    reach=40.0,
    engagement=82.0,
    star_power=15.0,
    duration=5.0,
    cross_platform=20.0,
    polarity=50.0,
    industry_impact=50.0,
)


def test_the_published_factors_add_up_to_the_published_composite():
    assert factors.total(factors.weighted(PUBLISHED, SHIPPED_POLICY.weights)) == pytest.approx(
        40.15, abs=1e-12
    )


def test_after_two_hours_and_24_minutes_99_percent_is_left():
    # given
    left = decay(2.4 * 3600.0, SHIPPED_POLICY.curve.half_life_s)

    # then
    assert round(left, 4) == 0.9901
    assert shown(40.15 * left) == 39
    assert level_of(40.15 * left, SHIPPED_POLICY) == "Murmur"


def test_a_stream_that_meets_the_published_factors_gives_the_published_page():
    # given: 10^4 - 1 people; 82 % of the decades to a thousand typical items; first to last coverage 3.6 h
    driver = Driver()
    likes = round((10 ** (0.82 * 3.000434077) - 1.0) * 100.0)
    driver.profile(profile(anthropic="B", alibaba="C"))

    # when
    driver.pipe(item("first", h=0.0, audience=0))
    driver.pipe(item("second", h=3.6, likes=likes, audience=9999))
    score = driver.events("noise-scores")[-1]

    # then
    for name in Factors.__struct_fields__:
        assert getattr(score.factors, name) == pytest.approx(getattr(PUBLISHED, name), abs=0.002), name
    assert score.composite == pytest.approx(40.15, abs=0.001)
    assert driver.state().noise_at(hours(6.0), score.half_life) == pytest.approx(39.75, abs=0.01)
    assert score.level == "Murmur"
    assert score.state is State.EMERGING
    assert score.trend is Trend.STEADY


def test_the_verdict_reads_as_the_published_line():
    # given: the page's figures, one item, on one platform, louder once
    incident = Incident(
        items=1,
        platforms={"news": PlatformSum(items=1)},
        peak_noise=47.2,
        peak_at=parse_time("2026-06-24T10:00:00Z"),
    )

    # then
    assert verdict(incident, SHIPPED_POLICY, 39.75, from_epoch(incident.peak_at)) == (
        "Not yet — early signal: noise 39/100 · state: Emerging · 1 source item across 1 platform · "
        "peaked at 47/100 on Jun 24, 2026"
    )
