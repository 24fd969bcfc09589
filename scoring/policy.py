"""The policy: every constant of the engine, read from one TOML file and checked before it is used."""

from __future__ import annotations

import math
import zlib
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from schemas.errors import PolicyError
from schemas.noise_score import Factors
from schemas.times import DAY_S, HOUR_S, parse_time
from schemas.words import Sensitivity, State, Tier
from scoring.derived import Derived, derive
from scoring.lifecycle_rules import Lifecycle, check_lifecycle
from scoring.policy_types import NotNegative, Points, Positive, Share, Threshold
from scoring.policy_types import Table as _Table

SHIPPED: Final = Path(__file__).with_name("policy.toml")
OTHER: Final = "other"
"""The platform whose constants serve for every platform that the policy does not name."""


class Curve(_Table, frozen=True, dict=True):
    """How fast noise decays."""

    half_life_h: Positive

    @cached_property
    def half_life_s(self) -> float:
        """Half-life of the noise in seconds."""
        return self.half_life_h * HOUR_S


class Aging(_Table, frozen=True):
    """How fast an item loses its part in what coverage has come to, and how much must be left for the whole of it."""

    item_half_life_h: Positive
    full_share: Annotated[float, Meta(gt=0.0, le=1.0)]
    spread_items: Annotated[float, Meta(ge=1.0)]


class Reach(_Table, frozen=True):
    """Points for the audience."""

    points_per_decade: Positive


class EngagementRule(_Table, frozen=True):
    """What counts as full engagement, and the weight of each kind of interaction against a like."""

    full_units: Positive
    comment_weight: NotNegative
    share_weight: NotNegative
    view_weight: NotNegative


class StarPower(_Table, frozen=True):
    """Points of each tier, and the tiers of figures that items may name."""

    S: Points
    A: Points
    B: Points
    C: Points
    default_tier: Tier
    figures: dict[str, Tier]

    def points(self, tier: Tier) -> float:
        """Return the points that a party or figure of `tier` is worth."""
        return float(getattr(self, tier.value))


class Duration(_Table, frozen=True):
    """How long coverage must last for the full factor."""

    full_h: Positive


class CrossPlatform(_Table, frozen=True):
    """Points for each platform."""

    points_per_platform: Positive


class PolarityRule(_Table, frozen=True):
    """The value without reaction, the weight of that prior, and what counts as a shift."""

    neutral: Points
    prior_mass: Positive
    half_life_h: Positive
    shift_margin: NotNegative


class IndustryImpact(_Table, frozen=True):
    """The value where nothing was assessed."""

    default: Points


class Platform(_Table, frozen=True):
    """What is typical of a platform: interactions of a typical item; people that one interaction stands for."""

    typical: Positive
    audience_per_interaction: NotNegative


class LeadTime(_Table, frozen=True):
    """The platforms that count as mainstream media."""

    mainstream: tuple[str, ...]


class PeakRule(_Table, frozen=True):
    """When a peak is announced and confirmed, and how far below its edge a level is left."""

    first_noise: Points
    margin: Positive
    pause_h: NotNegative
    hold_h: Positive
    level_hysteresis: Positive


class Rates(_Table, frozen=True):
    """Half-lives of the counts of items."""

    horizons_h: Annotated[tuple[Positive, ...], Meta(min_length=4, max_length=4)]


class TrendRule(_Table, frozen=True):
    """Which rates are compared, at which edges a word changes, and what is too little to tell."""

    fast_h: Positive
    slow_h: Positive
    usual_h: Positive
    surging_ratio: Positive
    rising_ratio: Positive
    cooling_ratio: Positive
    fading_ratio: Positive
    rise_share: Share
    fall_share: Share
    hold_h: NotNegative
    hysteresis: Share
    rise_items: Positive
    fall_items: Positive
    slope_h: Positive
    floor_items: Positive


class Tempo(_Table, frozen=True):
    """How fast a kind of series moves: its two windows, the memory of its baselines, what is usual, what is far."""

    fast_h: Positive
    slow_h: Positive
    mean_h: Positive
    spread_h: Positive
    usual_items: Positive
    unit: Positive


class SpikeRule(_Table, frozen=True):
    """How surprises are weighed, repeated and called off, and which scores are alerts."""

    fast_share: Share
    least_spread: Positive
    rest_h: NotNegative
    repeat: Annotated[float, Meta(ge=1.0)]
    warm_up_h: Positive
    bin_h: Positive
    calm: NotNegative
    hold_h: NotNegative
    sensitivity: Sensitivity
    thresholds: dict[Sensitivity, Threshold]
    series: Tempo
    incident: Tempo


class SilenceRule(_Table, frozen=True):
    """Which incidents can fall silent, and how unlikely a gap in their coverage must be."""

    items: Positive
    chance: Annotated[float, Meta(gt=0.0, lt=1.0)]
    least_h: Positive


class ForecastHorizon(_Table, frozen=True):
    """What is gained at one horizon, in multiples of the growth's scale.

    In order: where the 50 % band begins, the median, where the 50 % band ends, and the 90 % band.
    """

    hours: Positive
    growth: Annotated[tuple[NotNegative, ...], Meta(min_length=4, max_length=4)]


class ForecastRule(_Table, frozen=True):
    """How coverage grows with its age, and how soon new coverage comes."""

    young_h: Positive
    grows_h: Positive
    lingers_h: Positive
    momentum_weight: NotNegative
    crowd_exponent: NotNegative
    silence_half_life_h: Positive
    newcomer_points: NotNegative
    rates_h: Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=2)]
    horizons: Annotated[tuple[ForecastHorizon, ...], Meta(min_length=1, max_length=8)]


class Limits(_Table, frozen=True):
    """What is believed of a record."""

    earliest: str
    ahead_h: Positive
    record_bytes: Annotated[int, Meta(ge=1024)]
    platform_names: Annotated[int, Meta(ge=1, le=1000)]

    @property
    def earliest_at(self) -> float:
        """The earliest believable time, epoch seconds."""
        return parse_time(self.earliest)


class IndexRule(_Table, frozen=True):
    """What the index tells beside its value."""

    share_every_s: NotNegative
    movers: Annotated[int, Meta(ge=0, le=100)]
    average_d: Positive
    history_d: NotNegative
    average_floor: Positive

    @property
    def decay_constant(self) -> float:
        """How fast the long average forgets (1/s).

        A flat window of N days looks back N / 2 on average, and so does exponential forgetting by N / 2.
        """
        return 2.0 / (self.average_d * DAY_S)


class HistoryRule(_Table, frozen=True):
    """How finely the past of an incident is remembered."""

    spacing_min: Positive
    most: Annotated[int, Meta(ge=2, le=10_000)]


class Policy(_Table, frozen=True, dict=True):
    """Every constant of the engine; see `policy.toml` for the reason of each."""

    version: str
    weights: Factors
    curve: Curve
    aging: Aging
    reach: Reach
    engagement: EngagementRule
    star_power: StarPower
    duration: Duration
    cross_platform: CrossPlatform
    polarity: PolarityRule
    industry_impact: IndustryImpact
    platforms: dict[str, Platform]
    levels: dict[str, Points]
    peaks: PeakRule
    rates: Rates
    trend: TrendRule
    spike: SpikeRule
    silence: SilenceRule
    lifecycle: Lifecycle
    limits: Limits
    index: IndexRule
    lead_time: LeadTime
    history: HistoryRule
    words: dict[State, str]
    forecast: ForecastRule

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        """The names of the levels, the quietest first."""
        return tuple(self.levels)

    @cached_property
    def level_edges(self) -> tuple[float, ...]:
        """Their lower edges (noise, 0 to 100)."""
        return tuple(self.levels.values())

    @cached_property
    def derived(self) -> Derived:
        """What follows from the constants, worked out once."""
        return derive(self)

    @cached_property
    def fingerprint(self) -> int:
        """A number (32 bits) that another policy hardly has."""
        return zlib.crc32(msgspec.json.encode(self))

    def platform(self, name: str) -> Platform:
        """Return the constants of platform `name`, or those of `other`."""
        return self.platforms.get(name) or self.platforms[OTHER]


def load_policy(path: Path | str | None = None) -> Policy:
    """Return the policy in the file, or the shipped one; PolicyError names the file and the key that is wrong."""
    source = Path(path) if path else SHIPPED
    try:
        text = source.read_bytes()
    except OSError as error:
        raise PolicyError(f"{source}: cannot be read: {error.strerror}") from error
    try:
        policy = msgspec.toml.decode(text, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{source}: {error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise PolicyError(f"{source}: not TOML: {error}") from error
    try:
        check(policy)
    except PolicyError as error:
        raise error.at(str(source)) from error
    return policy


def check(policy: Policy) -> None:
    """Raise PolicyError where values contradict each other; the message names the keys."""
    _check_weights(policy.weights)
    _check_levels(policy.levels, policy.peaks.level_hysteresis)
    _check_finite("", msgspec.to_builtins(policy))
    if policy.peaks.pause_h >= policy.peaks.hold_h:
        raise PolicyError(
            f"peaks.pause_h: {policy.peaks.pause_h:g} must be below peaks.hold_h, {policy.peaks.hold_h:g}: "
            "a peak is told before it is confirmed"
        )
    _check_trend(policy)
    _check_spike(policy.spike)
    check_lifecycle(policy.lifecycle, policy.rates.horizons_h)
    if policy.index.average_d * DAY_S < 4.0 * policy.curve.half_life_s:
        raise PolicyError(
            f"index.average_d: {policy.index.average_d:g} days must be at least four times curve.half_life_h, "
            f"{policy.curve.half_life_h:g} h: an average must remember for longer than the noise itself"
        )
    _check_forecast(policy.forecast, policy.rates.horizons_h)
    if OTHER not in policy.platforms:
        raise PolicyError(f"platforms: `{OTHER}` is missing; it serves for every platform that is not named")
    for state in State:
        if state not in policy.words:
            raise PolicyError(f"words: `{state.value}` is missing")
    try:
        policy.limits.earliest_at  # noqa: B018 - evaluated for its error
    except ValueError as error:
        raise PolicyError(f"limits.earliest: not an RFC 3339 time: {policy.limits.earliest!r}") from error


def _check_finite(key: str, value: object) -> None:
    """TOML has `inf`, which passes for any number without an upper bound."""
    if isinstance(value, dict):
        for name, each in value.items():
            _check_finite(f"{key}.{name}" if key else name, each)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, 1):
            _check_finite(f"{key}[{number}]", each)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PolicyError(f"{key}: {value} is not a finite number")


def _check_weights(weights: Factors) -> None:
    values = msgspec.structs.asdict(weights)
    for name, weight in values.items():
        if not 0.0 <= weight <= 1.0:
            raise PolicyError(f"weights.{name}: {weight} is not between 0 and 1")
    total = math.fsum(values.values())
    if abs(total - 1.0) > 1e-9:
        raise PolicyError(f"weights: they add up to {total:g}, not to 1")


def _check_levels(levels: dict[str, float], hysteresis: float) -> None:
    edges = list(levels.values())
    if not edges or edges[0] != 0.0:
        raise PolicyError("levels: the first must have its lower edge at 0")
    if any(low >= high for low, high in pairwise(edges)):
        raise PolicyError("levels: each lower edge must be above the one before")
    if len(edges) > 1 and edges[1] <= hysteresis:
        raise PolicyError(
            f"peaks.level_hysteresis: {hysteresis:g} reaches below the lowest level, {edges[1]:g}"
        )


def _check_trend(policy: Policy) -> None:
    trend, horizons = policy.trend, policy.rates.horizons_h
    for key in ("fast_h", "slow_h", "usual_h"):
        if getattr(trend, key) not in horizons:
            raise PolicyError(
                f"trend.{key}: {getattr(trend, key):g} is none of rates.horizons_h {list(horizons)}"
            )
    if policy.aging.item_half_life_h not in horizons:
        raise PolicyError(
            f"aging.item_half_life_h: {policy.aging.item_half_life_h:g} is none of rates.horizons_h {list(horizons)}"
        )
    if not trend.fast_h < trend.slow_h <= trend.usual_h:
        raise PolicyError("trend: fast_h < slow_h <= usual_h must hold")
    if trend.slope_h >= policy.curve.half_life_h:
        raise PolicyError(
            f"trend.slope_h: {trend.slope_h:g} must be below curve.half_life_h, {policy.curve.half_life_h:g}: "
            "the mean that the slope is measured against must be faster than the noise itself"
        )
    edges = (trend.fading_ratio, trend.cooling_ratio, 1.0, trend.rising_ratio, trend.surging_ratio)
    if any(low >= high for low, high in pairwise(edges)):
        raise PolicyError("trend: fading_ratio < cooling_ratio < 1 < rising_ratio < surging_ratio must hold")
    if trend.cooling_ratio * (1.0 + trend.hysteresis) >= trend.rising_ratio * (1.0 - trend.hysteresis):
        raise PolicyError(
            f"trend.hysteresis: {trend.hysteresis:g} makes the edges of cooling and rising overlap"
        )


def _check_forecast(rule: ForecastRule, horizons_h: tuple[float, ...]) -> None:
    for horizon_h in rule.rates_h:
        if horizon_h not in horizons_h:
            raise PolicyError(
                f"forecast.rates_h: {horizon_h:g} is none of rates.horizons_h {list(horizons_h)}"
            )
    for number, horizon in enumerate(rule.horizons, 1):
        if any(low > high for low, high in pairwise(horizon.growth)):
            raise PolicyError(
                f"forecast.horizons[{number}].growth: {list(horizon.growth)} must not fall: they are quantiles"
            )
    if any(near.hours >= far.hours for near, far in pairwise(rule.horizons)):
        raise PolicyError("forecast.horizons: each must lie further ahead than the one before")


def _check_spike(spike: SpikeRule) -> None:
    for name, tempo in (("series", spike.series), ("incident", spike.incident)):
        if not tempo.fast_h < tempo.slow_h < tempo.mean_h <= tempo.spread_h:
            raise PolicyError(f"spike.{name}: fast_h < slow_h < mean_h <= spread_h must hold")
    for sensitivity in Sensitivity:
        if sensitivity not in spike.thresholds:
            raise PolicyError(f"spike.thresholds: `{sensitivity.value}` is missing")
    fewer, balanced, more = (spike.thresholds[each] for each in Sensitivity)
    if not fewer > balanced > more:
        raise PolicyError("spike.thresholds: fewer > balanced > more must hold")
