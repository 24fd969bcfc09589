"""What a policy must not say: values that contradict each other, each named by its key."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from schemas.errors import PolicyError
from schemas.noise_score import Factors
from schemas.times import DAY_S
from schemas.words import Sensitivity, State
from scoring import policy_tables
from scoring.lifecycle_rules import check_lifecycle
from scoring.policy_types import OTHER

if TYPE_CHECKING:
    from scoring.policy import ForecastRule, Policy, SpikeRule


def check(policy: Policy) -> None:
    """Raise PolicyError where values contradict each other; the message names the keys."""
    _check_weights(policy.weights)
    _check_levels(policy.levels, policy.peaks.level_hysteresis)
    _check_finite("", policy_tables.to_builtins(policy))
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
