"""Peaks and level crossings: announced as they happen, "peaked" only when the noise has stayed below for a while."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S, whole_ms
from schemas.words import PeakKind
from scoring.curve import noise_falls_below
from scoring.decay import ALREADY, NEVER
from scoring.incident import Incident
from scoring.policy import Policy

# Names of this module are read in place where the core is compiled; a member of an enum is looked up every time.
_NEW_PEAK: Final = PeakKind.NEW_PEAK
_PEAKED: Final = PeakKind.PEAKED
_ROSE_ABOVE: Final = PeakKind.ROSE_ABOVE
_FELL_BELOW: Final = PeakKind.FELL_BELOW


@mypyc_attr(acyclic=True)
class Crossing:
    """What crossed, and the level it is about."""

    __slots__ = ("kind", "level")

    def __init__(self, kind: PeakKind, level: str) -> None:
        self.kind, self.level = kind, level


def cross(
    incident: Incident, policy: Policy, now: float, leaves_at: float | None = None
) -> tuple[list[Crossing], float]:
    """Bring peak and level up to `now`; return what crossed, in a fixed order, and when its level will be left.

    `leaves_at` is when that was to be as the row stands, where it is known already (see `level_ends`).
    """
    crossings: list[Crossing] = []
    noise = incident.noise_at(now, policy.curve.half_life_s)
    if noise > incident.peak_noise:
        incident.peak_noise, incident.peak_at = noise, now
    names, edges = policy.level_names, policy.level_edges
    was = incident.level
    while incident.level + 1 < len(edges) and noise >= edges[incident.level + 1]:
        incident.level += 1
        crossings.append(Crossing(_ROSE_ABOVE, names[incident.level]))
    if leaves_at is None or incident.level != was:
        leaves_at = level_ends(incident, policy)
    while now >= leaves_at:
        crossings.append(Crossing(_FELL_BELOW, names[incident.level]))
        incident.level -= 1
        leaves_at = level_ends(incident, policy)
    if noise >= to_announce(incident, policy) and now >= _pause_ends(incident, policy):
        incident.announced, incident.announced_at, incident.peaked = noise, now, False
        crossings.append(Crossing(_NEW_PEAK, names[incident.level]))
    if now >= peaked_at(incident, policy):
        incident.peaked = True
        crossings.append(Crossing(_PEAKED, names[incident.level]))
    return crossings, leaves_at


def announced_at(incident: Incident, policy: Policy) -> float:
    """Return when a new peak that came within the pause will be told if nothing new comes, or NEVER."""
    least = to_announce(incident, policy)
    if incident.peak_noise < least:
        return NEVER
    ends = _pause_ends(incident, policy)
    return ends if ends < noise_falls_below(incident, policy, least) else NEVER


def to_announce(incident: Incident, policy: Policy) -> float:
    """Return the noise (0 to 100) from which there is a new peak to tell."""
    return max(policy.peaks.first_noise, incident.announced + policy.peaks.margin)


def _pause_ends(incident: Incident, policy: Policy) -> float:
    return whole_ms(incident.announced_at + policy.peaks.pause_h * HOUR_S)


def peaked_at(incident: Incident, policy: Policy) -> float:
    """Return when the announced peak will be confirmed if the noise stays below it (epoch seconds)."""
    return NEVER if incident.peaked else whole_ms(incident.peak_at + policy.peaks.hold_h * HOUR_S)


def level_ends(incident: Incident, policy: Policy) -> float:
    """Return when the noise will have fallen out of its level, hysteresis included (epoch seconds)."""
    if incident.level == 0:
        return NEVER
    edge = policy.level_edges[incident.level] - policy.peaks.level_hysteresis
    return noise_falls_below(incident, policy, edge) if incident.composite > 0.0 else ALREADY
