"""Deadlines fire at their due time, however the clock gets there: the way is of no matter, to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.errors import StateError
from schemas.times import to_epoch
from scoring.rows import encode_row
from tests.builders import T0, hours, item
from tests.driver import Driver
from tests.scoring.strategies import bursts, in_order, streams

END = hours(24.0 * 90)
INCIDENTS = ("leak", "fire", "spill")
stops = st.lists(st.floats(0.0, 24.0 * 90).map(lambda h: T0 + 3600.0 * h), max_size=40)


def told(driver: Driver) -> list[tuple[str, float, bytes]]:
    return [(each.id, each.at, encode(each.event)) for each in driver.log]


def stored(driver: Driver) -> dict[str, bytes]:
    return {incident_id: encode_row(held.incident) for incident_id, held in driver.ledger._held.items()}


@given(st.one_of(bursts(INCIDENTS), streams(incidents=INCIDENTS).map(in_order)), stops)
def test_small_steps_and_one_jump_tell_the_same_to_the_byte(stream, stops):
    # given: one clock that is moved by the observations alone, and one that stops anywhere between
    plain, stepping = Driver(), Driver()
    stops = sorted(stops)

    # when
    for each in stream:
        plain.pipe(each)
        while stops and stops[0] <= to_epoch(each.observed_at):
            stepping.advance(stops.pop(0))
        stepping.pipe(each)
    plain.advance(END)
    for stop in [*stops, END]:
        stepping.advance(stop)

    # then
    assert told(stepping) == told(plain)
    assert stored(stepping) == stored(plain)


@given(bursts(INCIDENTS), stops)
def test_rows_stored_and_read_anew_at_every_step_tell_the_same(stream, stops):
    # given
    plain, storing = Driver(), Driver(stored=True)

    # when
    for each in stream:
        plain.pipe(each)
        storing.pipe(each)
    plain.advance(END)
    for stop in sorted(stops):
        storing.advance(stop)
        storing.restart()
    storing.advance(END)

    # then
    assert told(storing) == told(plain)


@given(bursts(INCIDENTS))
def test_a_deadline_is_told_at_its_due_time_in_order_and_never_twice(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)

    # when
    driver.outputs()
    driver.advance(END)
    fired = driver.outputs()

    # then
    assert [each.at for each in fired] == sorted(each.at for each in fired)
    assert len({each.id for each in driver.log}) == len(driver.log)
    assert all(round(each.at, 3) == each.at for each in fired)
    assert driver.advance(END + 1000.0 * 24 * 3600) == []  # all that could happen has happened


@given(streams(incidents=INCIDENTS), st.floats(0.0, 200.0))
def test_a_deadline_that_comes_to_nothing_changes_nothing(stream, until_h):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)
        rows = stored(driver)
        revisions = driver.ledger.tally.revisions

        # when
        driver.advance(to_epoch(each.observed_at) + 3600.0 * until_h)

        # then
        if driver.ledger.tally.revisions == revisions:
            assert stored(driver) == rows


@pytest.mark.parametrize("seen_h", [1.5, 2.5])
def test_a_late_observation_is_not_told_what_the_clock_has_passed(seen_h):
    # given: the same incident twice; beside one of them another incident moves the clock far ahead
    alone, beside = Driver(), Driver()
    for number in range(60):
        for driver in (alone, beside):
            driver.pipe(item(f"i{number}", h=0.01 * number, likes=10**6))
    beside.pipe(item("other", "fire", h=3.0))

    # when: a late observation comes that keeps up what would have broken off meanwhile
    late = [item(f"late{number}", h=seen_h, likes=10**6) for number in range(3)]
    for each in late:
        alone.pipe(each)
        beside.pipe(each)

    # then
    assert alone.state().holds_since == beside.state().holds_since


def test_time_never_runs_back():
    # given
    driver = Driver()
    driver.pipe(item("a", h=10.0))

    # when
    driver.pipe(item("b", h=2.0))
    driver.advance(hours(1.0))

    # then
    assert driver.ledger.time == hours(10.0)
    assert driver.state().as_of == hours(10.0)


def test_a_deadline_without_a_row_is_an_error_that_names_the_incident():
    driver = Driver()
    driver.ledger.deadlines.plan("gone", hours(1.0))

    with pytest.raises(StateError) as lost:
        driver.advance(hours(2.0))
    assert str(lost.value) == "incident 'gone' has a deadline but no row"


def test_a_record_that_is_read_again_fires_what_others_have_due_and_nothing_of_who_is_past_it():
    """Given a record that is far ahead of the next ones, and a crash after which only one row is that of its end.

    Then leak, whose row has seen what comes after, waits; old, whose row has not, is brought up to the record.
    """
    # given
    plain, crashed = Driver(stored=True), Driver()
    stream = [
        item("a", "old", h=0),
        item("a", "fire", h=200),
        item("a", "leak", h=0),
        item("b", "leak", h=1, likes=50, platform="reddit"),
        item("b", "fire", h=230),
    ]
    whole = [each for one in stream for each in plain.pipe(one)]
    records = [crashed.record(each) for each in stream]

    # when
    crashed.store(crashed.apply(records[:1]))
    left = crashed.apply(records[1:3])
    crashed.rows.put_items(left.items)
    crashed.rows.put_incidents({"leak": left.incidents["leak"]})
    crashed.log.clear()
    crashed.restart()
    again = crashed.apply(records[1:3]).outputs
    rest = crashed.apply(records[3:]).outputs

    # then
    assert {each.key for each in again} == {"old", "fire"}
    assert [(each.id, each.at, encode(each.event)) for each in (*again, *rest)] == [
        (each.id, each.at, encode(each.event))
        for each in whole
        if not each.id.startswith(("old/1/", "leak/1/"))
    ]


def test_an_idle_incident_costs_nothing_once_all_has_fallen_silent():
    # given
    driver = Driver()
    for number in range(30):
        driver.pipe(item(f"i{number}", h=0.01 * number, likes=10**5))

    # when
    driver.advance(hours(24 * 365))

    # then
    assert len(driver.ledger.deadlines) == 0
    assert driver.ledger.tally.deadlines < 100
