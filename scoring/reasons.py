"""The figures behind each factor and behind the trend, in words a newsroom can repeat."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from schemas.times import DAY_S, HOUR_S, from_epoch
from schemas.words import Activity, Cause, Tier, Trend
from scoring import activity, factors, trend
from scoring.chronicle import NOTICED, Move
from scoring.decay import NEVER, decay
from scoring.incident import Incident
from scoring.item import MICRO, MILLI
from scoring.policy import Policy

LABELS: Final = {
    "reach": "Reach",
    "engagement": "Engagement",
    "star_power": "Star power",
    "duration": "Duration",
    "cross_platform": "Cross-platform",
    "polarity": "Polarity",
    "industry_impact": "Industry impact",
}
"""The factors as readers know them."""

MOST_NAMED: Final = 4
"""Parties or platforms that a reason names before it counts the rest."""

CAME_BY: Final = {
    Cause.OBSERVATION: "an observation",
    Cause.PROFILE: "the editors' profile",
    Cause.DEADLINE: "a deadline",
    Cause.MERGE: "a merge with another incident",
}

AGED: Final = 0.9
"""Share that still counts below which a reason says so: of a young incident it says nothing new."""

Names = Mapping[str, str]
"""How a name is written, by the name in lower case: rows keep the latter."""


def when(at: float) -> str:
    """Return a time (epoch seconds) as people write it.

    >>> when(1639098300.0)
    '10 December 2021, 01:05 UTC'
    """
    moment = from_epoch(at)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def span(seconds: float) -> str:
    """Return a length of time in the unit that suits it.

    >>> span(40.0), span(2700.0), span(8640.0), span(1900000.0)
    ('40 s', '45 min', '2.4 h', '22.0 days')
    """
    if seconds < 60.0:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / 60.0:.0f} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h"
    return f"{seconds / DAY_S:.1f} days"


def because(incident: Incident, policy: Policy, names: Names) -> dict[str, str]:
    """Return what stands behind each of the seven factors, by the factor's name."""
    return {
        "reach": reach(incident, policy),
        "engagement": engagement(incident, policy),
        "star_power": star_power(incident, policy, names),
        "duration": duration(incident, policy),
        "cross_platform": cross_platform(incident, policy),
        "polarity": polarity(incident, policy),
        "industry_impact": industry_impact(incident, policy),
    }


def reach(incident: Incident, policy: Policy) -> str:
    """How many people, and how many of those are an estimate."""
    people = factors.audience(incident, policy)
    total = people.known + people.estimated
    if not total:
        return "no audience known, and no interactions to estimate one from"
    aged = _aged(incident, policy)
    if not people.estimated:
        return f"audience {total:,.0f}, as the sources say{aged}"
    if not people.known:
        return f"audience {total:,.0f}, all of it estimated from interactions{aged}"
    return f"audience {total:,.0f} ({100 * people.estimated_share:.0f} % estimated){aged}"


def engagement(incident: Incident, policy: Policy) -> str:
    """Interactions in typical items, and where they were."""
    recent = factors.recent_share(incident, policy)
    units = {
        name: recent * sums.interactions / MILLI / policy.platform(name).typical
        for name, sums in incident.platforms.items()
        if sums.interactions
    }
    if not units:
        return "no interactions yet"
    shares = sorted(units.items(), key=lambda each: (-each[1], each[0]))
    total = factors.engagement_units(incident, policy)
    return (
        f"interactions of {_round(total)} typical items: "
        + _listed(f"{name} {_round(number)}" for name, number in shares)
        + _aged(incident, policy)
    )


def star_power(incident: Incident, policy: Policy, names: Names) -> str:
    """The parties and figures, the most influential first."""
    rule = policy.star_power
    ranked = sorted(tiers(incident, policy).items(), key=lambda each: (-rule.points(each[1]), each[0]))
    if not ranked:
        return "no party or figure is named"
    return _listed(f"{names.get(name, name)} ({tier.value} {rule.points(tier):g})" for name, tier in ranked)


def tiers(incident: Incident, policy: Policy) -> dict[str, Tier]:
    """Return every party and figure, in lower case, with its tier; as `factors.star_power` counts them."""
    rule = policy.star_power
    found: dict[str, Tier] = dict.fromkeys(incident.figures, rule.default_tier)
    found.update((name.casefold(), tier) for name, tier in rule.figures.items() if name.casefold() in found)
    found.update(incident.parties)
    return found


def duration(incident: Incident, policy: Policy) -> str:
    """How long coverage has lasted, and how long gives full marks."""
    lasted = incident.last_seen - incident.first_seen
    aged = _aged(incident, policy, policy.aging.spread_items)
    return f"{span(lasted)} from first to last coverage; {policy.duration.full_h:g} h give 100{aged}"


def cross_platform(incident: Incident, policy: Policy) -> str:
    """Which platforms cover it, with how many items."""
    ranked = sorted(incident.platforms.items(), key=lambda each: (-each[1].items, each[0]))
    if not ranked:
        return "no platform covers it any more"
    named = _listed(f"{name} {sums.items:,}" for name, sums in ranked)
    return f"{_counted(len(ranked), 'platform')}: {named}{_aged(incident, policy, policy.aging.spread_items)}"


def polarity(incident: Incident, policy: Policy) -> str:
    """How much weight stands on either side."""
    if not incident.critic and not incident.defender:
        return f"nobody has taken a side: {policy.polarity.neutral:g}"
    critic, defender = incident.critic / MICRO, incident.defender / MICRO
    return f"critics weigh {_round(critic)}, defenders {_round(defender)} typical items"


def industry_impact(incident: Incident, policy: Policy) -> str:
    """Who says so."""
    if incident.impact is None:
        return f"not assessed: {policy.industry_impact.default:g} by default"
    return "as the editors assess it"


def doubt(incident: Incident, policy: Policy, at: float) -> str:
    """How much of the reach is a guess, and how much louder it is if that is half of the truth; no trifles."""
    people = factors.audience(incident, policy)
    if not people.estimated or not incident.items:
        return ""
    twice = factors.reach(factors.Audience(people.known, 2.0 * people.estimated), policy)
    more = policy.weights.reach * (twice - factors.reach(people, policy))
    more *= decay(at - incident.last_seen, policy.curve.half_life_s)
    if more < NOTICED:
        return ""
    share = 100 * people.estimated_share
    whole = "All of its audience is" if share > 99.5 else f"Of its audience {share:.0f} % are"
    return (
        f"{whole} estimated from interactions; were there twice as many people, "
        f"the noise would be {more:.1f} points higher."
    )


def moved(move: Move) -> str:
    """By how many points, through what, and why."""
    through = f"through {move.item_id}" if move.item_id else f"by {CAME_BY[move.by]}"
    why = ", ".join(parts(move))
    return f"{move.points:+.1f} points {through}" + (f": {why}" if why else "")


def parts(move: Move) -> tuple[str, ...]:
    """What the points of a move are owed to, the greatest first; what rounds to 0.0 is left out."""
    owed = {"fresher coverage" if move.freshness > 0.0 else "staler coverage": move.freshness}
    owed |= {LABELS[name].lower(): points for name, points in move.values.items()}
    ranked = sorted(owed.items(), key=lambda each: (-abs(each[1]), each[0]))
    return tuple(f"{name} {points:+.1f}" for name, points in ranked if abs(points) >= NOTICED)


def outlook(incident: Incident, policy: Policy, at: float) -> str:
    """Why the trend has its word: both rates, their ratio, and what holds it back if something does."""
    rule, horizons = policy.trend, policy.rates.horizons_h
    fast = incident.rate_at(horizons.index(rule.fast_h), rule.fast_h, at)
    slow = incident.rate_at(horizons.index(rule.slow_h), rule.slow_h, at)
    ratio = fast / slow if slow else 0.0
    unit, scale = ("an hour", 1.0) if max(fast, slow) >= 1.0 else ("a day", DAY_S / HOUR_S)
    fast_told = f"{_round(fast * scale)} items {unit} at {rule.fast_h:g} h"
    slow_told = f"{_round(slow * scale)} at {rule.slow_h:g} h"
    return f"{fast_told}, {slow_told}, ratio {ratio:.2f}{_held_back(incident, policy, at, ratio)}"


def volume(incident: Incident, policy: Policy) -> str:
    """What the volume does and what it waits for, as a sentence; empty where there is nothing to say."""
    since = when(incident.activity_since)
    silent_at = activity.silent_at(incident, policy)
    match incident.activity:
        case Activity.SPIKING:
            return f"Its volume has been far above its own usual level since {since}."
        case Activity.SILENT:
            return f"It has been silent since {since}: at its usual rate so long a gap is no chance."
        case Activity.NORMAL | Activity.SUBSIDED:
            return f"Without new coverage it falls silent on {when(silent_at)}." if silent_at < NEVER else ""


def _held_back(incident: Incident, policy: Policy, at: float, ratio: float) -> str:
    """What keeps the word at "Holding steady" though the ratio alone would not."""
    rule = policy.trend
    if incident.trend is not Trend.STEADY or rule.cooling_ratio <= ratio < rule.rising_ratio:
        return ""
    seen = trend.outlook(incident, policy)
    if ratio >= rule.rising_ratio:
        few = at >= seen.rise_ends
        return f"; {'too few items' if few else 'but the noise does not grow'} to call it rising"
    few = at >= seen.fall_ends
    return f"; {'too few items' if few else 'but the noise does not fall'} to call it falling"


def _aged(incident: Incident, policy: Policy, most_items: float = math.inf) -> str:
    """That older coverage counts for less, where it makes a difference that shows."""
    recent = factors.recent_share(incident, policy, most_items)
    return f"; aged to {100 * recent:.0f} %, most of it is old" if recent < AGED else ""


def _listed(parts: Iterable[str]) -> str:
    found = list(parts)
    more = len(found) - MOST_NAMED
    return ", ".join(found[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _round(number: float) -> str:
    """Three digits that say something, or whole numbers with their thousands.

    >>> _round(0.01234), _round(3.14159), _round(312.4), _round(12345.6)
    ('0.0123', '3.14', '312', '12,346')
    """
    return f"{number:,.0f}" if number >= 100.0 else f"{number:.3g}"
