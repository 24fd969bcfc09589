"""Events in one line: times are hours since T0, and what a test does not name is a plain default."""

from __future__ import annotations

from typing import Any, Final

from schemas.incident_profile import IncidentProfile, Party
from schemas.source_item import Engagement, SourceItem
from schemas.times import HOUR_S, from_epoch, parse_time
from schemas.words import Category, Side, Tier

T0: Final = parse_time("2026-06-24T00:00:00Z")
"""Where the hours of the tests begin, epoch seconds."""


def hours(count: float) -> float:
    """Epoch seconds of so many hours after T0, in whole milliseconds."""
    return round(T0 + count * HOUR_S, 3)


def item(
    item_id: str = "a",
    incident: str = "leak",
    *,
    h: float = 0.0,
    seen: float | None = None,
    platform: str = "news",
    likes: int = 0,
    comments: int = 0,
    shares: int = 0,
    views: int = 0,
    **fields: Any,
) -> SourceItem:
    """An observation of an item published at hour `h` and observed at hour `seen` (or at once)."""
    return SourceItem(
        item_id=item_id,
        incident_id=incident,
        platform=platform,
        published_at=from_epoch(hours(h)),
        observed_at=from_epoch(hours(h if seen is None else seen)),
        engagement=Engagement(likes, comments, shares, views),
        **fields,
    )


def profile(
    incident: str = "leak", impact: float | None = None, category: Category = Category.OTHER, **tiers: str
) -> IncidentProfile:
    """A profile whose parties are given as name="tier"."""
    parties = tuple(Party(name, Side.NEUTRAL, Tier(tier)) for name, tier in tiers.items())
    return IncidentProfile(incident, category=category, parties=parties, industry_impact=impact)


def merged(incident: str, into: str, **fields: Any) -> IncidentProfile:
    """A profile that merges an incident into another."""
    return IncidentProfile(incident, merged_into=into, **fields)
