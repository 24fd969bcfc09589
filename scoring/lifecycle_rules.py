"""The table of the lifecycle as the policy declares it, and what makes such a table contradict itself."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from schemas.errors import PolicyError
from schemas.words import State
from scoring.policy_types import NOT_NEGATIVE, POSITIVE, holds

METRIC_HORIZON_H: Final = {"velocity": 1.0, "activity": 24.0}
"""The horizon (hours) of the rate that each rate metric reads."""

UNITS: Final = {"velocity": " items/h", "activity": " items/h", "platforms": "", "noise": ""}
"""What stands behind a value of each metric."""

LOUDEST: Final = 100.0
"""No noise exceeds it."""

Cooldown = Annotated[float, Meta(ge=0.01)]
"""Hours. Without a cooldown a step back and a step forward could follow one another in the same instant, for ever."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a metric with a value."""

    metric: str = field(metadata=holds(Literal["velocity", "activity", "platforms", "noise"]))
    comparison: str = field(metadata=holds(Literal["at_least", "below"], "is"))
    than: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the lifecycle table: from which states to which, when all of `when` hold together for `hold_h`."""

    sources: tuple[State, ...] = field(
        metadata=holds(Annotated[tuple[State, ...], Meta(min_length=1)], "from")
    )
    to: State
    when: tuple[Condition, ...] = field(metadata=holds(Annotated[tuple[Condition, ...], Meta(min_length=1)]))
    hold_h: float = field(metadata=NOT_NEGATIVE)
    step: str = field(metadata=holds(Literal["forward", "back"]))

    @property
    def begins_by_itself(self) -> bool:
        """Whether it can begin to hold without anything new: only what is to be below something can."""
        return any(condition.comparison == "below" for condition in self.when)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The rules of the lifecycle, first match first, and the cooldown of each state."""

    cooldown_h: dict[State, float] = field(metadata=holds(dict[State, Cooldown]))
    rules: tuple[Rule, ...] = field(metadata=holds(tuple[Rule, ...]))

    @property
    def rules_from(self) -> dict[State, tuple[tuple[int, Rule], ...]]:
        """The rules that lead away from each state, in their order, each with its place in the table."""
        numbered = tuple(enumerate(self.rules))
        return {state: tuple(each for each in numbered if state in each[1].sources) for state in State}


def reason(rule: Rule) -> str:
    """Return in words what the rule wanted."""
    held = f" for {rule.hold_h:g} h" if rule.hold_h else ""
    return " and ".join(map(condition_told, rule.when)) + held


def condition_told(condition: Condition) -> str:
    """Return one comparison in words."""
    words = {"at_least": "at or above", "below": "below"}[condition.comparison]
    return f"{condition.metric} {words} {condition.than:g}{UNITS[condition.metric]}"


def check_lifecycle(lifecycle: Lifecycle, horizons_h: tuple[float, ...]) -> None:
    """Raise PolicyError, with the key, where the table contradicts itself."""
    for state in State:
        if state not in lifecycle.cooldown_h:
            raise PolicyError(f"lifecycle.cooldown_h: `{state.value}` is missing")
    for number, rule in enumerate(lifecycle.rules, 1):
        _check_rule(f"lifecycle.rules[{number}]", rule, horizons_h)
    _check_circle(lifecycle)
    _check_lasting(lifecycle)
    _check_hysteresis(lifecycle)


def _check_rule(key: str, rule: Rule, horizons_h: tuple[float, ...]) -> None:
    if rule.to in rule.sources:
        raise PolicyError(f"{key}: leads from {rule.to.value} to itself")
    if len(set(rule.sources)) < len(rule.sources):
        raise PolicyError(f"{key}.from: names a state twice")
    if len({condition.metric for condition in rule.when}) < len(rule.when):
        raise PolicyError(f"{key}.when: compares a metric twice")
    for number, condition in enumerate(rule.when, 1):
        if condition.metric == "noise" and condition.than > LOUDEST:
            raise PolicyError(
                f"{key}.when[{number}].than: noise is never {condition.than:g}, but at most {LOUDEST:g}"
            )
        horizon = METRIC_HORIZON_H.get(condition.metric)
        if horizon is not None and horizon not in horizons_h:
            raise PolicyError(f"rates.horizons_h: {horizon:g} is missing; {key} needs it")


def _check_circle(lifecycle: Lifecycle) -> None:
    """Steps forward wait for nothing but their hold: round in a circle they could go for ever in one instant."""
    circle = _circle([rule for rule in lifecycle.rules if rule.step == "forward"])
    if circle:
        raise PolicyError(f"lifecycle.rules: steps forward lead round in a circle: {circle}")


def _check_lasting(lifecycle: Lifecycle) -> None:
    """Where nothing new comes, rates and noise fall and platforms stay: what then holds goes on holding for ever."""
    circle = _circle([rule for rule in lifecycle.rules if all(map(_lasts, rule.when))])
    if circle:
        raise PolicyError(
            f"lifecycle.rules: without anything new an incident would go round for ever: {circle}; let one of these "
            "steps want a velocity, an activity or a noise of at least something"
        )


def _lasts(condition: Condition) -> bool:
    return condition.comparison == "below" or condition.metric == "platforms"


def _circle(rules: list[Rule]) -> str:
    """Return the states of a circle that these rules make, the first one again at the end, or nothing."""
    leads: dict[State, set[State]] = {state: set() for state in State}
    for rule in rules:
        for source in rule.sources:
            leads[rule.to].add(source)
    try:
        graphlib.TopologicalSorter(leads).prepare()
    except graphlib.CycleError as error:
        return " -> ".join(state.value for state in error.args[1])
    return ""


def _check_hysteresis(lifecycle: Lifecycle) -> None:
    """A state must be left only below where it is entered: else what moved it there moves it back."""
    for entered, enter in enumerate(lifecycle.rules, 1):
        for left, leave in enumerate(lifecycle.rules, 1):
            if enter.step != "forward" or leave.step != "back" or not _meet(enter, leave):
                continue
            pairs = list(_shared(enter, leave))
            if pairs and all(low >= high for _, _, low, high in pairs):
                number, metric, low, high = pairs[0]
                raise PolicyError(
                    f"lifecycle.rules[{left}].when[{number}].than: {metric} below {low:g} leads back from where "
                    f"lifecycle.rules[{entered}] leads at {high:g}; it must be below that, or the state flaps"
                )


def _meet(enter: Rule, leave: Rule) -> bool:
    """Whether one rule begins in a state to which the other leads."""
    return enter.to in leave.sources or leave.to in enter.sources


def _shared(enter: Rule, leave: Rule) -> Iterator[tuple[int, str, float, float]]:
    """Yield what both compare: its place in `leave`, the metric, below what one leaves, from what one enters."""
    for number, low in enumerate(leave.when, 1):
        for high in enter.when:
            if low.metric == high.metric and (low.comparison, high.comparison) == ("below", "at_least"):
                yield number, low.metric, low.than, high.than
