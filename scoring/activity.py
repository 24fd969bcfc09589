"""Activity: what an incident's volume does against its own usual level: normal, spiking, subsided, silent.

A spike begins with an alert of the detector, which only an item that comes or goes can raise. That it has subsided, and
that the incident has fallen silent, are known in advance: closed forms of its row, told at their time without any tick.
"""

from __future__ import annotations

import math
from typing import Final

from schemas.times import HOUR_S, whole_ms
from schemas.words import Activity
from scoring import spike
from scoring.decay import LN2, NEVER
from scoring.incident import Incident
from scoring.item import Counted
from scoring.policy import Policy, SpikeRule
from scoring.spike_state import SpikeState

# Names of this module are read in place where the core is compiled; a member of an enum is looked up every time.
_NORMAL: Final = Activity.NORMAL
_SPIKING: Final = Activity.SPIKING
_SUBSIDED: Final = Activity.SUBSIDED
_SILENT: Final = Activity.SILENT


def count(incident: Incident, old: Counted | None, new: Counted, policy: Policy, now: float) -> None:
    """Put `new` in the place of `old` (None: the item is new) in the incident's windows, at `now` (epoch seconds).

    An item that is seen again as it was leaves the windows where they are: so that they do not depend on how often
    crawlers look.
    """
    was, stands = old is not None and not old.retracted, not new.retracted
    if was and stands and old is not None and old.at == new.at:
        return
    state, tempo = incident.spike, policy.spike.incident
    spike.pass_to(state, now, policy.spike, tempo)
    if was and old is not None:
        spike.count(state, old.at, -1.0, tempo)
    if stands:
        spike.count(state, new.at, 1.0, tempo)


def step(incident: Incident, policy: Policy, now: float) -> Activity:
    """Bring the activity up to `now` (epoch seconds) and return what it was.

    What has subsided stays so until the next spike or silence: there is no news in a return to normal.
    """
    was, state, rule = incident.activity, incident.spike, policy.spike
    if state.at == now and _alerts(state, rule):  # else the windows are as they were when they were judged
        _turn(incident, _SPIKING, now)
    elif now >= _gap_ends(incident, policy):
        _turn(incident, _SILENT, now)
    elif now >= subsides_at(incident, policy):
        _turn(incident, _SUBSIDED, now)
    elif was is _SILENT:
        _turn(incident, _NORMAL, now)
    return was


def score(incident: Incident, policy: Policy, at: float) -> float:
    """Return the spike score (0 to 1) at `at` (epoch seconds), nothing having come since the latest observation."""
    state, rule = incident.spike.copied(), policy.spike
    spike.pass_to(state, at, rule, rule.incident)
    return spike.judge(state, rule, rule.incident, rule.sensitivity).score


def subsides_at(incident: Incident, policy: Policy) -> float:
    """Return when the present spike will have subsided if nothing new comes, NEVER if there is none (epoch seconds).

    That is when the volume comes near the usual level that was known at the latest observation.
    """
    if incident.activity is not _SPIKING:
        return NEVER
    told_until = whole_ms(incident.activity_since + policy.spike.hold_h * HOUR_S)
    return max(told_until, spike.calm_at(incident.spike, policy.spike, policy.spike.incident))


def silent_at(incident: Incident, policy: Policy) -> float:
    """Return when the incident will fall silent if nothing new comes, NEVER if it is or cannot (epoch seconds)."""
    return NEVER if incident.activity is _SILENT else _gap_ends(incident, policy)


def _gap_ends(incident: Incident, policy: Policy) -> float:
    """When the gap since the latest item is too long to be chance, or NEVER where coverage was never sustained.

    In a Poisson stream of rate r a gap longer than t has the chance exp(-r t).
    """
    rule, usual_h = policy.silence, policy.trend.usual_h
    items = incident.counts[policy.derived.usual]
    if items < rule.items:
        return NEVER
    gap_h = max(rule.least_h, -math.log(rule.chance) * usual_h / (items * LN2))
    return whole_ms(incident.rates_at + gap_h * HOUR_S)


def _alerts(state: SpikeState, rule: SpikeRule) -> bool:
    """Whether the windows are an alert; if so, it is noted."""
    seen = spike.judge(state, rule, rule.incident, rule.sensitivity)
    if seen.alert:
        state.alert_at, state.alert_surprise = state.at, seen.surprise
    return seen.alert


def _turn(incident: Incident, to: Activity, now: float) -> None:
    if incident.activity is not to:
        incident.activity, incident.activity_since = to, now
