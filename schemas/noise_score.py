"""`noise-scores`: how loud an incident is, with all that explains the number; compacted by incident."""

from __future__ import annotations

from msgspec import Struct

from schemas.times import Moment
from schemas.words import Category, Cause, Shift, State, Trend


class Factors(Struct, frozen=True, gc=False):
    """Seven numbers, one for each factor: its value (0 to 100), or the points it gives to the noise."""

    reach: float
    engagement: float
    star_power: float
    duration: float
    cross_platform: float
    polarity: float
    industry_impact: float


class LastItem(Struct, frozen=True, gc=False):
    """The item whose observation came last, and the points of noise by which it moved the incident."""

    id: str
    platform: str
    points: float


class Peak(Struct, frozen=True, gc=False):
    """The loudest an incident has been: noise (0 to 100) and when."""

    noise: float
    at: Moment


class Polarity(Struct, frozen=True, gc=False):
    """How divided the reaction is: 0 one-sided, 100 evenly split, 50 without reaction; and its late move."""

    value: float
    shift: Shift


class Change(Struct, frozen=True, gc=False):
    """What this revision came by, and the points of noise by which it moved at that instant, not by decaying before.

    `factors` are what each factor gives now less what it gave just before: they add up to `points`. Newer coverage
    moves the anchor, and every factor gives again what decay had taken; `freshness` says how many of `points` that is.
    The others are owed to factors whose values have changed.
    """

    by: Cause
    points: float
    freshness: float
    factors: Factors


class Forecast(Struct, frozen=True, gc=False):
    """The noise (0 to 100) to be expected `hours` after `as_of`: its median, and where half and 90 % of cases lie.

    The bands are rounded outwards to hundredths, and hold what would be left if nothing new came.
    """

    hours: float
    noise: float
    low_50: float
    high_50: float
    low_90: float
    high_90: float


class NoiseScore(Struct, frozen=True, gc=False):
    """The score of an incident as a function of time; keyed by `incident_id`.

    `noise` (0 to 100) holds at `as_of`; at any later time t it is
    `composite * 2 ** -(max(0, t - anchor) / half_life)`, with times and `half_life` in seconds.
    `decay` is that power at `as_of`. `contributions` are the points each factor gives: they add up to
    `noise`, so the difference of two events explains the change. `revision` grows by one with each
    observation, profile or deadline that changes the incident. `audience_estimated` is the share (0 to 1) of
    the audience that was estimated. `change` is never null but in scores written before there was one;
    `lead_time` is from the first coverage to the first in mainstream media (seconds), null as long as those have none.
    `merged_into` names the incident that this one was merged into: its items count there, and here there is no noise
    any more. Until `next_deadline` nothing but the noise changes by itself, if nothing new comes; null: nothing ever
    does. `forecast` says what to expect, the nearest first. `platform_names` are the platforms that cover it, with most
    items first, so many as the policy names (`limits.platform_names`); `platforms` counts all.
    """

    incident_id: str
    revision: int
    as_of: Moment
    noise: float
    level: str
    decay: float
    composite: float
    anchor: Moment
    half_life: float
    factors: Factors
    contributions: Factors
    last_item: LastItem | None
    peak: Peak
    state: State
    trend: Trend
    polarity: Polarity
    category: Category
    items: int
    platforms: int
    audience_estimated: float
    first_seen: Moment
    last_seen: Moment
    verdict: str
    change: Change | None = None
    lead_time: float | None = None
    merged_into: str | None = None
    next_deadline: Moment | None = None
    forecast: tuple[Forecast, ...] = ()
    platform_names: tuple[str, ...] = ()
