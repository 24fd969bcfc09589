"""The index: the partition's one curve is at any time the sum of the noise of all its incidents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.words import Category
from scoring.index import OVERALL, top_movers
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import streams

INCIDENTS = ("leak", "fire", "spill")
HALF_LIFE_S = POLICY.curve.half_life_s


def brute_force(driver: Driver, at: float, category: str = OVERALL) -> float:
    rows = [driver.ledger.incident(incident_id) for incident_id in INCIDENTS]
    return sum(
        row.noise_at(at, HALF_LIFE_S) for row in rows if row and category in (OVERALL, row.category.value)
    )


def index(driver: Driver, at: float, category: str = OVERALL) -> float:
    curve = driver.ledger.index._curves.get(category)
    return 0.0 if curve is None else curve.value_at(at, HALF_LIFE_S)


@given(
    streams(incidents=INCIDENTS), st.lists(st.sampled_from(Category), max_size=4), st.floats(0.0, 24.0 * 60)
)
def test_the_index_is_the_sum_over_all_incidents_at_any_time(stream, categories, later_h):
    # given
    driver = Driver(stored=True)
    for number, each in enumerate(stream):
        driver.pipe(each)
        if number < len(categories):
            driver.profile(profile(each.incident_id, category=categories[number], impact=10.0 * number))
    at = hours(24.0 * 4 + later_h)

    # then
    for name in (OVERALL, *(category.value for category in Category)):
        assert index(driver, at, name) == pytest.approx(brute_force(driver, at, name), abs=1e-9)

    # when
    driver.restart()

    # then
    for name in (OVERALL, *(category.value for category in Category)):
        assert index(driver, at, name) == pytest.approx(brute_force(driver, at, name), abs=1e-9)


@given(streams(incidents=INCIDENTS))
def test_a_share_is_told_of_what_has_changed_and_sums_it(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)

    # when
    shares = {share.category: share for share in driver.ledger.index_shares()}

    # then
    detected = [row for name in INCIDENTS if (row := driver.ledger.incident(name)) and row.detected]
    if detected:
        overall = shares[OVERALL]
        assert overall.value == pytest.approx(brute_force(driver, driver.ledger.time), abs=1e-9)
        assert overall.incidents == len(detected)
        assert to_epoch(overall.at) == driver.ledger.time
    assert list(driver.ledger.index_shares()) == []


def test_an_incident_that_changes_its_category_takes_its_noise_along():
    # given
    driver = Driver()
    driver.pipe(item("a"))
    assert index(driver, hours(0.0), Category.OTHER.value) == pytest.approx(13.0)

    # when
    driver.profile(profile(category=Category.SAFETY))

    # then
    assert index(driver, hours(0.0), Category.OTHER.value) == pytest.approx(0.0)
    assert index(driver, hours(0.0), Category.SAFETY.value) == pytest.approx(13.0)
    assert index(driver, hours(0.0)) == pytest.approx(13.0)


def test_who_was_recovered_has_not_moved():
    # given
    driver = Driver(stored=True)
    driver.pipe(item("a"))
    assert [share.movers[0].incident_id for share in driver.ledger.index_shares()] == ["leak", "leak"]

    # when
    driver.restart()

    # then
    told = [(each.value, each.movers) for each in driver.ledger.index_shares() if each.incidents]
    assert told == [(13.0, ()), (13.0, ())]


def test_the_top_movers_are_those_that_moved_most_either_way():
    moved = {"a": 1.0, "b": -5.0, "c": 3.0, "d": -3.0}
    assert [mover.incident_id for mover in top_movers(moved, 3)] == ["b", "c", "d"]
