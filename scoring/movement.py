"""What moved the noise at one instant: by how many points, through which factor, and how much of it is freshness.

With w the weights, v the factors and d the decay, a factor gives w v d. From (v, d) to (v', d') it moves the noise by
`w v' d' - w v d`, which is `w v (d' - d)`, what the moved anchor gives back (freshness), and `w (v' - v) d'`, what the
changed value gives.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.noise_score import Change, Factors
from schemas.words import Cause
from scoring import factors
from scoring.decay import decay
from scoring.incident import Incident
from scoring.policy import Policy

NOTHING: Final = Factors(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
DUE: Final = Change(Cause.DEADLINE, 0.0, 0.0, NOTHING)
"""A deadline moves no noise: it tells what decay, or the time that has passed, has come to."""

NAMES: Final = Factors.__struct_fields__

_ROUNDING: Final = 1e-9
"""Points of noise. What is further from the stored composite was weighed under another policy."""


class Standing(NamedTuple):
    """What the noise of an incident is made of at one instant: `points` by factor add up to `noise`."""

    noise: float
    composite: float
    decay: float
    points: Factors


def standing(incident: Incident, values: Factors, policy: Policy, at: float) -> Standing:
    """Return what the noise is made of at `at` (epoch seconds), `values` being the incident's factors.

    A row that another policy has left keeps its noise until its evidence changes: the factors as weighed now then
    share in it as they would in their own.
    """
    if not incident.items:
        return Standing(0.0, 0.0, 0.0, NOTHING)
    left = decay(at - incident.last_seen, policy.curve.half_life_s)
    noise = incident.composite * left
    points = factors.weighted(values, policy.weights, left)
    total = factors.total(points)
    if abs(total - noise) > _ROUNDING and total > 0.0:
        points = factors.weighted(values, policy.weights, left * noise / total)
    return Standing(noise, incident.composite, left, points)


def moved(by: Cause, before: Standing, after: Standing) -> Change:
    """Return the change from what stood just before to what stands now, both at the same instant."""
    was, now = before.points, after.points
    return Change(
        by,
        after.noise - before.noise,
        before.composite * (after.decay - before.decay) if after.decay else 0.0,
        Factors(
            now.reach - was.reach,
            now.engagement - was.engagement,
            now.star_power - was.star_power,
            now.duration - was.duration,
            now.cross_platform - was.cross_platform,
            now.polarity - was.polarity,
            now.industry_impact - was.industry_impact,
        ),
    )


def by_value(change: Change, contributions: Factors) -> dict[str, float]:
    """Return the points by which each factor's changed value moved the noise; with freshness they add up to `points`.

    `contributions` are those of the same score. Whoever has the score alone can do the same sum: a factor's share in
    the freshness is its share in the noise just before.
    """
    noise_before = factors.total(contributions) - change.points
    regained = change.freshness / noise_before if noise_before > 0.0 else 0.0
    found = {}
    for name in NAMES:
        points = getattr(change.factors, name)
        found[name] = points - regained * (getattr(contributions, name) - points)
    return found
