"""One example of every event, as structs: the documents show what these encode to, so none can go stale.

They tell of one incident, and their numbers can be redone by hand: composite 40.15, and 2 h 26 min after
the last coverage a decay of 0.99, hence a noise of 39.75, shown as 39.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from schemas.dead_letter import DeadLetter, Origin
from schemas.incident_merged import IncidentMerged
from schemas.incident_profile import IncidentProfile, Party
from schemas.noise_index import IndexShare, Mover, NoiseIndex
from schemas.noise_score import Change, Factors, Forecast, LastItem, NoiseScore, Peak, Polarity
from schemas.peak_crossing import PeakCrossing
from schemas.source_item import Engagement, SourceItem
from schemas.state_change import StateChange
from schemas.topics import (
    DEAD_LETTERS,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    INDEX_SHARES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from schemas.trend_update import TrendUpdate
from schemas.words import Activity, Category, Cause, PeakKind, Shift, Side, State, Tier, Trend

_INCIDENT: Final = "log4shell"
_HALF_LIFE_S: Final = 604800.0
_AS_OF: Final = datetime(2021, 12, 10, 7, 7, tzinfo=UTC)
_LAST_SEEN: Final = datetime(2021, 12, 10, 4, 41, tzinfo=UTC)
_PEAK: Final = Peak(noise=47.25, at=datetime(2021, 12, 10, 2, 40, tzinfo=UTC))


def _digits(number: float) -> float:
    """Six digits are enough to redo a number by hand, and hide in which last bit two C libraries differ."""
    return round(number, 6)


_FACTORS: Final = Factors(
    reach=40.0,
    engagement=82.0,
    star_power=15.0,
    duration=5.0,
    cross_platform=20.0,
    polarity=50.0,
    industry_impact=50.0,
)
_COMPOSITE: Final = 40.15
_CONFIRMED: Final = datetime(2021, 12, 11, 2, 40, tzinfo=UTC)
_DECAY: Final = 2.0 ** -((_AS_OF - _LAST_SEEN).total_seconds() / _HALF_LIFE_S)
_LATER_DECAY: Final = 2.0 ** -((_CONFIRMED - _LAST_SEEN).total_seconds() / _HALF_LIFE_S)
_NOISE: Final = _digits(_COMPOSITE * _DECAY)

_ITEM: Final = SourceItem(
    item_id="hackernews:29504755",
    incident_id=_INCIDENT,
    platform="hackernews",
    published_at=datetime(2021, 12, 10, 1, 5, tzinfo=UTC),
    observed_at=datetime(2021, 12, 10, 2, 0, 12, tzinfo=UTC),
    audience=120000,
    engagement=Engagement(likes=12, comments=3),
    stance=-0.6,
    author="someone",
    url="https://news.ycombinator.com/item?id=29504755",
    title="Log4j RCE found",
    figures=("apache",),
)

_PROFILE: Final = IncidentProfile(
    incident_id=_INCIDENT,
    title="A log line is enough to take over a server",
    category=Category.SAFETY,
    parties=(
        Party(name="Security researchers", side=Side.CRITIC, tier=Tier.C, position="Patch at once."),
        Party(name="Apache", side=Side.DEFENDER, tier=Tier.B, position="A fixed release is out."),
    ),
    industry_impact=50.0,
    summary="A logging library that is nearly everywhere runs code named in the text it logs.",
    why_it_matters="Whoever can make a server log a line can take it over.",
    key_points=("The library is part of most Java software.", "A fixed release is out."),
    forecast="Scans will reach every open server within days.",
    updated_at=datetime(2021, 12, 10, 3, 0, tzinfo=UTC),
)

_SCORE: Final = NoiseScore(
    incident_id=_INCIDENT,
    revision=17,
    as_of=_AS_OF,
    noise=_NOISE,
    level="Murmur",
    decay=_digits(_DECAY),
    composite=_COMPOSITE,
    anchor=_LAST_SEEN,
    half_life=_HALF_LIFE_S,
    factors=_FACTORS,
    contributions=Factors(
        reach=_digits(8.0 * _DECAY),
        engagement=_digits(16.4 * _DECAY),
        star_power=_digits(2.25 * _DECAY),
        duration=_digits(0.5 * _DECAY),
        cross_platform=_digits(3.0 * _DECAY),
        polarity=_digits(5.0 * _DECAY),
        industry_impact=_digits(5.0 * _DECAY),
    ),
    last_item=LastItem(id="hackernews:29504755", platform="hackernews", points=2.5),
    peak=_PEAK,
    state=State.EMERGING,
    trend=Trend.STEADY,
    polarity=Polarity(value=50.0, shift=Shift.NARROWED),
    category=Category.SAFETY,
    items=14,
    platforms=1,
    audience_estimated=0.25,
    first_seen=datetime(2021, 12, 10, 1, 5, tzinfo=UTC),
    last_seen=_LAST_SEEN,
    verdict=(
        "Not yet — early signal: noise 39/100 · state: Emerging · 14 source items across 1 platform · "
        "peaked at 47/100 on Dec 10, 2021"
    ),
    change=Change(
        by=Cause.OBSERVATION,
        points=2.5,
        freshness=0.0,
        factors=Factors(
            reach=0.6,
            engagement=1.9,
            star_power=0.0,
            duration=0.0,
            cross_platform=0.0,
            polarity=0.0,
            industry_impact=0.0,
        ),
    ),
    lead_time=None,
    next_deadline=_CONFIRMED,
    forecast=(
        Forecast(hours=1.0, noise=39.62, low_50=39.58, high_50=40.09, low_90=39.58, high_90=40.49),
        Forecast(hours=6.0, noise=41.07, low_50=39.21, high_50=42.15, low_90=38.77, high_90=42.66),
        Forecast(hours=24.0, noise=43.92, low_50=40.88, high_50=45.03, low_90=36.0, high_90=45.74),
    ),
    platform_names=("hackernews",),
)

_TREND: Final = TrendUpdate(
    incident_id=_INCIDENT,
    revision=15,
    at=datetime(2021, 12, 10, 4, 41, tzinfo=UTC),
    trend=Trend.STEADY,
    previous=Trend.RISING,
    rates={"1h": 2.1, "6h": 1.3, "24h": 0.38, "168h": 0.057},
    multiple=11.25,
    spike=0.58,
    slope=-0.4,
    activity=Activity.SPIKING,
    previous_activity=Activity.SPIKING,
)

_STATE: Final = StateChange(
    incident_id=_INCIDENT,
    revision=42,
    at=datetime(2021, 12, 10, 11, 30, tzinfo=UTC),
    previous=State.EMERGING,
    to=State.GROWING,
    reason="velocity at or above 15 items/h for 0.5 h",
    evidence={"velocity": 16.2, "threshold": 15.0, "held_h": 0.5},
    noise=52.75,
)

_PEAKED: Final = PeakCrossing(
    incident_id=_INCIDENT,
    revision=18,
    at=_CONFIRMED,
    kind=PeakKind.PEAKED,
    noise=_digits(_COMPOSITE * _LATER_DECAY),
    level="Murmur",
    peak=_PEAK,
)

_MERGED: Final = IncidentMerged(
    source="log4j-bug",
    into=_INCIDENT,
    at=datetime(2021, 12, 10, 9, 30, tzinfo=UTC),
    revision=8,
    items=5,
)

_MOVERS: Final = (
    Mover(incident_id=_INCIDENT, points=2.5),
    Mover(incident_id="copilot-licence", points=-1.25),
)

_WATCHED: Final = datetime(2021, 11, 1, 8, 30, tzinfo=UTC)
"""When the first incident was seen."""

_INDEX: Final = NoiseIndex(
    category="overall",
    at=_AS_OF,
    value=412.5,
    half_life=_HALF_LIFE_S,
    incidents=23,
    movers=_MOVERS,
    average=330.0,
    since=_WATCHED,
    relative=1.25,
)

_SHARE: Final = IndexShare(
    partition=3,
    category="overall",
    at=_AS_OF,
    value=96.25,
    incidents=6,
    movers=_MOVERS[:1],
    average=41.5,
    since=_WATCHED,
)

_REJECTED: Final = DeadLetter(
    reason="invalid",
    error="Object missing required field `published_at`",
    origin=Origin(topic=SOURCE_ITEMS, partition=3, offset=29504, at=_AS_OF),
    key=b"log4shell",
    value=b'{"item_id":"hackernews:29504755","incident_id":"log4shell","platform":"hackernews"}',
)

EXAMPLE_OF: Final[dict[str, Struct]] = {
    SOURCE_ITEMS: _ITEM,
    INCIDENT_PROFILES: _PROFILE,
    NOISE_SCORES: _SCORE,
    TREND_UPDATES: _TREND,
    STATE_CHANGES: _STATE,
    PEAK_CROSSINGS: _PEAKED,
    INCIDENT_MERGES: _MERGED,
    NOISE_INDEX: _INDEX,
    INDEX_SHARES: _SHARE,
    DEAD_LETTERS: _REJECTED,
}
"""An example of each topic's event."""
