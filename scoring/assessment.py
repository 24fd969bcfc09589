"""What happens to an incident at one time, and when the next time comes: one order, for the row and for its future."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.words import Activity, Trend
from scoring import activity, lifecycle, peaks, trend
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.policy import Policy


class Assessment(Struct, frozen=True):
    """What happened to an incident at one time: crossings, trend and activity before if one changed, and steps.

    `outlook` is that of the trend from then on.
    """

    crossings: list[peaks.Crossing]
    words_were: tuple[Trend, Activity] | None
    steps: list[lifecycle.Transition]
    outlook: trend.Outlook | None = None

    @property
    def happened(self) -> bool:
        """Whether anything did."""
        return bool(self.crossings or self.steps or self.words_were is not None)


NOTHING_ELSE: Final = Assessment([], None, [])
"""A merge is told by its own event alone."""


def assess(incident: Incident, policy: Policy, now: float) -> Assessment:
    """Bring peaks, trend, activity and state up to `now` (epoch seconds), and return what happened; the row changes."""
    crossings = list(peaks.cross(incident, policy, now))
    trend_was, outlook = trend.turn(incident, policy, now)
    activity_was = activity.step(incident, policy, now)
    turned = trend_was is not None or activity_was is not incident.activity
    steps = list(lifecycle.step(incident, policy, now))
    words_were = (trend_was or incident.trend, activity_was) if turned else None
    return Assessment(crossings, words_were, steps, outlook)


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
