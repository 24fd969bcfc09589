"""What is told to come, and when: in words, the earliest first, nothing that is due already."""

from schemas.times import to_epoch
from schemas.words import State
from scoring.incident import Incident
from scoring.lifecycle import reason
from scoring.upcoming import upcoming
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver


def told(incident, after_h=0.0):
    return [(to_epoch(each.at), each.what) for each in upcoming(incident, POLICY, hours(after_h))]


def test_a_single_item_has_all_its_silent_future_told_in_order():
    # given
    driver = Driver()
    driver.pipe(item("a", h=0.0, likes=500))

    # when
    ahead = told(driver.state())

    # then
    assert ahead == sorted(ahead)
    words = [what for _, what in ahead]
    assert "the peak of 28 counts as final" in words
    assert "the noise falls below 23 and leaves Murmur" in words
    assert any(what.startswith("the state turns to Resolved (") for what in words)


def test_what_is_due_at_the_moment_asked_about_does_not_lie_ahead():
    # given
    driver = Driver()
    driver.pipe(item("a"))
    final = {what: at for at, what in told(driver.state())}["the peak of 13 counts as final"]

    # then
    assert final == hours(12.0)
    assert [what for _, what in told(driver.state(), 12.0 - 1 / 3600)].count(
        "the peak of 13 counts as final"
    ) == 1
    assert "the peak of 13 counts as final" not in [what for _, what in told(driver.state(), 12.0)]


def test_the_hold_that_has_begun_counts_for_the_step():
    # given: silent for long, the comparison that resolves it holding since hour 3
    index, rule = next(
        (index, rule) for index, rule in enumerate(POLICY.lifecycle.rules) if rule.to is State.RESOLVED
    )
    incident = Incident(state_since=hours(-100.0), holds_since={index: hours(3.0)})

    # then
    assert told(incident) == [(hours(3.0 + rule.hold_h), f"the state turns to Resolved ({reason(rule)})")]
