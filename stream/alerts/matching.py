"""Whether a rule tells of an event. Pure: event, what is known of its incident, policy."""

from __future__ import annotations

from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.trend_update import TrendUpdate
from schemas.words import Activity
from scoring.policy import Policy
from stream.alerts.heard import Known, Trigger, noise_of
from stream.alerts.rule_file import least_noise
from stream.alerts.rules import Peaks, Rule, States, When


def matches(rule: Rule, event: Trigger, known: Known, policy: Policy) -> bool:
    """Return whether `rule` tells of `event`."""
    return (
        _happens(rule.when, event, policy)
        and _watched(rule, event.incident_id, known)
        and (not rule.categories or known.category in rule.categories)
        and noise_of(event, known) >= least_noise(rule, policy)
    )


def _happens(when: When, event: Trigger, policy: Policy) -> bool:
    if isinstance(event, StateChange):
        return when.states is not None and _state_changes(when.states, event)
    if isinstance(event, PeakCrossing):
        return when.peaks is not None and _crosses(when.peaks, event)
    return _turns(when, event, policy)


def _state_changes(states: States, event: StateChange) -> bool:
    return (not states.to or event.to in states.to) and (not states.before or event.previous in states.before)


def _crosses(peaks: Peaks, event: PeakCrossing) -> bool:
    return (not peaks.kinds or event.kind in peaks.kinds) and (
        not peaks.levels or event.level in peaks.levels
    )


def _turns(when: When, event: TrendUpdate, policy: Policy) -> bool:
    """One event may tell of trend and activity; only what has changed by it counts."""
    trend = event.trend != event.previous and event.trend in when.trends
    changed = event.activity != event.previous_activity
    spike = (
        changed
        and when.spike is not None
        and event.activity is Activity.SPIKING
        and event.spike >= policy.spike.thresholds[when.spike]
    )
    return trend or spike or (changed and event.activity in when.activity)


def _watched(rule: Rule, incident_id: str, known: Known) -> bool:
    if not rule.incidents and not rule.figures:
        return True
    return incident_id in rule.incidents or any(name.casefold() in known.figures for name in rule.figures)
