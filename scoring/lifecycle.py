"""Lifecycle: which state an incident is in, by declared rules: enter, hold, cooldown, leave, reopen.

Each rule compares a metric with a value and wants the comparison to hold for a while. When a metric will fall through
a value is known in closed form, so every rule has one firing time, and holds are honoured without any tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.times import HOUR_S
from schemas.words import State
from scoring.curve import noise_falls_below
from scoring.decay import ALREADY, NEVER
from scoring.incident import Incident
from scoring.policy import METRIC_HORIZON_H, Policy, Rule
from scoring.rates import rate_falls_below


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


def metric_falls(incident: Incident, policy: Policy, rule: Rule) -> float:
    """Return when the rule's metric falls below its value if nothing new comes (epoch seconds)."""
    if rule.metric == "noise":
        return noise_falls_below(incident, policy, rule.than)
    if rule.metric == "platforms":
        return ALREADY if len(incident.platforms) < rule.than else NEVER
    horizon_h = METRIC_HORIZON_H[rule.metric]
    return rate_falls_below(incident, policy.rates.horizons_h.index(horizon_h), horizon_h, rule.than)


def settle(incident: Incident, policy: Policy, now: float) -> None:
    """Note, before anything new is applied at `now`, since when each comparison holds, and which broke off.

    What is noted does not depend on how often this is called on the way to `now`.
    """
    for index, rule in _rules(incident, policy):
        falls = metric_falls(incident, policy, rule)
        if rule.comparison == "at_least":
            if now >= falls:
                incident.holds_since.pop(index, None)
        elif now >= falls and index not in incident.holds_since:
            incident.holds_since[index] = max(falls, incident.state_since) if falls == ALREADY else falls


def resume(incident: Incident, policy: Policy, now: float) -> None:
    """Note, after something new was applied at `now`, which comparisons begin to hold or hold no more."""
    for index, rule in _rules(incident, policy):
        holds = (now < metric_falls(incident, policy, rule)) == (rule.comparison == "at_least")
        if not holds:
            incident.holds_since.pop(index, None)
        elif index not in incident.holds_since:
            incident.holds_since[index] = now


def fires_at(incident: Incident, policy: Policy, index: int, rule: Rule) -> float:
    """Return when the rule with this index will have been met if nothing new comes, or NEVER."""
    falls = metric_falls(incident, policy, rule)
    fires = round(_since(incident, index, rule, falls) + rule.hold_h * HOUR_S, 3)
    if rule.step == "back" or incident.stepped_back:
        fires = max(
            fires, round(incident.state_since + policy.lifecycle.cooldown_h[incident.state] * HOUR_S, 3)
        )
    return NEVER if rule.comparison == "at_least" and fires >= falls else fires


def step(incident: Incident, policy: Policy, now: float) -> Iterator[Transition]:
    """Take every step that is due at `now`, the first rule first, and yield each."""
    while True:
        for index, rule in _rules(incident, policy):
            if fires_at(incident, policy, index, rule) <= now:
                settle(incident, policy, now)
                yield _take(incident, policy, index, rule, now)
                break
        else:
            return


def next_step(incident: Incident, policy: Policy) -> float:
    """Return when the next rule will have been met if nothing new comes, or NEVER (epoch seconds)."""
    return min(
        (fires_at(incident, policy, index, rule) for index, rule in _rules(incident, policy)), default=NEVER
    )


def _take(incident: Incident, policy: Policy, index: int, rule: Rule, now: float) -> Transition:
    since = _since(incident, index, rule, metric_falls(incident, policy, rule))
    evidence = {
        rule.metric: metric(incident, policy, rule.metric, now),
        "threshold": rule.than,
        "held_h": max(0.0, round((now - since) / HOUR_S, 3)),
    }
    previous, incident.state = incident.state, rule.to
    incident.state_since, incident.stepped_back = now, rule.step == "back"
    still = {number for number, _ in _rules(incident, policy)}
    incident.holds_since = {number: at for number, at in incident.holds_since.items() if number in still}
    resume(incident, policy, now)
    return Transition(previous, rule.to, rule, evidence)


def _since(incident: Incident, index: int, rule: Rule, falls: float) -> float:
    """Since when the comparison holds, or from when it will; NEVER where only something new can make it hold."""
    noted = incident.holds_since.get(index)
    if noted is not None:
        return noted
    return falls if rule.comparison == "below" else NEVER


def _rules(incident: Incident, policy: Policy) -> Iterator[tuple[int, Rule]]:
    for index, rule in enumerate(policy.lifecycle.rules):
        if incident.state in rule.sources:
            yield index, rule


def reason(rule: Rule) -> str:
    """Return in words what the rule wanted."""
    unit = {"velocity": " items/h", "activity": " items/h", "platforms": "", "noise": ""}[rule.metric]
    words = {"at_least": "at or above", "below": "below"}[rule.comparison]
    held = f" for {rule.hold_h:g} h" if rule.hold_h else ""
    return f"{rule.metric} {words} {rule.than:g}{unit}{held}"
