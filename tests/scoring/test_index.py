"""The index: the partition's two curves are at any time the sum of the noise of all its incidents, and its mean."""

import dataclasses
import math
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.noise_index import Mover
from schemas.times import DAY_S, to_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Category
from scoring.incident import Incident
from scoring.index import OVERALL, IndexBoard, top_movers
from scoring.ledger import MOST_MOVED
from scoring.rows import decode_incident, encode_row
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring import index_oracle
from tests.scoring.strategies import bursts, streams

INCIDENTS = ("leak", "fire", "spill")
PARTS = (OVERALL, *(category.value for category in Category))
AVERAGE_D = POLICY.index.average_d
TAU_S = AVERAGE_D / 2.0 * DAY_S

profiles = st.lists(st.sampled_from(Category), max_size=8)


def driven(stream, categories, **how) -> Driver:
    """A driver that has seen the stream, with a profile of a category after each of its first observations.

    On the wall clock every record comes half an hour before it was observed: some coverage is dated ahead.
    """
    driver = Driver(**how)
    for number, each in enumerate(stream):
        driver.pipe(each, at=to_epoch(each.observed_at) - 1800.0)
        if number < len(categories):
            driver.profile(profile(each.incident_id, category=categories[number], impact=10.0 * number))
    return driver


def index(driver: Driver, at: float, name: str = OVERALL) -> tuple[float, float]:
    """Value and average, the latter corrected for the short history."""
    value, average = driver.ledger.index.value_at(name, at)
    since = driver.ledger.index._since
    return value, average / (1.0 - math.exp(-(at - since) / TAU_S)) if at > since else value


def check(driver: Driver, at: float) -> None:
    """Every part of the index, against all scores told so far."""
    scores = driver.events(NOISE_SCORES)
    for name in PARTS:
        expected = index_oracle.told(scores, AVERAGE_D, at, name)
        assert index(driver, at, name) == pytest.approx(
            (expected.value, expected.average), rel=1e-9, abs=1e-9
        )
        if expected.since is not None:
            assert driver.ledger.index._since == expected.since


@given(
    streams(incidents=INCIDENTS), profiles, st.floats(0.0, 24.0 * 200), st.sampled_from(["stream", "wall"])
)
def test_value_and_average_are_those_of_all_scores_at_any_time_and_from_the_rows_alone(
    stream, categories, later_h, clock
):
    # given: items late, retracted, shrinking, dated ahead; incidents that change their category
    driver = driven(stream, categories, stored=True, clock=clock)
    at = hours(24.0 * 5 + later_h)
    check(driver, at)

    # when: all that a year of deadlines changes of the rows
    driver.advance(at)
    driver.restart()

    # then
    check(driver, at)
    check(driver, at + 30.0 * DAY_S)


@given(bursts(INCIDENTS), profiles, st.floats(0.0, 24.0 * 200))
def test_weeks_of_silence_between_bursts_are_averaged_over(stream, categories, later_h):
    # given
    driver = driven(stream, categories)
    at = driver.ledger.time + later_h * 3600.0

    # then
    check(driver, at)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 400.0), st.floats(0.0, 100.0), st.floats(-9.0, 1.0)), min_size=1, max_size=5
    )
)
def test_the_oracles_integral_is_that_of_small_steps(said):
    # given: scores at some hours, their anchors before or an hour ahead
    half_life_s = POLICY.curve.half_life_s
    said = sorted(said)
    pieces = [index_oracle.Piece(hours(h), noise, hours(h + ahead), half_life_s) for h, noise, ahead in said]
    at, steps = hours(500.0), 2_000
    width = (at - pieces[0].begins) / steps

    # when: the midpoint rule; where the noise jumps within a step it is off by at most 0.06 points
    total = 0.0
    ends = [*(each.begins for each in pieces), math.inf]
    for number in range(steps):
        s = pieces[0].begins + (number + 0.5) * width
        piece = next(
            each for each, (low, high) in zip(pieces, pairwise(ends), strict=True) if low <= s < high
        )
        total += piece.noise_at(s) * math.exp(-(at - s) / TAU_S) / TAU_S * width

    # then: but for half a step of at most 100 points at each jump
    most = len(pieces) * 100.0 * width / (2.0 * TAU_S) + 1e-4
    assert index_oracle.mean(pieces, TAU_S, at) == pytest.approx(total, abs=most)


@given(streams(incidents=INCIDENTS), profiles)
def test_a_share_is_told_of_what_has_changed_and_sums_it(stream, categories):
    # given
    driver = driven(stream, categories)
    scores, now = driver.events(NOISE_SCORES), driver.ledger.time

    # when
    shares = {share.category: share for share in driver.ledger.index_shares()}

    # then
    names = {score.incident_id for score in scores}
    if names:
        overall, expected = shares[OVERALL], index_oracle.told(scores, AVERAGE_D, now)
        assert overall.value == pytest.approx(expected.value, abs=1e-9)
        assert overall.incidents == len(names)
        assert (to_epoch(overall.at), to_epoch(overall.since)) == (now, expected.since)
        assert set(shares) == {OVERALL, *(score.category.value for score in scores)}
        assert sum(share.incidents for name, share in shares.items() if name != OVERALL) == len(names)
    assert list(driver.ledger.index_shares()) == []


@given(
    streams(incidents=INCIDENTS), profiles, st.floats(0.0, 24.0 * 60), st.lists(st.booleans(), max_size=25)
)
def test_shares_of_partitions_told_at_any_times_add_up_to_the_index_of_everything(
    stream, categories, later_h, tells
):
    # given: each incident in a partition of its own, telling its shares now and then
    board = IndexBoard(POLICY)
    drivers = {name: Driver(partition=number) for number, name in enumerate(INCIDENTS)}
    tells = [*tells, *[False] * len(stream)]
    for number, each in enumerate(stream):
        driver = drivers[each.incident_id]
        driver.pipe(each)
        if number < len(categories):
            driver.profile(profile(each.incident_id, category=categories[number], impact=10.0 * number))
        if tells[number]:
            for share in driver.ledger.index_shares():
                board.apply(share)
    for driver in drivers.values():
        for share in driver.ledger.index_shares():
            board.apply(share)
    at = hours(24.0 * 5 + later_h)

    # when
    found = {output.key: output.event for output in board.index(at)}

    # then
    scores = [score for driver in drivers.values() for score in driver.events(NOISE_SCORES)]
    for name, event in found.items():
        expected = index_oracle.told(scores, AVERAGE_D, at, name)
        assert (event.value, event.average) == pytest.approx(expected[:2], rel=1e-9, abs=1e-9)
        assert to_epoch(event.since) == expected.since
        assert sum(mover.points for mover in event.movers) == pytest.approx(
            sum(moved(scores, name).values()), abs=1e-9
        )


def moved(scores, name: str) -> dict[str, float]:
    """By how much each incident's scores have moved a part of the index: the jumps of its curve there."""
    points: dict[str, float] = {}
    before: dict[str, tuple[str, index_oracle.Piece]] = {}
    for score in scores:
        (piece,) = index_oracle.pieces_of([score])[score.incident_id]
        now, there = score.category.value, name in (OVERALL, score.category.value)
        jump = piece.noise_at(piece.begins) if there else 0.0
        if score.incident_id in before:
            was, last = before[score.incident_id]
            jump -= last.noise_at(piece.begins) if name in (OVERALL, was) else 0.0
        points[score.incident_id] = points.get(score.incident_id, 0.0) + jump
        before[score.incident_id] = now, piece
    return points


@given(streams(incidents=INCIDENTS), profiles)
def test_the_movers_are_the_jumps_of_each_incidents_curve(stream, categories):
    # given
    driver = driven(stream, categories)
    scores = driver.events(NOISE_SCORES)

    # then
    for share in driver.ledger.index_shares():
        told = {mover.incident_id: mover.points for mover in share.movers}
        for incident_id, points in moved(scores, share.category).items():
            assert told.get(incident_id, 0.0) == pytest.approx(points, abs=1e-9)
        sizes = [abs(mover.points) for mover in share.movers]
        assert sizes == sorted(sizes, reverse=True)
        assert 0.0 not in sizes


def test_an_incident_that_changes_its_category_takes_its_noise_and_its_past_along():
    # given
    driver = Driver()
    driver.pipe(item("a"))
    driver.advance(hours(24.0 * 60))
    at = driver.ledger.time
    before = index(driver, at, "Other")
    assert before == index(driver, at)
    list(driver.ledger.index_shares())

    # when
    driver.profile(profile(category=Category.SAFETY))

    # then
    assert index(driver, at, "Other") == pytest.approx((0.0, 0.0), abs=1e-12)
    assert index(driver, at, "Safety") == pytest.approx(before)
    assert index(driver, at) == pytest.approx(before)

    # then: it left the one part and came into the other; the whole has not moved
    shares = {share.category: share for share in driver.ledger.index_shares()}
    noise = driver.state().noise_at(driver.state().as_of, POLICY.curve.half_life_s)
    assert {name: share.movers for name, share in shares.items()} == {
        "Other": (Mover("leak", -noise),),
        "Safety": (Mover("leak", noise),),
        OVERALL: (),
    }
    assert (shares["Other"].incidents, shares["Safety"].incidents) == (0, 1)


def test_a_noise_that_stays_as_it_is_comes_to_be_its_own_average():
    # given: 13 points for nine months, by an item that is dated anew every six hours
    driver = Driver()
    for number in range(4 * 270):
        driver.pipe(item("a", h=6.0 * number))
    at = driver.ledger.time

    # then
    value, average = index(driver, at)
    assert (value, average) == (pytest.approx(13.0), pytest.approx(13.0, rel=0.02))


def test_silence_of_the_averages_time_constant_leaves_a_share_of_e():
    # given: one loud hour; 13 points that fall by a half each week, silent after a year
    driver = Driver()
    driver.pipe(item("a"))
    at = hours(24.0 * 365)

    # when
    _, once = driver.ledger.index.value_at(OVERALL, at)
    _, later = driver.ledger.index.value_at(OVERALL, at + TAU_S)

    # then
    assert later / once == pytest.approx(math.exp(-1.0), rel=1e-6)


def test_an_incident_whose_items_are_all_retracted_leaves_its_past_in_the_average():
    # given
    driver = Driver()
    driver.pipe(item("a"))
    driver.pipe(item("a", seen=24.0 * 10, retracted=True))

    # then: the index is silent; ten days of falling noise are still averaged over
    value, average = index(driver, driver.ledger.time)
    assert value == 0.0
    assert average > 5.0
    check(driver, hours(24.0 * 30))


def test_coverage_dated_ahead_is_told_as_of_its_date_until_that_comes():
    # given: seen an hour before it is published, on the wall clock
    driver = Driver(clock="wall")
    driver.pipe(item("a", h=1.0, seen=1.0), at=hours(0.0))

    # then
    assert driver.ledger.index.value_at(OVERALL, hours(0.0))[0] == pytest.approx(13.0)
    assert driver.ledger.index.value_at(OVERALL, hours(1.0))[0] == pytest.approx(13.0)
    check(driver, hours(1.0))
    check(driver, hours(169.0))


def test_a_row_of_the_time_before_averages_begins_its_own_where_it_was_settled_last():
    # given: a row as an earlier version has written it
    driver = Driver(stored=True)
    driver.pipe(item("a"))
    driver.pipe(item("b", h=10.0))
    (row,) = driver.rows.incident_rows.values()
    fields = msgspec.msgpack.decode(row)
    earlier = fields[: [each.name for each in dataclasses.fields(Incident)].index("long_average")]
    driver.rows.incident_rows["leak"] = msgspec.msgpack.encode(earlier)
    assert decode_incident(driver.rows.incident_rows["leak"]).long_average == 0.0

    # when
    driver.restart()

    # then
    assert driver.ledger.index._since == hours(10.0)
    value, average = index(driver, hours(10.0) + 1.0)
    assert average == pytest.approx(value, rel=1e-3)
    assert encode_row(decode_incident(row)) == row


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


def test_an_incident_that_comes_back_to_the_curve_it_had_leaves_its_way_in_the_average():
    # given: told once, and not again until what came has been taken back, weeks later
    driver = Driver()
    driver.pipe(item("a", likes=10))
    list(driver.ledger.index_shares())
    driver.pipe(item("a", h=0.0, seen=1.0, likes=10**6))
    driver.pipe(item("a", h=0.0, seen=24.0 * 30, likes=10))

    # then
    check(driver, hours(24.0 * 40))


def test_more_incidents_than_wait_for_the_index_come_to_what_each_told_at_once_comes_to():
    # given: one index is asked after each observation, the other at the end
    asked, once = Driver(), Driver()
    for seen_h in (0.0, 3.0):
        for number in range(MOST_MOVED + 50):
            each = item("a", f"incident {number}", seen=seen_h, likes=10 * number + round(seen_h))
            for driver in (asked, once):
                driver.pipe(each)
            _ = asked.ledger.index

    # then: but for the order of sums
    at = hours(10.0)
    assert once.ledger.index.value_at(OVERALL, at) == pytest.approx(asked.ledger.index.value_at(OVERALL, at))
    shares = [
        next(each for each in driver.ledger.index_shares() if each.category == OVERALL)
        for driver in (asked, once)
    ]
    assert [each.incident_id for each in shares[0].movers] == [each.incident_id for each in shares[1].movers]
    assert [each.points for each in shares[0].movers] == pytest.approx(
        [each.points for each in shares[1].movers]
    )


def test_a_share_names_only_the_greatest_movers():
    # given
    driver = Driver()
    for number in range(POLICY.index.movers + 3):
        driver.pipe(item("a", f"incident {number}", likes=10 * number))

    # when
    overall = next(share for share in driver.ledger.index_shares() if share.category == OVERALL)

    # then
    assert [mover.incident_id for mover in overall.movers] == [
        f"incident {number}" for number in range(POLICY.index.movers + 2, 2, -1)
    ]
    assert overall.incidents == POLICY.index.movers + 3


def test_what_leaves_the_curve_as_it_was_is_no_change_of_the_index():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=10**9, audience=10**10))
    list(driver.ledger.index_shares())

    # when: factors that are full already
    driver.pipe(item("a", seen=5.0, likes=10**9 + 1, audience=10**10))

    # then
    assert driver.state().revision == 2
    assert list(driver.ledger.index_shares()) == []


def test_the_top_movers_are_those_that_moved_most_either_way():
    moved = {"a": 1.0, "b": -5.0, "c": 3.0, "d": -3.0, "e": 0.0}
    assert top_movers(moved, 3) == (Mover("b", -5.0), Mover("c", 3.0), Mover("d", -3.0))
    assert [mover.incident_id for mover in top_movers(moved, 9)] == ["b", "c", "d", "a"]


@given(
    st.one_of(bursts(INCIDENTS), streams(incidents=INCIDENTS)), profiles, st.integers(2, 30), st.booleans()
)
def test_the_index_does_not_depend_on_how_batches_are_cut(stream, categories, most, conflate):
    # given: profiles stand among the items, and one batch may hold an incident's first item and its second
    one_by_one, cut = Driver(), Driver(conflate=conflate)
    for start in range(0, len(stream), most):
        batch = stream[start : start + most]
        for each in batch:
            one_by_one.pipe(each)
        cut.batch([cut.record(each) for each in batch])
        if start // most < len(categories):
            edit = profile(batch[0].incident_id, category=categories[start // most])
            one_by_one.profile(edit)
            cut.profile(edit)

    # when
    shares = [
        {share.category: share for share in driver.ledger.index.shares(driver.ledger.time)}
        for driver in (one_by_one, cut)
    ]

    # then
    assert {name: share.incidents for name, share in shares[0].items()} == {
        name: share.incidents for name, share in shares[1].items()
    }
    for name in PARTS:
        assert index(cut, cut.ledger.time, name) == pytest.approx(
            index(one_by_one, cut.ledger.time, name), rel=1e-9, abs=1e-9
        )
