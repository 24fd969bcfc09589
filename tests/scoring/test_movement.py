"""What moved the noise adds up: over the factors, over freshness and values, and from one score to the next."""

import math
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.noise_score import Change, Factors
from schemas.times import to_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Cause
from scoring.factors import total
from scoring.movement import NAMES, NOTHING, by_value
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver
from tests.scoring.strategies import in_order, streams

ANY = st.one_of(streams(), streams(figures=("Ann", "Bob")).map(in_order))


def scores(driver):
    return driver.events(NOISE_SCORES)


def last(driver):
    return scores(driver)[-1]


def noise_before(before, at):
    """The noise of a score's curve at a later time, redone by hand."""
    return before.composite * 0.5 ** (max(0.0, at - to_epoch(before.anchor)) / before.half_life)


@st.composite
def stories(draw):
    """Observations, with profiles in between and a look at the clock after some."""
    story = list(draw(ANY))
    for _ in range(draw(st.integers(0, 4))):
        tiers = draw(st.dictionaries(st.sampled_from(["ann", "eve"]), st.sampled_from("SABC"), max_size=2))
        impact = draw(st.one_of(st.none(), st.floats(0.0, 100.0)))
        story.insert(draw(st.integers(0, len(story))), profile(impact=impact, **tiers))
    return story


@given(stories(), st.sampled_from(["stream", "wall"]), st.booleans())
def test_every_change_adds_up_and_leads_from_one_score_to_the_next(story, clock, stored):
    # given
    driver = Driver(clock=clock, stored=stored)
    for each in story:
        (driver.profile if hasattr(each, "parties") else driver.pipe)(each)
    driver.advance(hours(24.0 * 30))

    # then
    before = None
    for score in scores(driver):
        change, at = score.change, to_epoch(score.as_of)
        was = 0.0 if before is None else noise_before(before, at)
        assert total(change.factors) == pytest.approx(change.points, abs=1e-9)
        assert score.noise == pytest.approx(was + change.points, abs=1e-9)
        assert total(score.contributions) == pytest.approx(score.noise, abs=1e-9)
        valued = by_value(change, score.contributions)
        assert math.fsum(valued.values()) + change.freshness == pytest.approx(change.points, abs=1e-9)
        if before is not None:
            for name in NAMES:
                weight, factor = getattr(SHIPPED_POLICY.weights, name), getattr(score.factors, name)
                was_factor = getattr(before.factors, name) if before.items else 0.0
                grown = weight * (factor - was_factor) * score.decay if score.items else 0.0
                if before.items and score.items:
                    assert valued[name] == pytest.approx(grown, abs=1e-9), name
        before = score


@given(stories(), st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_a_change_does_not_depend_on_how_batches_are_cut_nor_on_conflation(story, sizes):
    # given
    items = [each for each in story if not hasattr(each, "parties")]
    one, other = Driver(), Driver(conflate=True, stored=True)
    changes = {}
    for each in items:
        for output in one.pipe(each):
            if output.topic == NOISE_SCORES:
                changes[output.id] = output.event.change

    # when
    records, number = [other.record(each) for each in items], 0
    while records:
        size = sizes[number % len(sizes)]
        other.batch(records[:size])
        records, number = records[size:], number + 1

    # then
    for output in other.outputs(NOISE_SCORES):
        assert output.event.change == changes[output.id]


def test_newer_coverage_that_changes_no_factor_is_all_freshness():
    # given: coverage that nobody answered has lasted longer than counts, and is half a week old
    driver = Driver()
    driver.pipe(item("a", h=0.0))
    driver.pipe(item("b", h=100.0))
    before, lost = last(driver), 1.0 - 0.5**0.5

    # when
    driver.pipe(item("c", h=184.0))

    # then: what decay had taken comes back, to every factor alike
    change = last(driver).change
    assert (change.by, change.points) == (Cause.OBSERVATION, pytest.approx(before.noise * lost))
    assert change.freshness == pytest.approx(change.points)
    assert all(abs(points) < 1e-9 for points in by_value(change, last(driver).contributions).values())
    assert change.factors.engagement == pytest.approx(before.contributions.engagement * lost)


def test_an_item_that_grows_moves_engagement_and_reach_and_nothing_is_fresher():
    # given
    driver = Driver()
    driver.pipe(item("a", h=0.0, platform="hackernews", likes=10))

    # when
    driver.pipe(item("a", h=0.0, seen=5.0, platform="hackernews", likes=1000))

    # then
    change = last(driver).change
    assert change.freshness == 0.0
    moved = {name for name in NAMES if getattr(change.factors, name)}
    assert moved == {"engagement", "reach"}
    assert change.points == last(driver).last_item.points > 0.0


def test_an_item_that_shrinks_takes_its_points_away():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=1000, audience=5000))

    # when
    driver.pipe(item("a", seen=1.0, likes=10, audience=50))

    # then
    change = last(driver).change
    assert change.points < 0.0
    assert change.factors.engagement < 0.0
    assert change.factors.reach == pytest.approx(-0.2 * 10.0 * math.log10(5001 / 51) * last(driver).decay)


def test_a_profile_moves_what_it_says_and_is_named_as_the_cause():
    # given
    driver = Driver()
    driver.pipe(item("a"))

    # when
    driver.profile(profile(impact=90.0, ann="S"))

    # then
    change = last(driver).change
    assert change.by is Cause.PROFILE
    assert change.points == pytest.approx(0.10 * 40.0 + 0.15 * 30.0)
    assert (change.factors.star_power, change.factors.industry_impact) == (
        pytest.approx(4.5),
        pytest.approx(4.0),
    )


def test_a_deadline_moves_no_noise():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=1000))

    # when: the peak is confirmed
    driver.advance(hours(25.0))

    # then
    change = last(driver).change
    assert (change.by, change.points, change.factors) == (Cause.DEADLINE, 0.0, NOTHING)


def test_the_first_item_and_the_retraction_of_the_last_one_move_everything():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=1000))
    first = last(driver)
    assert first.change.factors == first.contributions
    assert first.change.freshness == 0.0

    # when
    driver.pipe(item("a", seen=24.0, retracted=True))

    # then
    change = last(driver).change
    assert change.points == pytest.approx(-noise_before(first, hours(24.0)))
    assert (last(driver).noise, change.freshness) == (0.0, 0.0)


def test_the_retraction_of_the_latest_coverage_makes_what_is_left_staler():
    # given
    driver = Driver()
    driver.pipe(item("a", h=0.0, likes=1000))
    driver.pipe(item("b", h=84.0))

    # when
    driver.pipe(item("b", h=84.0, seen=85.0, retracted=True))

    # then
    assert last(driver).change.freshness < -1.0
    assert total(last(driver).change.factors) == pytest.approx(last(driver).change.points)


def test_under_a_new_policy_the_points_still_lead_from_the_score_that_was_told():
    # given: a row that another policy has left
    heavier = replace(SHIPPED_POLICY, weights=Factors(0.1, 0.3, 0.15, 0.1, 0.15, 0.1, 0.1))
    driver = Driver(stored=True)
    driver.pipe(item("a", h=0.0, likes=50, audience=10**6))
    told = last(driver)
    driver.policy = heavier
    driver.restart()

    # when
    driver.pipe(item("b", h=5.0))

    # then
    score = last(driver)
    assert score.noise == pytest.approx(noise_before(told, hours(5.0)) + score.change.points, abs=1e-9)
    assert total(score.change.factors) == pytest.approx(score.change.points, abs=1e-9)


def test_freshness_is_told_apart_from_values_however_faint_the_noise_was():
    """Given half a point of noise, to which fresher coverage gives back a quarter, and reach adds three quarters."""
    change = Change(
        Cause.OBSERVATION, 1.0, 0.25, msgspec.structs.replace(NOTHING, reach=0.85, engagement=0.15)
    )
    contributions = msgspec.structs.replace(NOTHING, reach=1.05, engagement=0.45)

    found = by_value(change, contributions)

    assert found == pytest.approx({**dict.fromkeys(NAMES, 0.0), "reach": 0.75}, abs=1e-12)
