"""Lifecycle: which state an incident is in, by declared rules: enter, hold, cooldown, leave, reopen.

Each rule compares metrics with values and wants all its comparisons to hold together for a while. When a metric will
fall through a value is known in closed form, so every rule has one firing time: holds need no tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.times import HOUR_S
from schemas.words import State
from scoring.curve import noise_falls_below
from scoring.decay import ALREADY, NEVER
from scoring.incident import Incident
from scoring.lifecycle_rules import METRIC_HORIZON_H, Condition, Rule
from scoring.policy import Policy
from scoring.rates import rate_falls_below

UNITS: Final = {"velocity": " items/h", "activity": " items/h", "platforms": "", "noise": ""}
"""What stands behind a value of each metric."""


class Transition(NamedTuple):
    """A step from one state to the next, the rule that was met, and the figures that met it."""

    previous: State
    to: State
    rule: Rule
    evidence: dict[str, float]


def metric(incident: Incident, policy: Policy, name: str, at: float) -> float:
    """Return the metric at `at`: items per hour (velocity, activity), platforms, or noise (0 to 100)."""
    if name == "noise":
        return incident.noise_at(at, policy.curve.half_life_s)
    if name == "platforms":
        return float(len(incident.platforms))
    horizon_h = METRIC_HORIZON_H[name]
    return incident.rate_at(policy.rates.horizons_h.index(horizon_h), horizon_h, at)


def metric_falls(incident: Incident, policy: Policy, condition: Condition) -> float:
    """Return when the metric falls below the condition's value if nothing new comes (epoch seconds)."""
    if condition.metric == "noise":
        return noise_falls_below(incident, policy, condition.than)
    if condition.metric == "platforms":
        return ALREADY if len(incident.platforms) < condition.than else NEVER
    horizon_h = METRIC_HORIZON_H[condition.metric]
    return rate_falls_below(incident, policy.rates.horizons_h.index(horizon_h), horizon_h, condition.than)


class Span(NamedTuple):
    """From when to before when (epoch seconds) all comparisons of a rule hold, if nothing new comes."""

    begins: float
    ends: float

    def holds(self, at: float) -> bool:
        """Whether they hold at `at`."""
        return self.begins <= at < self.ends


def span(incident: Incident, policy: Policy, rule: Rule) -> Span:
    """Return when the rule's comparisons hold together: without anything new each metric only falls.

    So "at least" holds until its metric falls through the value, "below" from then on.
    """
    begins, ends = ALREADY, NEVER
    for condition in rule.when:
        falls = metric_falls(incident, policy, condition)
        if condition.comparison == "at_least":
            ends = min(ends, falls)
        else:
            begins = max(begins, falls)
    return Span(begins, ends)


def settle(incident: Incident, policy: Policy, now: float) -> None:
    """Note, before anything new is applied at `now`, since when each comparison holds, and which broke off.

    What is noted does not depend on how often this is called on the way to `now`.
    """
    for index, rule in policy.lifecycle.rules_from[incident.state]:
        if index not in incident.holds_since and not rule.begins_by_itself:
            continue
        held = span(incident, policy, rule)
        if not held.holds(now):
            incident.holds_since.pop(index, None)
        elif index not in incident.holds_since:
            incident.holds_since[index] = max(held.begins, incident.state_since)


def resume(incident: Incident, policy: Policy, now: float) -> None:
    """Note, after something new was applied at `now`, which comparisons begin to hold or hold no more."""
    for index, rule in policy.lifecycle.rules_from[incident.state]:
        if not span(incident, policy, rule).holds(now):
            incident.holds_since.pop(index, None)
        elif index not in incident.holds_since:
            incident.holds_since[index] = now


def fires_at(incident: Incident, policy: Policy, index: int, rule: Rule) -> float:
    """Return when the rule with this index will have been met if nothing new comes, or NEVER."""
    if index not in incident.holds_since and not rule.begins_by_itself:
        return NEVER
    held = span(incident, policy, rule)
    fires = round(_since(incident, index, held) + rule.hold_h * HOUR_S, 3)
    if rule.step == "back" or incident.stepped_back:
        fires = max(
            fires, round(incident.state_since + policy.lifecycle.cooldown_h[incident.state] * HOUR_S, 3)
        )
    return NEVER if fires >= held.ends else fires


def step(incident: Incident, policy: Policy, now: float) -> Iterator[Transition]:
    """Take every step that is due at `now`, the first rule first, and yield each."""
    while True:
        for index, rule in policy.lifecycle.rules_from[incident.state]:
            if fires_at(incident, policy, index, rule) <= now:
                settle(incident, policy, now)
                yield _take(incident, policy, index, rule, now)
                break
        else:
            return


def next_step(incident: Incident, policy: Policy) -> float:
    """Return when the next rule will have been met if nothing new comes, or NEVER (epoch seconds)."""
    return min(
        (
            fires_at(incident, policy, index, rule)
            for index, rule in policy.lifecycle.rules_from[incident.state]
        ),
        default=NEVER,
    )


def _take(incident: Incident, policy: Policy, index: int, rule: Rule, now: float) -> Transition:
    since = _since(incident, index, span(incident, policy, rule))
    told = evidence(incident, policy, rule, now) | {"held_h": max(0.0, round((now - since) / HOUR_S, 3))}
    previous, incident.state = incident.state, rule.to
    incident.state_since, incident.stepped_back = now, rule.step == "back"
    still = {number for number, _ in policy.lifecycle.rules_from[incident.state]}
    incident.holds_since = {number: at for number, at in incident.holds_since.items() if number in still}
    resume(incident, policy, now)
    return Transition(previous, rule.to, rule, told)


def evidence(incident: Incident, policy: Policy, rule: Rule, at: float) -> dict[str, float]:
    """Return the figures that met the rule at `at`: each metric, and what it was compared with.

    The first comparison's value is the `threshold`, that of a further one `<metric>_threshold`.
    """
    told: dict[str, float] = {}
    for condition in rule.when:
        told[condition.metric] = metric(incident, policy, condition.metric, at)
        told[f"{condition.metric}_threshold" if "threshold" in told else "threshold"] = condition.than
    return told


def _since(incident: Incident, index: int, held: Span) -> float:
    """Since when the comparisons hold, or from when they will; NEVER where only something new can make them hold."""
    noted = incident.holds_since.get(index)
    if noted is not None:
        return noted
    return held.begins if ALREADY < held.begins < held.ends else NEVER


def reason(rule: Rule) -> str:
    """Return in words what the rule wanted."""
    held = f" for {rule.hold_h:g} h" if rule.hold_h else ""
    return " and ".join(map(condition_told, rule.when)) + held


def condition_told(condition: Condition) -> str:
    """Return one comparison in words."""
    words = {"at_least": "at or above", "below": "below"}[condition.comparison]
    return f"{condition.metric} {words} {condition.than:g}{UNITS[condition.metric]}"
