"""Whatever lifecycle a desk declares, if its checks pass: holds and cooldowns are honoured, and nothing flaps."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.times import to_epoch
from schemas.topics import STATE_CHANGES
from scoring.lifecycle_rules import reason
from tests.builders import hours
from tests.driver import Driver
from tests.scoring.histories import END_H, histories, play, play_one, policies
from tests.scoring.lifecycle_oracle import LifecycleOracle


def changes(driver: Driver) -> list:
    return [each for each in driver.events(STATE_CHANGES) if each.previous]


def rule_of(change, policy):
    """The rule that a change says it followed; where two read alike, either does."""
    return next(
        rule
        for rule in policy.lifecycle.rules
        if (reason(rule), rule.to) == (change.reason, change.to) and change.previous in rule.sources
    )


def check_no_flapping(driver: Driver) -> None:
    """No step back comes before the cooldown of the state it leaves is over, nor a step forward right after one."""
    policy = driver.policy
    for first, second in itertools.pairwise(changes(driver)):
        if "back" in (rule_of(first, policy).step, rule_of(second, policy).step):
            kept_s = to_epoch(second.at) - to_epoch(first.at)
            assert kept_s >= 3600.0 * policy.lifecycle.cooldown_h[first.to] - 0.001


@settings(max_examples=60)
@given(histories())
def test_no_history_makes_the_shipped_lifecycle_flap(history):
    driver = Driver()
    play(driver, history)
    driver.advance(hours(END_H))
    check_no_flapping(driver)


@settings(max_examples=60)
@given(policies(), histories())
def test_no_history_makes_any_lifecycle_flap(policy, history):
    driver = Driver(policy)
    play(driver, history)
    driver.advance(hours(END_H))
    check_no_flapping(driver)


@settings(max_examples=60)
@given(policies(), histories(most=12))
def test_the_steps_of_any_lifecycle_are_those_of_brute_force(policy, history):
    # given
    driver, slow = Driver(policy), LifecycleOracle(policy)
    for each in history:
        row = driver.ledger.incident("leak")
        if isinstance(each, IncidentProfile):
            slow.profile(each.industry_impact, row.as_of if row else 0.0)
        elif isinstance(each, SourceItem) and (slow.seen or not each.retracted):
            slow.observe(each)
        play_one(driver, each)

    # when
    driver.advance(hours(END_H))
    if not slow.seen:
        return
    slow.run(hours(END_H))

    # then
    fast = changes(driver)
    assert [(each.previous, each.to) for each in fast] == [each[1:] for each in slow.steps]
    assert [to_epoch(each.at) for each in fast] == pytest.approx(
        [each.at for each in slow.steps], abs=0.005, rel=0
    )


@settings(max_examples=60)
@given(policies(), histories())
def test_each_change_carries_the_figures_that_met_its_rule(policy, history):
    # given
    driver = Driver(policy)
    play(driver, history)
    driver.advance(hours(END_H))

    for change in changes(driver):
        # when
        rule = rule_of(change, policy)
        thresholds = ["threshold", *(f"{condition.metric}_threshold" for condition in rule.when[1:])]

        # then
        assert set(change.evidence) == {*thresholds, *(each.metric for each in rule.when), "held_h"}
        assert change.evidence["held_h"] >= rule.hold_h
        for condition, threshold in zip(rule.when, thresholds, strict=True):
            value, than = change.evidence[condition.metric], change.evidence[threshold]
            assert than == condition.than
            assert (
                value >= than * (1.0 - 1e-6)
                if condition.comparison == "at_least"
                else value <= than * (1.0 + 1e-6)
            )


@settings(max_examples=60)
@given(policies(), histories(), st.lists(st.floats(0.0, END_H), max_size=20))
def test_one_jump_of_the_clock_and_many_small_steps_tell_the_same(policy, history, stops):
    # given
    jumping, stepping = Driver(policy), Driver(policy)
    play(jumping, history)
    play(stepping, history)

    # when
    jumping.advance(hours(END_H))
    for stop in sorted(stops):
        stepping.advance(max(stepping.ledger.time, hours(stop)))
    stepping.advance(hours(END_H))

    # then
    assert [(out.id, out.at, encode(out.event)) for out in stepping.log] == [
        (out.id, out.at, encode(out.event)) for out in jumping.log
    ]


@settings(max_examples=40)
@given(policies(), histories())
def test_an_idle_incident_comes_to_rest_whatever_the_lifecycle(policy, history):
    # given
    driver = Driver(policy)
    play(driver, history)

    # when
    driver.advance(hours(24.0 * 365 * 3))

    # then
    assert len(driver.ledger.deadlines) == 0
