"""What the ledger counts: records by outcome, deadlines and revisions for the metrics, and the rows that it holds."""

from scoring.assessment import assess, next_deadline
from scoring.changes import Outcome
from scoring.decay import NEVER
from scoring.rows import decode_incident, encode_row
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver


def test_what_came_of_each_record_is_counted_by_platform():
    # given
    driver = Driver()
    records = [
        driver.record(item("a", platform="reddit", likes=1)),
        driver.record(item("b", platform="nowhere")),
        driver.record(item("c", platform="nowhere")),
    ]
    driver.batch(records)
    driver.batch([driver.record(item("a", platform="reddit", likes=1))])
    driver.batch(records[:1])
    for impact in (10.0, 20.0, 20.0):
        driver.profile(profile(impact=impact))
    driver.pipe(item("never", platform="news", retracted=True))

    # when
    tally = driver.ledger.take_tally()

    # then
    assert tally.items == {
        Outcome.APPLIED: {"reddit": 1, "other": 2},
        Outcome.UNCHANGED: {"reddit": 1, "news": 1},
        Outcome.REPEATED: {"reddit": 1},
        Outcome.FORWARDED: {},
    }
    assert (tally.profiles, tally.revisions) == (2, 5)
    assert not any(driver.ledger.take_tally().items.values())


def test_deadlines_that_fire_and_the_revisions_they_bring_are_counted():
    # given: a copy of the row is led from deadline to deadline
    driver = Driver()
    driver.pipe(item("a"))
    ahead = decode_incident(encode_row(driver.state()))
    at, fired, came_to_something = ahead.as_of, 0, 0
    while (at := next_deadline(ahead, SHIPPED_POLICY, at)) < NEVER:
        fired += 1
        came_to_something += assess(ahead, SHIPPED_POLICY, at).happened

    # when
    driver.advance(hours(24.0 * 60))

    # then
    tally = driver.ledger.take_tally()
    assert (tally.deadlines, tally.revisions) == (fired, 1 + came_to_something)
    assert fired >= came_to_something > 1


def test_rows_are_held_until_it_forgets_and_counted_when_it_recovers():
    # given
    driver = Driver()
    for each in (item("a"), item("b"), item("a", "fire"), item("a", "flood")):
        driver.store(driver.apply([driver.record(each)]))
    assert driver.ledger.held == 0

    # when: two items are written, one of them twice
    for name, likes in (("b", 9), ("a", 3), ("b", 10)):
        driver.pipe(item(name, seen=0.01 * likes, likes=likes))

    # then
    assert driver.ledger.held == 3
    driver.ledger.forget()
    assert driver.ledger.held == 0
    assert driver.ledger.recover() == 3
