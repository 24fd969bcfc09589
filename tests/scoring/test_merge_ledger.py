"""How the ledger merges and takes a merge back: revisions, counts, rows, the index, and what is told by the way."""

from __future__ import annotations

import pytest

from schemas.noise_score import NoiseScore
from schemas.topics import INCIDENT_MERGES, NOISE_SCORES, PEAK_CROSSINGS, SOURCE_ITEMS
from schemas.words import Category, Cause
from scoring.factors import factors
from scoring.lifecycle import metric
from tests.builders import hours, item, merged, profile
from tests.driver import SHIPPED_POLICY, Driver

MONTH_ON = hours(24.0 * 30)
GROWN = item("c", "fire", h=2, seen=100, likes=9)
"""The item of `fire` as it is seen again when the incident has long been part of the index."""


def two_incidents(**how) -> Driver:
    """`leak` with two items, `fire` with one of its own."""
    driver = Driver(**how)
    for each in (
        item("a", "leak", h=0, likes=500, platform="reddit"),
        item("b", "leak", h=1, likes=50),
        item("c", "fire", h=2, likes=5),
    ):
        driver.pipe(each, at=hours(2))
    driver.outputs()
    return driver


def scores_of(driver: Driver, incident: str) -> list[NoiseScore]:
    return [each for each in driver.events(NOISE_SCORES) if each.incident_id == incident]


def test_a_merge_is_one_revision_which_its_events_and_its_moved_items_name():
    # given
    driver = two_incidents()
    revision = driver.state("leak").revision

    # when
    outputs = driver.profile(merged("leak", "fire"))

    # then
    (told,) = driver.events(INCIDENT_MERGES)
    assert told.revision == scores_of(driver, "leak")[-1].revision == revision + 1
    assert [each.id for each in outputs if each.topic == SOURCE_ITEMS] == [
        f"leak/{revision + 1}/moved/a",
        f"leak/{revision + 1}/moved/b",
    ]
    assert driver.ledger.take_tally().revisions == 3 + 1 + 2  # items, the merge, items again


def test_what_was_due_before_a_merge_is_told_beside_it():
    # given
    driver, hold_h = two_incidents(clock="wall"), SHIPPED_POLICY.peaks.hold_h

    # when
    outputs = driver.profile(merged("leak", "fire"), at=hours(hold_h + 9.0))

    # then
    topics = [each.topic for each in outputs if each.key == "leak"]
    assert PEAK_CROSSINGS in topics
    assert topics.index(PEAK_CROSSINGS) < topics.index(INCIDENT_MERGES)


def test_the_last_score_of_a_merged_incident_has_the_factors_of_one_without_items():
    # given
    driver = two_incidents()

    # when
    driver.profile(merged("leak", "fire", industry_impact=70.0))

    # then
    last = scores_of(driver, "leak")[-1]
    assert last.factors == factors(driver.state("leak"), SHIPPED_POLICY).told()
    assert (last.factors.reach, last.factors.industry_impact) == (0.0, 70.0)


def test_the_index_names_who_moved_it_by_a_merge():
    # given
    driver = two_incidents()
    list(driver.ledger.index_shares())

    # when
    driver.profile(merged("leak", "fire"))

    # then
    movers = {mover.incident_id for share in driver.ledger.index_shares() for mover in share.movers}
    assert movers
    assert movers <= {"leak", "fire"}


def test_an_observation_that_is_sent_on_leaves_the_row_of_the_merged_incident_at_its_offset():
    # given
    driver = two_incidents(stored=True)
    driver.profile(merged("leak", "fire"))

    # when
    driver.pipe(item("late", "leak", h=3))
    sent_at = driver.state("leak").items_offset
    driver.restart()

    # then
    assert driver.state("leak").items_offset == sent_at
    assert driver.state("leak").merged_into == "fire"
    assert driver.state("fire").items == 4


@pytest.fixture
def circle() -> Driver:
    """`fire` goes into `leak` and `leak` into `fire`, whose merge is taken back."""
    driver = two_incidents(stored=True)
    driver.profile(profile("fire", category=Category.SAFETY))
    driver.pipe(GROWN)
    driver.profile(merged("fire", "leak", category=Category.SAFETY))
    driver.profile(merged("leak", "fire"))
    return driver


def test_a_merge_that_is_taken_back_is_told_by_a_score_of_what_counts_again(circle):
    # given
    undone = circle.events(INCIDENT_MERGES)[-1]
    assert (undone.source, undone.undone) == ("fire", True)

    # when
    before, back = [
        each for each in scores_of(circle, "fire") if undone.revision - 1 <= each.revision <= undone.revision
    ]

    # then
    assert (before.items, before.noise, back.items) == (0, 0.0, 1)
    assert (back.change.by, back.merged_into) == (Cause.MERGE, None)
    assert back.change.points == pytest.approx(back.noise)
    assert back.noise > 5.0


def test_after_a_circle_revisions_are_without_gaps_and_factors_those_of_the_items(circle):
    for incident in ("leak", "fire"):
        scores = scores_of(circle, incident)
        assert [each.revision for each in scores] == list(range(1, len(scores) + 1))
    last = scores_of(circle, "fire")[-1]
    assert last.factors == factors(circle.state("fire"), SHIPPED_POLICY).told()
    undone = circle.events(INCIDENT_MERGES)[-1]
    (back,) = [each for each in scores_of(circle, "fire") if each.revision == undone.revision]
    alone = Driver()
    alone.profile(profile("fire", category=Category.SAFETY))
    alone.pipe(item("c", "fire", h=2, likes=5))
    alone.pipe(GROWN)
    assert back.factors == scores_of(alone, "fire")[-1].factors


def test_after_a_circle_the_index_is_that_of_the_rows(circle):
    # given
    live = {name: circle.ledger.index.value_at(name, MONTH_ON) for name in ("overall", "Safety", "Other")}

    # when
    circle.restart()

    # then
    for name, (value, average) in live.items():
        assert circle.ledger.index.value_at(name, MONTH_ON) == pytest.approx((value, average), abs=1e-9), name
    fire = circle.state("fire")
    assert live["overall"][0] == pytest.approx(metric(fire, SHIPPED_POLICY, "noise", MONTH_ON), abs=1e-9)
