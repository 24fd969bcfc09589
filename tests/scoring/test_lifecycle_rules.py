"""Which tables of the lifecycle contradict themselves, and which that look like it do not."""

from __future__ import annotations

import pytest

from schemas.errors import PolicyError
from schemas.words import State
from scoring.lifecycle_rules import Condition, Lifecycle, Rule, check_lifecycle
from tests.driver import SHIPPED_POLICY

HORIZONS_H = SHIPPED_POLICY.rates.horizons_h


def rule(sources: State | tuple[State, ...], to: State, *when: Condition, back: bool = False) -> Rule:
    named = sources if isinstance(sources, tuple) else (sources,)
    return Rule(named, to, when, 1.0, "back" if back else "forward")


def above(metric: str, than: float) -> Condition:
    return Condition(metric, "at_least", than)


def below(metric: str, than: float) -> Condition:
    return Condition(metric, "below", than)


def check(*rules: Rule) -> None:
    check_lifecycle(Lifecycle(dict.fromkeys(State, 12.0), rules), HORIZONS_H)


FLAPS = [
    # the state that was entered is left, for another than it came from
    (
        rule(State.EMERGING, State.DEBATED, above("noise", 60.0)),
        rule(State.DEBATED, State.GROWING, below("noise", 65.0), back=True),
    ),
    # another state is left, into where the first begins
    (
        rule(State.EMERGING, State.DEBATED, above("noise", 60.0)),
        rule(State.MAJOR, State.EMERGING, below("noise", 65.0), back=True),
    ),
    # equal values are too near
    (
        rule(State.EMERGING, State.DEBATED, above("noise", 60.0)),
        rule(State.DEBATED, State.EMERGING, below("noise", 60.0), back=True),
    ),
]


@pytest.mark.parametrize("pair", FLAPS)
@pytest.mark.parametrize("turned", [False, True])
def test_a_state_must_be_left_below_where_it_is_entered_whichever_rule_stands_first(pair, turned):
    rules = pair[::-1] if turned else pair
    low, high = pair[1].when[0].than, pair[0].when[0].than
    left, entered = rules.index(pair[1]) + 1, rules.index(pair[0]) + 1

    with pytest.raises(PolicyError) as refused:
        check(*rules)

    assert str(refused.value) == (
        f"lifecycle.rules[{left}].when[1].than: noise below {low:g} leads back from where "
        f"lifecycle.rules[{entered}] leads at {high:g}; it must be below that, or the state flaps"
    )


STANDS = {
    "the rules have no state in common": (
        rule(State.EMERGING, State.GROWING, above("velocity", 15.0)),
        rule(State.MAJOR, State.DEBATED, below("velocity", 20.0), back=True),
    ),
    "both lead forward": (
        rule(State.EMERGING, State.GROWING, above("velocity", 15.0)),
        rule(State.GROWING, State.DEBATED, below("velocity", 20.0)),
    ),
    "both lead back": (
        rule(State.MAJOR, State.DEBATED, above("velocity", 15.0), back=True),
        rule(State.DEBATED, State.EMERGING, below("velocity", 20.0), back=True),
    ),
    "they compare different metrics": (
        rule(State.EMERGING, State.DEBATED, above("velocity", 15.0)),
        rule(State.DEBATED, State.EMERGING, below("activity", 20.0), back=True),
    ),
    "one of two comparisons is low enough": (
        rule(State.EMERGING, State.DEBATED, above("velocity", 15.0), above("noise", 40.0)),
        rule(State.DEBATED, State.EMERGING, below("velocity", 20.0), below("noise", 30.0), back=True),
    ),
}


@pytest.mark.parametrize("rules", STANDS.values(), ids=STANDS)
def test_values_may_overlap_where(rules):
    check(*rules)


def test_noise_may_be_compared_with_the_loudest_there_is_and_no_more():
    check(rule(State.EMERGING, State.MAJOR, above("noise", 100.0)))

    with pytest.raises(PolicyError) as refused:
        check(rule(State.EMERGING, State.MAJOR, above("noise", 100.5)))
    assert str(refused.value) == "lifecycle.rules[1].when[1].than: noise is never 100.5, but at most 100"


def test_a_circle_that_goes_round_without_anything_new_is_named_with_what_would_end_it():
    with pytest.raises(PolicyError) as refused:
        check(
            rule(State.EMERGING, State.RESOLVED, below("noise", 30.0), back=True),
            rule(State.RESOLVED, State.EMERGING, below("velocity", 5.0), above("platforms", 2.0)),
        )

    said = str(refused.value)
    assert said.startswith("lifecycle.rules: without anything new an incident would go round for ever: ")
    assert "Emerging -> Resolved" in said or "Resolved -> Emerging" in said
    assert said.endswith(
        "; let one of these steps want a velocity, an activity or a noise of at least something"
    )
