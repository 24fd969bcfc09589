"""Holds and cooldowns one by one: when a span begins and ends, what goes on through a step, what is never met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.times import to_epoch
from schemas.topics import STATE_CHANGES
from schemas.words import State
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.lifecycle import Span, fires_at, next_step, resume, spans, step
from scoring.lifecycle_rules import Condition, Lifecycle, Rule, reason
from scoring.platform_sum import PlatformSum
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.lifecycle_oracle import Step
from tests.scoring.strategies import CROWD


def steps(driver: Driver) -> list[Step]:
    changes = driver.events(STATE_CHANGES)
    return [Step(to_epoch(each.at), each.previous, each.to) for each in changes if each.previous]


def policy_of(*rules: Rule, cooldown_h: float = 0.01):
    """The shipped policy with these rules alone."""
    return replace(POLICY, lifecycle=Lifecycle(dict.fromkeys(State, cooldown_h), rules))


def growing_burst(driver: Driver) -> None:
    """Forty items in twelve minutes: more than 15 an hour until an hour after, and 7.5 until two."""
    for number in range(40):
        driver.pipe(item(f"i{number}", h=number * 0.005))


def test_a_span_holds_from_its_first_moment_until_before_its_end():
    held = Span(POLICY.derived.watches[State.EMERGING][0], 1.0, 2.0)

    assert [held.holds(at) for at in (0.999, 1.0, 1.999, 2.0)] == [False, True, True, False]


def test_a_step_back_waits_until_the_cooldown_is_over():
    # given: it grows, and its velocity is below 7.5 for two hours long before
    driver = Driver()
    growing_burst(driver)

    # when
    driver.advance(hours(24.0))

    # then
    grown, back = steps(driver)
    assert (back.previous, back.to) == (State.GROWING, State.EMERGING)
    assert back.at == grown.at + 12 * 3600.0
    held_h = driver.events(STATE_CHANGES)[-1].evidence["held_h"]
    assert 10.0 < held_h < 11.0
    assert held_h == round(held_h, 3) != round(held_h)


@pytest.mark.parametrize("later", [3.0, 3.5])
def test_a_hold_that_began_by_itself_goes_on_when_something_comes_that_leaves_it_held(later):
    """Given velocity below 7.5 since hour 2.1, and an item after that which lifts it to no more than 5."""
    alone, disturbed = (Driver(policy_of(*POLICY.lifecycle.rules)) for _ in range(2))
    growing_burst(alone)
    growing_burst(disturbed)
    disturbed.pipe(item("late", h=later))
    for driver in (alone, disturbed):
        driver.advance(hours(10.0))

    assert steps(disturbed)[:2] == steps(alone)[:2]
    assert steps(alone)[1].to is State.EMERGING


def test_a_hold_that_something_new_breaks_off_begins_anew():
    """Given velocity below 7.5 since hour 2.1, and at hour 3 a second burst, after which it is so from hour 5.1 on."""
    driver = Driver(policy_of(*POLICY.lifecycle.rules))
    growing_burst(driver)
    for number in range(40):
        driver.pipe(item(f"again{number}", h=3.0 + number * 0.005))

    # when
    driver.advance(hours(12.0))

    # then: it holds for two hours
    grown, back = steps(driver)[:2]
    assert (grown.to, back.to) == (State.GROWING, State.EMERGING)
    assert hours(7.0) < back.at < hours(7.5)


def test_what_something_new_brings_to_an_end_is_held_no_more():
    quiet = Rule((State.EMERGING,), State.RESOLVED, (Condition("noise", "below", 25.0),), 12.0, "back")
    incident = Incident(items=1, composite=50.0, last_seen=hours(1.0), holds_since={0: hours(0.0)})

    policy = policy_of(quiet)
    resume(incident, hours(1.0), spans(incident, policy))

    assert incident.holds_since == {}


def test_a_hold_goes_on_through_a_step_to_a_state_that_its_rule_leads_from_too():
    # given: noise of 70 for four hours leads from both states; after one hour a second platform makes it debated
    loud_for_long = replace(POLICY.lifecycle.rules[0], when=(Condition("noise", "at_least", 70.0),))
    driver = Driver(policy_of(loud_for_long, POLICY.lifecycle.rules[1]))
    driver.profile(profile(impact=100.0))
    driver.pipe(item("first", h=0.0, platform="somewhere", likes=10**9, audience=10**10, figures=CROWD))
    driver.pipe(item("second", h=1.0, platform="elsewhere"))

    # when
    driver.advance(hours(10.0))

    # then
    assert steps(driver) == [
        Step(hours(1.0), State.EMERGING, State.DEBATED),
        Step(hours(4.0), State.DEBATED, State.MAJOR),
    ]


def test_two_steps_that_are_due_at_once_are_taken_at_once():
    policy = policy_of(
        Rule((State.EMERGING,), State.GROWING, (Condition("platforms", "at_least", 1.0),), 0.0, "forward"),
        Rule((State.GROWING,), State.DEBATED, (Condition("platforms", "at_least", 1.0),), 0.0, "forward"),
    )
    incident = Incident(items=1, platforms={"x": PlatformSum(1)}, state_since=hours(0.0))
    resume(incident, hours(1.0), spans(incident, policy))

    taken, _, then = step(incident, policy, hours(1.0), spans(incident, policy))

    assert [(each.previous, each.to) for each in taken] == [
        (State.EMERGING, State.GROWING),
        (State.GROWING, State.DEBATED),
    ]
    assert incident.state is State.DEBATED
    assert then == NEVER


def test_a_rule_is_not_met_where_its_comparisons_end_just_when_the_hold_would_be_over():
    # given: 80 points, which are 75 after 15.6 hours
    incident = Incident(items=1, composite=80.0, last_seen=hours(0.0), state_since=hours(0.0))
    wanted = (Condition("noise", "at_least", 75.0),)
    [held] = spans(incident, policy_of(Rule((State.EMERGING,), State.MAJOR, wanted, 0.0, "forward"))).all
    ends = held.ends
    exactly = Rule((State.EMERGING,), State.MAJOR, wanted, (ends - hours(0.0)) / 3600.0, "forward")
    sooner = replace(exactly, hold_h=(ends - hours(0.0) - 0.001) / 3600.0)
    incident.holds_since = {0: hours(0.0)}

    # then
    for rule, fires in ((exactly, NEVER), (sooner, round(ends - 0.001, 3))):
        policy = policy_of(rule)
        [held] = spans(incident, policy).all
        assert fires_at(incident, policy, held) == fires


def test_a_comparison_that_was_over_before_its_hold_does_not_begin_by_itself_again():
    """Given one platform for ever, and fifteen items an hour that were over long ago; then nothing is to come."""
    both = (Condition("platforms", "below", 2.0), Condition("velocity", "at_least", 15.0))
    rule = Rule((State.EMERGING,), State.GROWING, both, 1.0, "forward")
    incident = Incident(
        items=40,
        platforms={"x": PlatformSum(40)},
        counts=[40.0] * 4,
        rates_at=hours(0.0),
        last_seen=hours(0.0),
        state_since=hours(0.0),
    )

    policy = policy_of(rule)
    seen = spans(incident, policy)
    assert next_step(incident, policy, seen) == NEVER
    assert step(incident, policy, hours(50.0), seen) == ([], seen, NEVER)


def test_from_a_state_without_rules_nothing_leads_away():
    incident, policy = Incident(items=1, state_since=hours(0.0)), policy_of()
    assert next_step(incident, policy, spans(incident, policy)) == NEVER


def test_a_reason_names_every_comparison_and_the_hold():
    assert [reason(rule) for rule in POLICY.lifecycle.rules[4:7]] == [
        "velocity below 7.5 items/h for 2 h",
        "activity below 0.02 items/h and noise below 25 for 12 h",
        "activity at or above 0.08 items/h and platforms at or above 2",
    ]
