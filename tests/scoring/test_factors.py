"""Each factor by its published rule."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.words import Tier
from scoring import factors
from scoring.incident import Incident
from scoring.platform_sum import PlatformSum
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver


@pytest.mark.parametrize(
    ("people", "points"), [(0, 0), (9, 10), (99, 20), (9_999, 40), (10**10, 100), (10**14, 100)]
)
def test_reach_gives_ten_points_for_each_decade_of_audience(people, points):
    assert factors.reach(factors.Audience(people, 0.0), POLICY) == pytest.approx(points)


def test_an_unknown_audience_is_estimated_from_interactions_and_flagged():
    # given: 3 interactions without an audience; elsewhere an audience a ninth of what these stand for
    estimated = 3.0 * POLICY.platform("reddit").audience_per_interaction
    known = round(estimated / 9.0)
    incident = Incident(
        platforms={"reddit": PlatformSum(1, 3000, 0, 3000), "x": PlatformSum(1, 9000, known, 0)}
    )

    # when
    people = factors.audience(incident, POLICY)

    # then
    assert (people.known, people.estimated) == (known, estimated)
    assert people.estimated_share == estimated / (known + estimated)


@pytest.mark.parametrize(("units", "points"), [(0.0, 0.0), (1000.0, 100.0), (10**7, 100.0)])
def test_engagement_is_a_logarithm_of_typical_items_full_at_a_thousand(units, points):
    assert factors.engagement(units, POLICY) == pytest.approx(points)


def test_each_platform_is_measured_in_its_own_typical_items():
    # given: a typical item of each of three platforms, one of them unnamed
    names = ("hackernews", "facebook", "unheard-of")
    incident = Incident(
        platforms={name: PlatformSum(1, round(1000 * POLICY.platform(name).typical)) for name in names}
    )

    # then
    assert factors.engagement_units(incident, POLICY) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("tiers", "points"), [("", 0), ("C", 5), ("BC", 15), ("SABC", 65), ("SSSS", 100), ("S" * 9, 100)]
)
def test_star_power_adds_the_points_of_the_tiers_up_to_100(tiers, points):
    incident = Incident(parties={str(number): Tier(tier) for number, tier in enumerate(tiers)})
    assert factors.star_power(incident, POLICY) == points


def test_a_figure_that_is_also_a_party_counts_once_by_its_tier():
    incident = Incident(parties={"ann": Tier.S}, figures={"ann": 7, "bob": 1})
    assert factors.star_power(incident, POLICY) == 30 + 5


def test_a_figure_that_the_policy_names_has_its_tier_there_and_only_where_it_is_named():
    # given
    star_power = replace(POLICY.star_power, figures={"Ann": Tier.S, "Zoe": Tier.A})
    policy = replace(POLICY, star_power=star_power)

    # then: Zoe is named by nobody; the profile's tier goes before the policy's
    assert factors.star_power(Incident(figures={"ann": 1, "bob": 1}), policy) == 30 + 5
    assert factors.star_power(Incident(figures={"ann": 1}, parties={"ann": Tier.B}), policy) == 10


@pytest.mark.parametrize(
    ("covered_h", "points"), [(0.0, 0.0), (3.6, 5.0), (36.0, 50.0), (72.0, 100.0), (999.0, 100.0)]
)
def test_duration_is_first_to_last_coverage_over_72_hours(covered_h, points):
    incident = Incident(first_seen=hours(1.0), last_seen=hours(1.0 + covered_h))
    assert factors.duration(incident, POLICY) == pytest.approx(points)


@pytest.mark.parametrize(("platforms", "points"), [(0, 0), (1, 20), (2, 40), (5, 100), (8, 100)])
def test_each_platform_gives_twenty_points_up_to_100(platforms, points):
    incident = Incident(platforms={str(number): PlatformSum(1) for number in range(platforms)})
    assert factors.cross_platform(incident, POLICY) == points


def test_polarity_is_50_without_reaction():
    assert factors.polarity(Incident(), POLICY) == 50.0


def test_polarity_falls_when_all_take_one_side_and_rises_when_they_split():
    one_sided = Incident(critic=98_000_000)
    split = Incident(critic=49_000_000, defender=49_000_000)
    assert factors.polarity(one_sided, POLICY) == pytest.approx(2.0 * 50.0 / 100.0)
    assert factors.polarity(split, POLICY) == pytest.approx((2.0 * 50.0 + 98.0 * 100.0) / 100.0)


def test_polarity_knows_no_side():
    assert factors.polarity(Incident(critic=3, defender=9), POLICY) == factors.polarity(
        Incident(critic=9, defender=3), POLICY
    )


def test_industry_impact_is_the_editors_or_50():
    assert factors.industry_impact(Incident(), POLICY) == 50.0
    assert factors.industry_impact(Incident(impact=0.0), POLICY) == 0.0


def test_an_incident_without_items_makes_no_noise():
    incident = Incident(impact=100.0)
    assert factors.composite(incident, POLICY, factors.factors(incident, POLICY)) == 0.0


def test_every_factor_at_its_top_gives_100():
    full = factors.Factors(*[100.0] * 7)
    assert math.isclose(factors.total(factors.weighted(full, POLICY.weights)), 100.0)


millionths = st.integers(0, 10**8).map(lambda number: number / 1e6)


@given(st.lists(millionths, min_size=7, max_size=7))
def test_points_add_up_rounded_once(points):
    assert factors.total(factors.Factors(*points)) == math.fsum(points)


@given(st.lists(millionths, min_size=7, max_size=7))
def test_points_add_up_the_same_in_any_order(points):
    assert factors.total(factors.Factors(*points)) == factors.total(factors.Factors(*sorted(points)))


@pytest.mark.parametrize(
    ("half_lives", "left"), [(0, 1.0), (0.5, 1.0), (1, 0.7214), (3, 0.1909), (8, 0.01967)]
)
def test_the_whole_counts_while_seven_tenths_are_left_and_below_what_is_left_of_it(half_lives, left):
    # given: a hundred posts, and so much later one more
    driver = Driver()
    for number in range(100):
        driver.pipe(item(f"i{number}", h=0.0, platform="reddit", likes=1000))
    whole = factors.engagement_units(driver.state(), POLICY)
    driver.pipe(item("late", h=POLICY.aging.item_half_life_h * half_lives, platform="reddit", likes=1000))

    # then
    assert factors.engagement_units(driver.state(), POLICY) == pytest.approx(whole * 1.01 * left, rel=1e-3)


def test_a_trickle_sustains_coverage_and_keeps_its_platforms_and_a_lone_post_does_not():
    # given: two months of silence after forty posts on two platforms
    driver, later_h = Driver(), 24.0 * 60
    for number in range(40):
        driver.pipe(item(f"i{number}", h=3.0 * number, platform=("reddit", "lobsters")[number % 2]))

    # when
    driver.pipe(item("lone", h=later_h, platform="reddit"))
    lone = factors.factors(driver.state(), POLICY)
    for number in range(8):
        driver.pipe(item(f"t{number}", h=later_h + 24.0 * number, platform="reddit"))
    trickle = factors.factors(driver.state(), POLICY)

    # then
    assert (lone.duration, lone.cross_platform) == pytest.approx((27.03, 10.81), rel=1e-3)
    assert (trickle.duration, trickle.cross_platform) == (100.0, 40.0)


def test_one_item_after_weeks_of_silence_does_not_bring_back_the_old_noise():
    # given
    driver = Driver()
    for number in range(200):
        driver.pipe(item(f"i{number}", h=number * 0.1, platform="reddit", likes=1000))
    loudest = driver.state().composite

    # when
    driver.pipe(item("late", h=24.0 * 56, platform="reddit", likes=1000))

    # then: eight half-lives later a 256th of reach and engagement, though the duration is full by now
    assert driver.state().noise_at(hours(24.0 * 56), 1.0) < loudest - 5.0


def test_known_and_estimated_people_age_alike():
    # given: eight half-lives after ten posts, half of them with an audience, one more
    driver = Driver()
    for number in range(10):
        people = 1000 if number % 2 else None
        driver.pipe(item(f"i{number}", h=0.0, platform="reddit", likes=100, audience=people))
    young = factors.audience(driver.state(), POLICY)
    driver.pipe(item("late", h=8.0 * POLICY.aging.item_half_life_h, platform="reddit", audience=0))
    old = factors.audience(driver.state(), POLICY)

    # then
    left = (10.0 / 256.0 + 1.0) / (POLICY.aging.full_share * 11.0)
    assert (old.known, old.estimated) == pytest.approx((young.known * left, young.estimated * left))
    assert old.estimated_share == pytest.approx(young.estimated_share)
