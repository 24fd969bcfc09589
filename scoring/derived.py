"""What follows from the policy: numbers that every observation needs, worked out once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.times import HOUR_S
from schemas.words import State, Trend
from scoring import per_factor
from scoring.decay import LN2, count_of
from scoring.lifecycle_rules import METRIC_HORIZON_H, Rule, reason
from scoring.per_factor import PerFactor

if TYPE_CHECKING:
    from scoring.policy import Policy

WORDS: Final[tuple[Trend, ...]] = (Trend.FADING, Trend.COOLING, Trend.STEADY, Trend.RISING, Trend.SURGING)
"""The words of the trend; a word's place among them is its rank."""

RANKS: Final = {word: rank for rank, word in enumerate(WORDS)}
STEADY: Final = RANKS[Trend.STEADY]


@dataclass(slots=True)
class Watch:
    """A rule of the lifecycle as it is watched; `number` is its place in the table.

    `noise` and `rates` are its comparisons: whether the metric is to be at least so much, else below it, and how much;
    rates as counts at a horizon: its place, and its half-life in seconds. `platforms` is that of their number.
    """

    number: int
    rule: Rule
    reason: str
    hold_s: float
    back: bool
    begins_by_itself: bool
    platforms: tuple[bool, float] | None
    noise: tuple[tuple[bool, float], ...]
    rates: tuple[tuple[bool, float, int, float], ...]


@dataclass(slots=True)
class Derived:
    """Decay constants in 1/s, half-lives in seconds, and places among `rates.horizons_h`.

    `slope_gain` and `long_gain` are the noise's share in a mean with that decay constant: b / (b - a), a being that of
    the noise.
    `edges` are the four ratios at which the rank of the trend changes, hysteresis included, by the present word's rank;
    `slope_shares` how many times its own mean the noise must be above to grow, and below to fall, by the same.
    `expected` are the horizons of the rate at which new coverage is expected. `engagement_full` is the logarithm that
    gives the whole factor. `watches` are the rules that lead out of each state.
    """

    half_life_s: float
    noise_constant: float
    slope_constant: float
    slope_gain: float
    long_constant: float
    long_gain: float
    horizons_s: tuple[float, ...]
    fast: int
    slow: int
    usual: int
    aging: int
    expected: tuple[int, ...]
    doubling_s: float
    edges: tuple[tuple[float, float, float, float], ...]
    slope_shares: tuple[tuple[float, float], ...]
    engagement_full: float
    horizon_names: tuple[str, ...]
    watches: dict[State, tuple[Watch, ...]]
    weights: PerFactor


def derive(policy: Policy) -> Derived:
    """Return what follows from a policy that has been checked."""
    rule, horizons = policy.trend, policy.rates.horizons_h
    half_life_s = policy.curve.half_life_h * HOUR_S
    noise_constant = LN2 / half_life_s
    slope_constant = LN2 / (rule.slope_h * HOUR_S)
    long_constant = policy.index.decay_constant
    return Derived(
        half_life_s,
        noise_constant,
        slope_constant,
        slope_constant / (slope_constant - noise_constant),
        long_constant,
        long_constant / (long_constant - noise_constant),
        tuple(horizon_h * HOUR_S for horizon_h in horizons),
        horizons.index(rule.fast_h),
        horizons.index(rule.slow_h),
        horizons.index(rule.usual_h),
        horizons.index(policy.aging.item_half_life_h),
        tuple(horizons.index(horizon_h) for horizon_h in policy.forecast.rates_h),
        HOUR_S / (1.0 / rule.fast_h - 1.0 / rule.slow_h),
        tuple(_edges(policy, rank) for rank in RANKS.values()),
        tuple(
            (
                1.0 if rank > STEADY else 1.0 - rule.rise_share,
                1.0 if rank < STEADY else 1.0 + rule.fall_share,
            )
            for rank in RANKS.values()
        ),
        math.log10(1.0 + policy.engagement.full_units),
        tuple(f"{horizon_h:g}h" for horizon_h in horizons),
        {
            state: tuple(
                _watch(number, rule, horizons) for number, rule in policy.lifecycle.rules_from[state]
            )
            for state in State
        },
        per_factor.read(policy.weights),
    )


def _watch(number: int, rule: Rule, horizons_h: tuple[float, ...]) -> Watch:
    platforms: tuple[bool, float] | None = None
    noise: list[tuple[bool, float]] = []
    rates: list[tuple[bool, float, int, float]] = []
    for condition in rule.when:
        at_least = condition.comparison == "at_least"
        if condition.metric == "noise":
            noise.append((at_least, condition.than))
        elif condition.metric == "platforms":
            platforms = at_least, condition.than
        else:
            horizon_h = METRIC_HORIZON_H[condition.metric]
            items = count_of(condition.than, horizon_h)
            rates.append((at_least, items, horizons_h.index(horizon_h), horizon_h * HOUR_S))
    return Watch(
        number,
        rule,
        reason(rule),
        rule.hold_h * HOUR_S,
        rule.step == "back",
        rule.begins_by_itself,
        platforms,
        tuple(noise),
        tuple(rates),
    )


def _edges(policy: Policy, rank: int) -> tuple[float, float, float, float]:
    """A word of this rank is left only when the ratio is past its edge by the share of the hysteresis."""
    rule = policy.trend
    stay, leave = 1.0 - rule.hysteresis, 1.0 + rule.hysteresis
    return (
        rule.fading_ratio * (leave if rank <= 0 else 1.0),
        rule.cooling_ratio * (leave if rank <= 1 else 1.0),
        rule.rising_ratio * (stay if rank >= STEADY + 1 else 1.0),
        rule.surging_ratio * (stay if rank >= STEADY + 2 else 1.0),
    )
