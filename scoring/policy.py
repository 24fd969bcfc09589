"""The policy: every constant of the engine, read from one TOML file and checked before it is used."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from schemas.errors import PolicyError
from schemas.noise_score import Factors
from schemas.times import DAY_S, HOUR_S, parse_time
from schemas.words import Sensitivity, State, Tier
from scoring import policy_tables
from scoring.derived import Derived, derive
from scoring.lifecycle_rules import Lifecycle
from scoring.policy_checks import check
from scoring.policy_types import (
    NOT_NEGATIVE,
    OTHER,
    POINTS,
    POSITIVE,
    SHARE,
    NotNegative,
    Points,
    Positive,
    Threshold,
    holds,
)

SHIPPED: Final = Path(__file__).with_name("policy.toml")


@dataclass(frozen=True, slots=True)
class Curve:
    """How fast noise decays."""

    half_life_h: float = field(metadata=POSITIVE)

    @property
    def half_life_s(self) -> float:
        """Half-life of the noise in seconds."""
        return self.half_life_h * HOUR_S


@dataclass(frozen=True, slots=True)
class Aging:
    """How fast an item loses its part in what coverage has come to, and how much must be left for the whole of it."""

    item_half_life_h: float = field(metadata=POSITIVE)
    full_share: float = field(metadata=holds(Annotated[float, Meta(gt=0.0, le=1.0)]))
    spread_items: float = field(metadata=holds(Annotated[float, Meta(ge=1.0)]))


@dataclass(frozen=True, slots=True)
class Reach:
    """Points for the audience."""

    points_per_decade: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class EngagementRule:
    """What counts as full engagement, and the weight of each kind of interaction against a like."""

    full_units: float = field(metadata=POSITIVE)
    comment_weight: float = field(metadata=NOT_NEGATIVE)
    share_weight: float = field(metadata=NOT_NEGATIVE)
    view_weight: float = field(metadata=NOT_NEGATIVE)


@dataclass(frozen=True, slots=True)
class StarPower:
    """Points of each tier, and the tiers of figures that items may name."""

    S: float = field(metadata=POINTS)
    A: float = field(metadata=POINTS)
    B: float = field(metadata=POINTS)
    C: float = field(metadata=POINTS)
    default_tier: Tier
    figures: dict[str, Tier] = field(metadata=holds(dict[str, Tier]))

    def points(self, tier: Tier) -> float:
        """Return the points that a party or figure of `tier` is worth."""
        return float(getattr(self, tier.value))


@dataclass(frozen=True, slots=True)
class Duration:
    """How long coverage must last for the full factor."""

    full_h: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class CrossPlatform:
    """Points for each platform."""

    points_per_platform: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class PolarityRule:
    """The value without reaction, the weight of that prior, and what counts as a shift."""

    neutral: float = field(metadata=POINTS)
    prior_mass: float = field(metadata=POSITIVE)
    half_life_h: float = field(metadata=POSITIVE)
    shift_margin: float = field(metadata=NOT_NEGATIVE)


@dataclass(frozen=True, slots=True)
class IndustryImpact:
    """The value where nothing was assessed."""

    default: float = field(metadata=POINTS)


@dataclass(frozen=True, slots=True)
class Platform:
    """What is typical of a platform: interactions of a typical item; people that one interaction stands for."""

    typical: float = field(metadata=POSITIVE)
    audience_per_interaction: float = field(metadata=NOT_NEGATIVE)


@dataclass(frozen=True, slots=True)
class LeadTime:
    """The platforms that count as mainstream media."""

    mainstream: tuple[str, ...] = field(metadata=holds(tuple[str, ...]))


@dataclass(frozen=True, slots=True)
class PeakRule:
    """When a peak is announced and confirmed, and how far below its edge a level is left."""

    first_noise: float = field(metadata=POINTS)
    margin: float = field(metadata=POSITIVE)
    pause_h: float = field(metadata=NOT_NEGATIVE)
    hold_h: float = field(metadata=POSITIVE)
    level_hysteresis: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class Rates:
    """Half-lives of the counts of items."""

    horizons_h: tuple[float, ...] = field(
        metadata=holds(Annotated[tuple[Positive, ...], Meta(min_length=4, max_length=4)])
    )


@dataclass(frozen=True, slots=True)
class TrendRule:
    """Which rates are compared, at which edges a word changes, and what is too little to tell."""

    fast_h: float = field(metadata=POSITIVE)
    slow_h: float = field(metadata=POSITIVE)
    usual_h: float = field(metadata=POSITIVE)
    surging_ratio: float = field(metadata=POSITIVE)
    rising_ratio: float = field(metadata=POSITIVE)
    cooling_ratio: float = field(metadata=POSITIVE)
    fading_ratio: float = field(metadata=POSITIVE)
    rise_share: float = field(metadata=SHARE)
    fall_share: float = field(metadata=SHARE)
    hold_h: float = field(metadata=NOT_NEGATIVE)
    hysteresis: float = field(metadata=SHARE)
    rise_items: float = field(metadata=POSITIVE)
    fall_items: float = field(metadata=POSITIVE)
    slope_h: float = field(metadata=POSITIVE)
    floor_items: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast a kind of series moves: its two windows, the memory of its baselines, what is usual, what is far."""

    fast_h: float = field(metadata=POSITIVE)
    slow_h: float = field(metadata=POSITIVE)
    mean_h: float = field(metadata=POSITIVE)
    spread_h: float = field(metadata=POSITIVE)
    usual_items: float = field(metadata=POSITIVE)
    unit: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class SpikeRule:
    """How surprises are weighed, repeated and called off, and which scores are alerts."""

    fast_share: float = field(metadata=SHARE)
    least_spread: float = field(metadata=POSITIVE)
    rest_h: float = field(metadata=NOT_NEGATIVE)
    repeat: float = field(metadata=holds(Annotated[float, Meta(ge=1.0)]))
    warm_up_h: float = field(metadata=POSITIVE)
    bin_h: float = field(metadata=POSITIVE)
    calm: float = field(metadata=NOT_NEGATIVE)
    hold_h: float = field(metadata=NOT_NEGATIVE)
    sensitivity: Sensitivity
    thresholds: dict[Sensitivity, float] = field(metadata=holds(dict[Sensitivity, Threshold]))
    series: Tempo
    incident: Tempo


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """Which incidents can fall silent, and how unlikely a gap in their coverage must be."""

    items: float = field(metadata=POSITIVE)
    chance: float = field(metadata=holds(Annotated[float, Meta(gt=0.0, lt=1.0)]))
    least_h: float = field(metadata=POSITIVE)


@dataclass(frozen=True, slots=True)
class ForecastHorizon:
    """What is gained at one horizon, in multiples of the growth's scale.

    In order: where the 50 % band begins, the median, where the 50 % band ends, and the 90 % band.
    """

    hours: float = field(metadata=POSITIVE)
    growth: tuple[float, ...] = field(
        metadata=holds(Annotated[tuple[NotNegative, ...], Meta(min_length=4, max_length=4)])
    )


@dataclass(frozen=True, slots=True)
class ForecastRule:
    """How coverage grows with its age, and how soon new coverage comes."""

    young_h: float = field(metadata=POSITIVE)
    grows_h: float = field(metadata=POSITIVE)
    lingers_h: float = field(metadata=POSITIVE)
    momentum_weight: float = field(metadata=NOT_NEGATIVE)
    crowd_exponent: float = field(metadata=NOT_NEGATIVE)
    silence_half_life_h: float = field(metadata=POSITIVE)
    newcomer_points: float = field(metadata=NOT_NEGATIVE)
    rates_h: tuple[float, ...] = field(
        metadata=holds(Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=2)])
    )
    horizons: tuple[ForecastHorizon, ...] = field(
        metadata=holds(Annotated[tuple[ForecastHorizon, ...], Meta(min_length=1, max_length=8)])
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What is believed of a record."""

    earliest: str
    ahead_h: float = field(metadata=POSITIVE)
    record_bytes: int = field(metadata=holds(Annotated[int, Meta(ge=1024)]))
    platform_names: int = field(metadata=holds(Annotated[int, Meta(ge=1, le=1000)]))

    @property
    def earliest_at(self) -> float:
        """The earliest believable time, epoch seconds."""
        return parse_time(self.earliest)


@dataclass(frozen=True, slots=True)
class IndexRule:
    """What the index tells beside its value."""

    share_every_s: float = field(metadata=NOT_NEGATIVE)
    movers: int = field(metadata=holds(Annotated[int, Meta(ge=0, le=100)]))
    average_d: float = field(metadata=POSITIVE)
    history_d: float = field(metadata=NOT_NEGATIVE)
    average_floor: float = field(metadata=POSITIVE)

    @property
    def decay_constant(self) -> float:
        """How fast the long average forgets (1/s).

        A flat window of N days looks back N / 2 on average, and so does exponential forgetting by N / 2.
        """
        return 2.0 / (self.average_d * DAY_S)


@dataclass(frozen=True, slots=True)
class HistoryRule:
    """How finely the past of an incident is remembered."""

    spacing_min: float = field(metadata=POSITIVE)
    most: int = field(metadata=holds(Annotated[int, Meta(ge=2, le=10_000)]))


@dataclass
class Policy:
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
    platforms: dict[str, Platform] = field(metadata=holds(dict[str, Platform]))
    levels: dict[str, float] = field(metadata=holds(dict[str, Points]))
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
    words: dict[State, str] = field(metadata=holds(dict[State, str]))
    forecast: ForecastRule

    def __post_init__(self) -> None:
        """Note the levels, the quietest first, and their lower edges (noise, 0 to 100); work out nothing else yet.

        A policy that contradicts itself has to be told so first.
        """
        self.level_names, self.level_edges = tuple(self.levels), tuple(self.levels.values())
        self._derived: Derived | None = None
        self._fingerprint: int | None = None

    @property
    def derived(self) -> Derived:
        """What follows from the constants, worked out once."""
        if self._derived is None:
            self._derived = derive(self)
        return self._derived

    @property
    def fingerprint(self) -> int:
        """A number (32 bits) that another policy hardly has."""
        if self._fingerprint is None:
            self._fingerprint = zlib.crc32(policy_tables.encode(self))
        return self._fingerprint

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
        policy = policy_tables.decode(text, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{source}: {policy_tables.explained(error, SHIPPED.read_bytes())}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise PolicyError(f"{source}: not TOML: {error}") from error
    try:
        check(policy)
    except PolicyError as error:
        raise error.at(str(source)) from error
    return policy
