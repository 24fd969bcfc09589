"""Lifecycle: which state an incident is in, by declared rules: enter, hold, cooldown, leave, reopen.

Each rule compares metrics with values and wants all its comparisons to hold together for a while. When a metric will
fall through a value is known in closed form, so every rule has one firing time: holds need no tick.
"""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S, whole_ms
from schemas.words import State
from scoring.curve import noise_falls_below
from scoring.decay import ALREADY, NEVER, falls_below
from scoring.derived import Watch
from scoring.incident import Incident
from scoring.lifecycle_rules import METRIC_HORIZON_H
from scoring.policy import Policy


@mypyc_attr(acyclic=True)
class Transition:
    """A step from one state to the next, the rule that was met, and since when it was (epoch seconds)."""

    __slots__ = ("met_since", "previous", "to", "watch")

    def __init__(self, previous: State, to: State, watch: Watch, met_since: float) -> None:
        self.previous, self.to, self.watch, self.met_since = previous, to, watch, met_since


def metric(incident: Incident, policy: Policy, name: str, at: float) -> float:
    """Return the metric at `at`: items per hour (velocity, activity), platforms, or noise (0 to 100)."""
    if name == "noise":
        return incident.noise_at(at, policy.curve.half_life_s)
    if name == "platforms":
        return float(len(incident.platforms))
    horizon_h = METRIC_HORIZON_H[name]
    return incident.rate_at(policy.rates.horizons_h.index(horizon_h), horizon_h, at)


@mypyc_attr(acyclic=True)
class Span:
    """From when to before when (epoch seconds) all comparisons of a rule hold, if nothing new comes."""

    __slots__ = ("begins", "ends", "watch")

    def __init__(self, watch: Watch, begins: float, ends: float) -> None:
        self.watch, self.begins, self.ends = watch, begins, ends

    def holds(self, at: float) -> bool:
        """Whether they hold at `at`."""
        return self.begins <= at < self.ends


@mypyc_attr(acyclic=True)
class Spans:
    """The span of each rule that leads away from the present state, and as it would be without its noise."""

    __slots__ = ("all", "by_rates")

    def __init__(self, by_rates: tuple[Span, ...], spans: tuple[Span, ...]) -> None:
        self.by_rates, self.all = by_rates, spans


def spans(incident: Incident, policy: Policy, by_rates: tuple[Span, ...] | None = None) -> Spans:
    """Return when the comparisons of each rule hold together: without anything new each metric only falls.

    So "at least" holds until its metric falls through the value, "below" from then on. `by_rates` are those from
    before, where only the noise has changed since.
    """
    if by_rates is None:
        by_rates = tuple([_by_rates(incident, watch) for watch in policy.derived.watches[incident.state]])
    return Spans(by_rates, tuple([_by_noise(incident, policy, span) for span in by_rates]))


def _by_noise(incident: Incident, policy: Policy, within: Span) -> Span:
    """The span of a rule, `within` being what its other comparisons leave."""
    watch = within.watch
    if not watch.noise:
        return within
    begins, ends = within.begins, within.ends
    for at_least, than in watch.noise:
        begins, ends = _cut(begins, ends, noise_falls_below(incident, policy, than), at_least=at_least)
    return Span(watch, begins, ends)


def _by_rates(incident: Incident, watch: Watch) -> Span:
    """The span of a rule but for its noise."""
    begins, ends = ALREADY, NEVER
    if watch.platforms is not None:
        at_least, than = watch.platforms
        if (len(incident.platforms) >= than) is not at_least:
            ends = ALREADY
    for at_least, than, horizon, half_life_s in watch.rates:
        falls = falls_below(incident.counts[horizon], incident.rates_at, half_life_s, than)
        begins, ends = _cut(begins, ends, falls, at_least=at_least)
    return Span(watch, begins, ends)


def _cut(begins: float, ends: float, falls: float, *, at_least: bool) -> tuple[float, float]:
    """What is left of a span by a metric that falls through its value at `falls`: what is before, or else after it."""
    return (begins, min(ends, falls)) if at_least else (max(begins, falls), ends)


def settle(incident: Incident, now: float, seen: Spans) -> None:
    """Note, before anything new is applied at `now`, since when each comparison holds, and which broke off.

    What is noted does not depend on how often this is called on the way to `now`. `seen` are the spans as the row
    stands.
    """
    holds_since = incident.holds_since
    for held in seen.all:
        number = held.watch.number
        if number not in holds_since and not held.watch.begins_by_itself:
            continue
        if not held.holds(now):
            holds_since.pop(number, None)
        elif number not in holds_since:
            holds_since[number] = max(held.begins, incident.state_since)


def resume(incident: Incident, now: float, seen: Spans) -> None:
    """Note, after something new was applied at `now`, which comparisons begin to hold or hold no more."""
    holds_since = incident.holds_since
    for held in seen.all:
        number = held.watch.number
        if not held.holds(now):
            holds_since.pop(number, None)
        elif number not in holds_since:
            holds_since[number] = now


def fires_at(incident: Incident, policy: Policy, held: Span) -> float:
    """Return when the rule with the span `held` will have been met if nothing new comes, or NEVER."""
    watch = held.watch
    since = incident.holds_since.get(watch.number)
    if since is None:
        if not watch.begins_by_itself:
            return NEVER
        since = _begins(held)
    fires = whole_ms(since + watch.hold_s)
    if watch.back or incident.stepped_back:
        cooled = whole_ms(incident.state_since + policy.lifecycle.cooldown_h[incident.state] * HOUR_S)
        fires = max(fires, cooled)
    return NEVER if fires >= held.ends else fires


def step(
    incident: Incident, policy: Policy, now: float, seen: Spans
) -> tuple[list[Transition], Spans, float]:
    """Take every step that is due at `now`, the first rule first.

    Return the steps, the spans of the state they lead to, and when the next step will be due if nothing new comes, or
    NEVER (epoch seconds). `seen` are the spans as the row stands.
    """
    steps: list[Transition] = []
    while True:
        earliest = NEVER
        for held in seen.all:
            fires = fires_at(incident, policy, held)
            if fires <= now:
                break
            earliest = min(earliest, fires)
        else:
            return steps, seen, earliest
        settle(incident, now, seen)
        steps.append(_take(incident, policy, held, now))
        seen = spans(incident, policy)
        resume(incident, now, seen)


def next_step(incident: Incident, policy: Policy, seen: Spans) -> float:
    """Return when the next rule will have been met if nothing new comes, or NEVER (epoch seconds)."""
    earliest = NEVER
    for held in seen.all:
        earliest = min(earliest, fires_at(incident, policy, held))
    return earliest


def _take(incident: Incident, policy: Policy, held: Span, now: float) -> Transition:
    watch = held.watch
    since, to = incident.holds_since.get(watch.number), watch.rule.to
    previous, incident.state = incident.state, to
    incident.state_since, incident.stepped_back = now, watch.back
    still = {each.number for each in policy.derived.watches[incident.state]}
    incident.holds_since = {number: at for number, at in incident.holds_since.items() if number in still}
    return Transition(previous, to, watch, _begins(held) if since is None else since)


def evidence(incident: Incident, policy: Policy, step: Transition, at: float) -> dict[str, float]:
    """Return the figures that met the rule of a step taken `at`: each metric, what it was compared with, for how long.

    The first comparison's value is the `threshold`, that of a further one `<metric>_threshold`.
    """
    told: dict[str, float] = {}
    for condition in step.watch.rule.when:
        told[condition.metric] = metric(incident, policy, condition.metric, at)
        told[f"{condition.metric}_threshold" if "threshold" in told else "threshold"] = condition.than
    told["held_h"] = max(0.0, round((at - step.met_since) / HOUR_S, 3))
    return told


def _begins(held: Span) -> float:
    """From when the comparisons will hold; NEVER where only something new can make them hold."""
    return held.begins if ALREADY < held.begins < held.ends else NEVER
