"""What moved the noise at one instant: by how many points, through which factor, and how much of it is freshness.

With w the weights, v the factors and d the decay, a factor gives w v d. From (v, d) to (v', d') it moves the noise by
`w v' d' - w v d`, which is `w v (d' - d)`, what the moved anchor gives back (freshness), and `w (v' - v) d'`, what the
changed value gives.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.noise_score import Change, Factors
from schemas.words import Cause
from scoring import factors
from scoring.decay import decay
from scoring.incident import Incident
from scoring.per_factor import PerFactor
from scoring.policy import Policy

NOTHING: Final = Factors(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
DUE: Final = Change(Cause.DEADLINE, 0.0, 0.0, NOTHING)
"""A deadline moves no noise: it tells what decay, or the time that has passed, has come to."""

NAMES: Final = Factors.__struct_fields__


@mypyc_attr(acyclic=True)
class Before:
    """What stood just before something changed, and what changes it: kept until the change is told, if it is."""

    __slots__ = ("by", "composite", "decay", "factors")

    def __init__(self, by: Cause, factors: PerFactor, composite: float, decay: float) -> None:
        self.by, self.factors, self.composite, self.decay = by, factors, composite, decay

    @property
    def noise(self) -> float:
        """The noise (0 to 100) that stood."""
        return self.composite * self.decay


def moved(was: Before | None, incident: Incident, values: PerFactor, policy: Policy) -> Change:
    """Return the change from what stood to what stands as of the incident's revision; None: a deadline was due.

    A row that another policy has left keeps its noise until its evidence changes: the factors as weighed now then share
    in it as they would in their own.
    """
    if was is None:
        return DUE
    weights, now = policy.derived.weights, values
    left = decay(incident.as_of - incident.last_seen, policy.curve.half_life_s) if incident.items else 0.0
    weighed = was.factors.weighed(weights) if was.decay else 0.0
    had = was.decay * was.composite / weighed if weighed else 0.0
    return Change(
        was.by,
        incident.composite * left - was.noise,
        was.composite * (left - was.decay) if left else 0.0,
        Factors(
            weights.reach * (now.reach * left - was.factors.reach * had),
            weights.engagement * (now.engagement * left - was.factors.engagement * had),
            weights.star_power * (now.star_power * left - was.factors.star_power * had),
            weights.duration * (now.duration * left - was.factors.duration * had),
            weights.cross_platform * (now.cross_platform * left - was.factors.cross_platform * had),
            weights.polarity * (now.polarity * left - was.factors.polarity * had),
            weights.industry_impact * (now.industry_impact * left - was.factors.industry_impact * had),
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
