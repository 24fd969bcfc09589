"""What will happen to an incident by itself, and when, if nothing new comes: known at any time, without a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from msgspec import Struct

from schemas.times import Moment, from_epoch
from schemas.words import Activity, PeakKind
from scoring import peaks
from scoring.assessment import Assessment, assess, next_deadline
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.levels import shown
from scoring.policy import Policy


class Upcoming(Struct, frozen=True):
    """What will be true from `at` on."""

    at: Moment
    what: str


def upcoming(incident: Incident, policy: Policy, after: float) -> tuple[Upcoming, ...]:
    """Return everything that will happen after `after` (epoch seconds) if nothing new comes, in its order.

    A copy of the row is led from deadline to deadline, as the ledger leads the row. There are few of them: metrics only
    fall, levels are left once each, and the policy has been checked to have no states that go round for ever.
    """
    # What is changed below are plain values; what is not is copied beside.
    ahead = replace(incident, holds_since=dict(incident.holds_since), spike=incident.spike.copied())
    found, at = [], after
    while (at := next_deadline(ahead, policy, at)) < NEVER:
        happened = assess(ahead, policy, at)
        found += [Upcoming(from_epoch(at), what) for what in _told(ahead, policy, at, happened)]
    return tuple(found)


def _told(incident: Incident, policy: Policy, now: float, happened: Assessment) -> Iterator[str]:
    """Say in words what has happened to an incident at `now`."""
    for crossing in happened.crossings:
        yield _crossing_told(incident, policy, now, crossing)
    if happened.words_were is not None:
        trend_was, activity_was = happened.words_were
        if incident.trend is not trend_was:
            yield f"the trend turns to {incident.trend.value}"
        if incident.activity is not activity_was:
            yield "the spike subsides" if incident.activity is Activity.SUBSIDED else "it falls silent"
    for step in happened.steps:
        yield f"the state turns to {step.to.value} ({step.watch.reason})"


def _crossing_told(incident: Incident, policy: Policy, now: float, crossing: peaks.Crossing) -> str:
    if crossing.kind is PeakKind.PEAKED:
        return f"the peak of {shown(incident.peak_noise)} counts as final"
    if crossing.kind is PeakKind.NEW_PEAK:
        return f"a new peak of {shown(incident.noise_at(now, policy.curve.half_life_s))} is told"
    edge = policy.levels[crossing.level] - policy.peaks.level_hysteresis
    return f"the noise falls below {edge:g} and leaves {crossing.level}"
