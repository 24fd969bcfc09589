"""What will happen to an incident by itself, and when, if nothing new comes: known at any time, without a clock."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from msgspec import Struct

from schemas.times import Moment, from_epoch
from schemas.words import Activity, PeakKind
from scoring import activity, lifecycle, peaks, trend
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.levels import shown
from scoring.policy import Policy


class Upcoming(Struct, frozen=True):
    """What will be true from `at` on."""

    at: Moment
    what: str


def next_deadline(
    incident: Incident, policy: Policy, after: float, outlook: trend.Outlook | None = None
) -> float:
    """Return the first time after `after` at which the incident may change by itself, or NEVER (epoch seconds).

    `outlook` is that of its trend as it stands, where it is known already.

    Nothing about it changes before, if nothing new comes, but the noise, which falls along its curve.
    """
    earliest = NEVER
    if incident.merged_into is not None:
        return earliest
    for at in (outlook or trend.outlook(incident, policy)).changes(after):
        earliest = min(earliest, at)
    for at in (
        peaks.announced_at(incident, policy),
        peaks.peaked_at(incident, policy),
        peaks.level_ends(incident, policy),
        lifecycle.next_step(incident, policy),
        activity.subsides_at(incident, policy),
        activity.silent_at(incident, policy),
    ):
        if after < at < earliest:
            earliest = at
    return earliest


def upcoming(incident: Incident, policy: Policy, after: float) -> tuple[Upcoming, ...]:
    """Return everything that will happen after `after` (epoch seconds) if nothing new comes, in its order.

    A copy of the row is led from deadline to deadline, as the ledger leads the row. There are few of them: metrics only
    fall, levels are left once each, and the policy has been checked to have no states that go round for ever.
    """
    ahead = copy.copy(incident)  # what is changed below are plain values; what is not is copied beside
    ahead.holds_since, ahead.spike = dict(incident.holds_since), copy.copy(incident.spike)
    found, at = [], after
    while (at := next_deadline(ahead, policy, at)) < NEVER:
        found += [Upcoming(from_epoch(at), what) for what in _assess(ahead, policy, at)]
    return tuple(found)


def _assess(incident: Incident, policy: Policy, now: float) -> Iterator[str]:
    """Bring peaks, trend and state up to `now`, in the ledger's order, and tell what happened."""
    for crossing in peaks.cross(incident, policy, now):
        yield _crossing_told(incident, policy, now, crossing)
    if trend.turn(incident, policy, now)[0] is not None:
        yield f"the trend turns to {incident.trend.value}"
    if activity.step(incident, policy, now) is not incident.activity:
        yield "the spike subsides" if incident.activity is Activity.SUBSIDED else "it falls silent"
    for step in lifecycle.step(incident, policy, now):
        yield f"the state turns to {step.to.value} ({lifecycle.reason(step.rule)})"


def _crossing_told(incident: Incident, policy: Policy, now: float, crossing: peaks.Crossing) -> str:
    if crossing.kind is PeakKind.PEAKED:
        return f"the peak of {shown(incident.peak_noise)} counts as final"
    if crossing.kind is PeakKind.NEW_PEAK:
        return f"a new peak of {shown(incident.noise_at(now, policy.curve.half_life_s))} is told"
    edge = policy.levels[crossing.level] - policy.peaks.level_hysteresis
    return f"the noise falls below {edge:g} and leaves {crossing.level}"
