"""What will happen to an incident by itself, and when, if nothing new comes: each a closed form."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from schemas.times import Moment, from_epoch
from scoring import activity, lifecycle, peaks, trend
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.levels import shown
from scoring.policy import Policy


class Upcoming(Struct, frozen=True):
    """What will be true from `at` on."""

    at: Moment
    what: str


def upcoming(incident: Incident, policy: Policy, after: float) -> tuple[Upcoming, ...]:
    """Return everything due after `after` (epoch seconds) that can be told now, the earliest first.

    Each assumes that the others do not happen before; so only the first is certain, if nothing new comes.
    """
    due = [*_trend(incident, policy, after), *_activity(incident, policy), *_peak(incident, policy)]
    due.extend(_step(incident, policy))
    ahead = sorted((at, what) for at, what in due if after < at < NEVER)
    return tuple(Upcoming(from_epoch(at), what) for at, what in ahead)


def _trend(incident: Incident, policy: Policy, after: float) -> Iterator[tuple[float, str]]:
    outlook = trend.outlook(incident, policy)
    for at in sorted(outlook.changes(after)):
        if at < NEVER and (word := outlook.word(at)) is not incident.trend:
            yield at, f"the trend turns to {word.value}"
            return


def _activity(incident: Incident, policy: Policy) -> Iterator[tuple[float, str]]:
    yield activity.subsides_at(incident, policy), "the spike subsides"
    yield activity.silent_at(incident, policy), "it falls silent"


def _peak(incident: Incident, policy: Policy) -> Iterator[tuple[float, str]]:
    yield peaks.peaked_at(incident, policy), f"the peak of {shown(incident.peak_noise)} counts as final"
    names, edges = tuple(policy.levels), tuple(policy.levels.values())
    edge = edges[incident.level] - policy.peaks.level_hysteresis
    yield (
        peaks.level_ends(incident, policy),
        f"the noise falls below {edge:g} and leaves {names[incident.level]}",
    )


def _step(incident: Incident, policy: Policy) -> Iterator[tuple[float, str]]:
    due = [
        (lifecycle.fires_at(incident, policy, index, rule), index, rule)
        for index, rule in enumerate(policy.lifecycle.rules)
        if incident.state in rule.sources
    ]
    if due:
        at, _, rule = min(due, key=lambda each: each[:2])
        yield at, f"the state turns to {rule.to.value} ({lifecycle.reason(rule)})"
