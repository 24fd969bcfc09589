"""The seven factors, each 0 to 100, from the evidence of an incident; and the composite they add up to.

The rules are those of the published methodology; where it is silent the policy says what we do.
"""

from __future__ import annotations

import math
from typing import Final

from mypy_extensions import mypyc_attr

from schemas.noise_score import Factors
from schemas.times import HOUR_S
from schemas.words import Tier
from scoring import per_factor
from scoring.incident import Incident
from scoring.item import MICRO, MILLI
from scoring.per_factor import PerFactor
from scoring.policy import Policy

FULL: Final = 100.0
_LOG10: Final = math.log10


@mypyc_attr(acyclic=True)
class Audience:
    """People reached: as the sources say, and as estimated from interactions where they do not."""

    __slots__ = ("estimated", "known")

    def __init__(self, known: float, estimated: float) -> None:
        self.known, self.estimated = known, estimated

    @property
    def estimated_share(self) -> float:
        """Share (0 to 1) of the audience that is estimated."""
        total = self.known + self.estimated
        return self.estimated / total if total else 0.0


def recent_share(incident: Incident, policy: Policy, most_items: float = math.inf) -> float:
    """Return which share (0 to 1) of what coverage has come to still counts, as of the last coverage.

    Each item loses half its part in `aging.item_half_life_h`. While `aging.full_share` of the items is left, the whole
    counts, and every factor is as published; below, the share that is left over that one. So one item after weeks of
    silence does not bring back all that was ever said, and no item's counts have to be kept by date: it is the
    incident's decayed count of items over their number, or over `most_items` where they are more.
    """
    recent = incident.counts[policy.derived.aging]
    wanted = policy.aging.full_share * min(incident.items, most_items)
    return recent / wanted if recent < wanted else 1.0


def audience(incident: Incident, policy: Policy) -> Audience:
    """Return the audience of the standing items, summed over platforms, aged by `recent_share`."""
    return _amounts(incident, policy, recent_share(incident, policy))[0]


def _amounts(incident: Incident, policy: Policy, recent: float) -> tuple[Audience, float]:
    """The audience, and the interactions in typical items, summed over platforms and aged by `recent`."""
    known, estimated = 0, 0.0
    units: list[float] = []
    for name, sums in incident.platforms.items():
        platform = policy.platform(name)
        known += sums.audience
        estimated += sums.without_audience / MILLI * platform.audience_per_interaction
        units.append(sums.interactions / MILLI / platform.typical)
    # The same in whatever order the platforms came; most incidents have but one.
    total = units[0] if len(units) == 1 else math.fsum(units)
    return Audience(known * recent, estimated * recent), recent * total


def reach(people: Audience, policy: Policy) -> float:
    """Ten points per decade of audience: `10 * log10(1 + audience)`, at most 100."""
    return min(FULL, policy.reach.points_per_decade * _LOG10(1.0 + people.known + people.estimated))


def engagement_units(incident: Incident, policy: Policy) -> float:
    """Return interactions in units of each platform's typical item, summed, aged by `recent_share`."""
    return _amounts(incident, policy, recent_share(incident, policy))[1]


def engagement(units: float, policy: Policy) -> float:
    """`100 * log10(1 + u) / log10(1 + u_full)`, at most 100, with u in typical items."""
    return min(FULL, FULL * _LOG10(1.0 + units) / policy.derived.engagement_full)


def star_power(incident: Incident, policy: Policy) -> float:
    """Points of the distinct parties and figures, at most 100; a party's tier goes before a figure's."""
    rule = policy.star_power
    if not incident.figures and not incident.parties:
        return 0.0
    tiers: dict[str, Tier] = dict.fromkeys(incident.figures, rule.default_tier)
    tiers.update((name.casefold(), tier) for name, tier in rule.figures.items() if name.casefold() in tiers)
    tiers.update(incident.parties)
    return min(FULL, math.fsum(rule.points(tier) for tier in tiers.values()))


def duration(incident: Incident, policy: Policy) -> float:
    """Time from first to last coverage over 72 h, at most 100; less where it was not sustained (`recent_share`)."""
    lasted = min(FULL, FULL * (incident.last_seen - incident.first_seen) / (policy.duration.full_h * HOUR_S))
    return lasted * recent_share(incident, policy, policy.aging.spread_items)


def cross_platform(incident: Incident, policy: Policy) -> float:
    """Points for each independent platform that covers it, at most 100; less where little covers it any more."""
    points = min(FULL, policy.cross_platform.points_per_platform * len(incident.platforms))
    return points * recent_share(incident, policy, policy.aging.spread_items)


def stance_mass(incident: Incident) -> float:
    """Return how much weighs on either side, in typical items."""
    return (incident.critic + incident.defender) / MICRO


def split(incident: Incident) -> float | None:
    """Return how evenly the reaction is split, 0 (one-sided) to 100; None where nobody has taken a side."""
    if not incident.critic and not incident.defender:
        return None
    mass = stance_mass(incident)
    return FULL * (1.0 - abs(incident.critic - incident.defender) / MICRO / mass)


def polarity(incident: Incident, policy: Policy) -> float:
    """`100 * (1 - |critic - defender| / (critic + defender))` over engagement-weighted stances, shrunk by a prior.

    0 is one-sided, 100 evenly split, 50 without reaction.
    """
    rule, evenly = policy.polarity, split(incident)
    if evenly is None:
        return rule.neutral
    mass = stance_mass(incident)
    return (rule.prior_mass * rule.neutral + mass * evenly) / (rule.prior_mass + mass)


def industry_impact(incident: Incident, policy: Policy) -> float:
    """As assessed in the profile, else the default of the policy."""
    return policy.industry_impact.default if incident.impact is None else incident.impact


def factors(incident: Incident, policy: Policy) -> PerFactor:
    """Return all seven factors of the incident as it stands."""
    people, units = _amounts(incident, policy, recent_share(incident, policy))
    return PerFactor(
        reach(people, policy),
        engagement(units, policy),
        star_power(incident, policy),
        duration(incident, policy),
        cross_platform(incident, policy),
        polarity(incident, policy),
        industry_impact(incident, policy),
    )


def grown(incident: Incident, policy: Policy, before: PerFactor) -> PerFactor:
    """Return all seven factors where nothing but amounts has changed since they were `before`."""
    people, units = _amounts(incident, policy, recent_share(incident, policy))
    return PerFactor(
        reach(people, policy),
        engagement(units, policy),
        before.star_power,
        before.duration,
        before.cross_platform,
        polarity(incident, policy),
        before.industry_impact,
    )


def weighted(values: Factors, weights: Factors, decay: float = 1.0) -> Factors:
    """Return the points each factor gives to the noise: `weight * factor * decay`."""
    return per_factor.read(values).weighted(per_factor.read(weights), decay).told()


def total(points: Factors) -> float:
    """Return the sum of the seven, exactly rounded.

    >>> total(Factors(8.0, 16.4, 2.25, 0.5, 3.0, 5.0, 5.0))
    40.15
    """
    return per_factor.read(points).total()


def composite(incident: Incident, policy: Policy, values: PerFactor) -> float:
    """Return the weighted composite (0 to 100) of an incident with these factors; one without items makes no noise."""
    return values.weighed(policy.derived.weights) if incident.items else 0.0
