"""A plain, slow oracle: it keeps every observation and recomputes all from scratch, by the published formulas.

It shares no code with scoring/, only the constants of the policy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from schemas.source_item import SourceItem
from scoring.policy import Policy

MOST = 10**10  # interactions or people that one item can stand for: reach is full there
MOST_TYPICAL = 10**6  # typical items that one stance can weigh
MOST_FIGURES = 64


class Standing(NamedTuple):
    """What one observation says, in the order in which two of the same second are compared."""

    observed_at: float
    at: float
    platform: str
    interactions: int
    audience: int
    critic: int
    defender: int
    figures: tuple[str, ...]
    retracted: bool


class Evidence(NamedTuple):
    """Everything that is added up of the standing items."""

    items: int
    first_seen: float
    last_seen: float
    platforms: dict[str, tuple[int, int, int, int]]
    figures: dict[str, int]
    left_out: int
    critic: int
    defender: int
    mainstream_first: float


def standing(observations: Iterable[SourceItem], policy: Policy) -> list[Standing]:
    """The observation that stands for each item, the retracted ones left out."""
    latest: dict[str, Standing] = {}
    for item in observations:
        said = _said(item, policy)
        latest[item.item_id] = max(said, latest.get(item.item_id, said))
    return [said for said in latest.values() if not said.retracted]


def evidence(items: list[Standing], mainstream: tuple[str, ...] = ("news",)) -> Evidence:
    """Sums over the standing items, and extremes."""
    platforms: dict[str, tuple[int, int, int, int]] = {}
    mentions: dict[str, int] = {}
    for each in items:
        count, interactions, audience, without = platforms.get(each.platform, (0, 0, 0, 0))
        known = each.audience >= 0
        platforms[each.platform] = (
            count + 1,
            interactions + each.interactions,
            audience + (each.audience if known else 0),
            without + (0 if known else each.interactions),
        )
        for figure in each.figures:
            mentions[figure] = mentions.get(figure, 0) + 1
    kept = sorted(mentions)[:MOST_FIGURES]
    return Evidence(
        len(items),
        min((each.at for each in items), default=0.0),
        max((each.at for each in items), default=0.0),
        platforms,
        {figure: mentions[figure] for figure in kept},
        sum(mentions.values()) - sum(mentions[figure] for figure in kept),
        sum(each.critic for each in items),
        sum(each.defender for each in items),
        min((each.at for each in items if each.platform in mainstream), default=0.0),
    )


def count(items: list[Standing], half_life_h: float, at: float) -> float:
    """Items, each decayed since its date (not before: an item of the future counts full)."""
    return math.fsum(2.0 ** (-(at - each.at) / 3600.0 / half_life_h) for each in items)


def rate(items: list[Standing], half_life_h: float, at: float) -> float:
    """Items per hour at a horizon."""
    return count(items, half_life_h, at) * math.log(2.0) / half_life_h


class Recent(NamedTuple):
    """The share of the coverage that still counts: of reach and engagement, and of duration and platforms."""

    whole: float = 1.0
    spread: float = 1.0


FRESH = Recent()


def recent(items: list[Standing], policy: Policy) -> Recent:
    """What is left of the items at the last coverage, against what must be left for the whole to count."""
    if not items:
        return FRESH
    rule, last = policy.aging, max(each.at for each in items)
    left = count(items, rule.item_half_life_h, last) / rule.full_share
    return Recent(min(1.0, left / len(items)), min(1.0, left / min(len(items), rule.spread_items)))


def factors(
    found: Evidence,
    policy: Policy,
    impact: float | None = None,
    tiers: dict[str, str] | None = None,
    *,
    recent: Recent = FRESH,
):
    """The seven factors, in the order of the contract; `recent` is what is left of the coverage."""
    people = units = 0.0
    for name, (_, interactions, audience, without) in found.platforms.items():
        rule = policy.platforms.get(name, policy.platforms["other"])
        people += audience + without / 1000.0 * rule.audience_per_interaction
        units += interactions / 1000.0 / rule.typical
    points = {
        "S": policy.star_power.S,
        "A": policy.star_power.A,
        "B": policy.star_power.B,
        "C": policy.star_power.C,
    }
    named = {**dict.fromkeys(found.figures, policy.star_power.default_tier.value), **(tiers or {})}
    people, units = recent.whole * people, recent.whole * units
    mass = (found.critic + found.defender) / 1e6
    polarity = policy.polarity.neutral
    if mass:
        split = 100.0 * (1.0 - abs(found.critic - found.defender) / 1e6 / mass)
        prior = policy.polarity.prior_mass
        polarity = (prior * policy.polarity.neutral + mass * split) / (prior + mass)
    return (
        min(100.0, policy.reach.points_per_decade * math.log10(1.0 + people)),
        min(100.0, 100.0 * math.log10(1.0 + units) / math.log10(1.0 + policy.engagement.full_units)),
        min(100.0, sum(points[tier] for tier in named.values())),
        recent.spread
        * min(100.0, 100.0 * (found.last_seen - found.first_seen) / 3600.0 / policy.duration.full_h),
        recent.spread * min(100.0, policy.cross_platform.points_per_platform * len(found.platforms)),
        polarity,
        policy.industry_impact.default if impact is None else impact,
    )


def composite(values: Iterable[float], policy: Policy) -> float:
    """The weighted sum of the seven."""
    weights = policy.weights
    each = (
        weights.reach,
        weights.engagement,
        weights.star_power,
        weights.duration,
        weights.cross_platform,
        weights.polarity,
        weights.industry_impact,
    )
    return sum(weight * value for weight, value in zip(each, values, strict=True))


def noise(
    items: list[Standing],
    policy: Policy,
    at: float,
    impact: float | None = None,
    tiers: dict[str, str] | None = None,
) -> float:
    """The noise at `at`, epoch seconds; `impact` and `tiers` (by name in lower case) are those of the profile."""
    if not items:
        return 0.0
    found = evidence(items)
    idle_h = max(0.0, at - found.last_seen) / 3600.0
    values = factors(found, policy, impact, tiers, recent=recent(items, policy))
    return composite(values, policy) * 0.5 ** (idle_h / policy.curve.half_life_h)


def _said(item: SourceItem, policy: Policy) -> Standing:
    published = round(item.published_at.timestamp(), 3)
    observed = published if item.observed_at is None else round(item.observed_at.timestamp(), 3)
    seen, rule = item.engagement, policy.engagement
    interactions = min(
        seen.likes
        + rule.comment_weight * seen.comments
        + rule.share_weight * seen.shares
        + rule.view_weight * seen.views,
        MOST,
    )
    typical = policy.platforms.get(item.platform, policy.platforms["other"]).typical
    weight = 1e6 * (1.0 + min(interactions / typical, MOST_TYPICAL))
    stance = item.stance or 0.0
    return Standing(
        observed,
        min(published, observed),
        item.platform,
        round(1000 * interactions),
        -1 if item.audience is None else min(item.audience, MOST),
        round(weight * max(0.0, -stance)),
        round(weight * max(0.0, stance)),
        tuple(sorted({figure.casefold() for figure in item.figures})),
        item.retracted,
    )
