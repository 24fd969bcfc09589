"""What happens to an incident at one time, and when the next time comes: one order, for the row and for its future."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.words import Activity, Trend
from scoring import activity, lifecycle, peaks, trend
from scoring.decay import NEVER, sooner
from scoring.incident import Incident
from scoring.policy import Policy


@mypyc_attr(acyclic=True)
class Ahead:
    """What lies ahead of an incident as its row stands, in closed form: it holds until the row changes.

    The outlook of its trend, the spans of the rules that lead out of its state, when its level will be left, and when
    the next step of its lifecycle will be taken, if that has been looked for (epoch seconds).
    """

    __slots__ = ("leaves_level_at", "outlook", "spans", "steps_at")

    def __init__(
        self,
        outlook: trend.Outlook,
        spans: lifecycle.Spans,
        leaves_level_at: float,
        steps_at: float | None = None,
    ) -> None:
        self.outlook = outlook
        self.spans = spans
        self.leaves_level_at = leaves_level_at
        self.steps_at = steps_at


@mypyc_attr(acyclic=True)
class Assessment:
    """What happened to an incident at one time: crossings, trend and activity before if one changed, and steps.

    `ahead` is what lies ahead from then on.
    """

    __slots__ = ("ahead", "crossings", "steps", "words_were")

    def __init__(
        self,
        crossings: list[peaks.Crossing],
        words_were: tuple[Trend, Activity] | None,
        steps: list[lifecycle.Transition],
        ahead: Ahead | None = None,
    ) -> None:
        self.crossings = crossings
        self.words_were = words_were
        self.steps = steps
        self.ahead = ahead

    @property
    def happened(self) -> bool:
        """Whether anything did."""
        return bool(self.crossings or self.steps or self.words_were is not None)


NOTHING_ELSE: Final = Assessment([], None, [])
"""A merge is told by its own event alone."""


def look_ahead(incident: Incident, policy: Policy, before: Ahead | None = None) -> Ahead:
    """Return what lies ahead of an incident; `before` is what did until its noise, and nothing else, changed."""
    if before is None:
        outlook, spans = trend.outlook(incident, policy), lifecycle.spans(incident, policy)
    else:
        outlook = trend.outlook(incident, policy, before.outlook)
        spans = lifecycle.spans(incident, policy, before.spans.by_rates)
    return Ahead(outlook, spans, peaks.level_ends(incident, policy))


def assess(incident: Incident, policy: Policy, now: float, ahead: Ahead | None = None) -> Assessment:
    """Bring peaks, trend, activity and state up to `now` (epoch seconds), and return what happened; the row changes.

    `ahead` is what lies ahead as the row stands, where it is known already.
    """
    seen = ahead or look_ahead(incident, policy)
    crossings, leaves_at = peaks.cross(incident, policy, now, seen.leaves_level_at)
    trend_was, outlook = trend.turn(incident, policy, now, seen.outlook)
    activity_was = activity.step(incident, policy, now)
    steps, spans, steps_at = lifecycle.step(incident, policy, now, seen.spans)
    turned = trend_was is not None or activity_was is not incident.activity
    words_were = (trend_was or incident.trend, activity_was) if turned else None
    return Assessment(crossings, words_were, steps, Ahead(outlook, spans, leaves_at, steps_at))


def next_deadline(incident: Incident, policy: Policy, after: float, ahead: Ahead | None = None) -> float:
    """Return the first time after `after` at which the incident may change by itself, or NEVER (epoch seconds).

    `ahead` is what lies ahead as the row stands, where it is known already. Nothing about the incident changes before,
    if nothing new comes, but the noise, which falls along its curve.
    """
    if incident.merged_into is not None:
        return NEVER
    seen = ahead or look_ahead(incident, policy)
    steps_at = seen.steps_at
    if steps_at is None:
        steps_at = lifecycle.next_step(incident, policy, seen.spans)
    earliest = seen.outlook.turns_at(after)
    earliest = sooner(peaks.announced_at(incident, policy), earliest, after)
    earliest = sooner(peaks.peaked_at(incident, policy), earliest, after)
    earliest = sooner(seen.leaves_level_at, earliest, after)
    earliest = sooner(steps_at, earliest, after)
    earliest = sooner(activity.subsides_at(incident, policy), earliest, after)
    return sooner(activity.silent_at(incident, policy), earliest, after)
