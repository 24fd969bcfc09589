"""Spike: how far a count of items has risen above its own usual level, and when that is worth an alert.

Two windows (forward-decayed counts with a fast and a slow half-life) are each held against a running mean and variance
of their own. What is compared is ``log(count + usual_items)``: ratios, so that one set of constants serves series of
any size. The variance takes in night and day, as the baseline's memory is longer than a day; to it comes the shot noise
of a small count, 1 / count, so that a sparse series does not cry wolf. Only the past is looked at; each step is O(1).

Sources: forward decay, Cormode et al. (ICDE 2009); exponentially weighted mean and variance, Finch, "Incremental
calculation of weighted mean and variance" (2009); variance of the logarithm of a Poisson count by the delta method.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from msgspec import Struct

from schemas.times import HOUR_S
from schemas.words import Sensitivity
from scoring.decay import decay
from scoring.policy import SpikeRule


class Baseline(Struct, array_like=True, gc=False):
    """One window: its decayed count of items, and mean and variance of the count's logarithm."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 0.0


class SpikeState(Struct, array_like=True):
    """All that the detector remembers. Times are epoch seconds; `began` is when the series did, `at` where it stands.

    `alert_at` and `alert_surprise` tell of the last alert, which the next must be later or clearly more extreme than.
    """

    began: float
    at: float
    fast: Baseline
    slow: Baseline
    alert_at: float = -math.inf
    alert_surprise: float = 0.0


class Sighting(NamedTuple):
    """What a count comes to: the surprise in standard deviations, its score (0 to 1), and whether it is an alert."""

    surprise: float
    score: float
    alert: bool


def begin(at: float) -> SpikeState:
    """Return the state of a series that begins at `at` (epoch seconds), nothing being known of it."""
    return SpikeState(began=at, at=at, fast=Baseline(), slow=Baseline())


def observe(
    state: SpikeState, at: float, items: float, width_s: float, rule: SpikeRule, sensitivity: Sensitivity
) -> Sighting:
    """Count the `items` of the bin that is dated `at` and as wide as `width_s`, judge them, then learn from them.

    What lies between the state's time and the bin had no items. `at` must be later than the state's time.
    """
    wait(state, at - width_s, width_s, rule)
    elapsed_s = at - state.at
    _move(state, at, rule)
    for window in (state.fast, state.slow):
        window.count += items
    seen = judge(state, rule, sensitivity)
    if seen.alert:
        state.alert_at, state.alert_surprise = at, seen.surprise
    _learn(state, elapsed_s, rule)
    return seen


def judge(state: SpikeState, rule: SpikeRule, sensitivity: Sensitivity) -> Sighting:
    """Return what the counts come to at the state's time; nothing changes.

    In the warm-up nothing is usual yet, so nothing surprises. After an alert the next waits for `rest_h`, unless it is
    `repeat` times as surprising.
    """
    if state.at - state.began < rule.warm_up_h * HOUR_S:
        return Sighting(0.0, 0.0, alert=False)
    surprise = rule.fast_share * _deviations(state, state.fast, rule.fast_h, rule)
    surprise += (1.0 - rule.fast_share) * _deviations(state, state.slow, rule.slow_h, rule)
    score = score_of(surprise, rule)
    rested = state.at - state.alert_at >= rule.rest_h * HOUR_S
    fresh = rested or surprise >= rule.repeat * state.alert_surprise
    return Sighting(surprise, score, alert=fresh and score >= rule.thresholds[sensitivity])


def score_of(surprise: float, rule: SpikeRule) -> float:
    """Return the score (0 to 1) of a surprise: each `unit` of standard deviations halves what is left to 1.

    >>> from scoring.policy import load_policy
    >>> rule = load_policy().spike
    >>> [round(score_of(units * rule.unit, rule), 3) for units in (-1.0, 0.0, 1.0, 2.0)]
    [0.0, 0.0, 0.5, 0.75]
    """
    return 1.0 - 2.0 ** -(surprise / rule.unit) if surprise > 0.0 else 0.0


def wait(state: SpikeState, until: float, step_s: float, rule: SpikeRule) -> None:
    """Let time pass without items, up to `until` (epoch seconds): a bounded loop, each step twice the one before."""
    while state.at < until:
        elapsed_s = min(step_s, until - state.at)
        _move(state, state.at + elapsed_s, rule)
        _learn(state, elapsed_s, rule)
        step_s *= 2.0


def _move(state: SpikeState, at: float, rule: SpikeRule) -> None:
    """The counts decay until `at`."""
    elapsed_s = at - state.at
    state.fast.count *= decay(elapsed_s, rule.fast_h * HOUR_S)
    state.slow.count *= decay(elapsed_s, rule.slow_h * HOUR_S)
    state.at = at


def _logarithm(state: SpikeState, window: Baseline, half_life_h: float, rule: SpikeRule) -> float:
    """The logarithm of a count, which a series that has just begun has not yet filled."""
    filled = 1.0 - decay(state.at - state.began, half_life_h * HOUR_S)
    return math.log(window.count / filled + rule.usual_items)


def _deviations(state: SpikeState, window: Baseline, half_life_h: float, rule: SpikeRule) -> float:
    """How many standard deviations a window is above its mean."""
    spread = window.variance + rule.least_spread**2 + math.exp(-window.mean)
    return (_logarithm(state, window, half_life_h, rule) - window.mean) / math.sqrt(spread)


def _learn(state: SpikeState, elapsed_s: float, rule: SpikeRule) -> None:
    """The baselines take in the counts of the last `elapsed_s`, the first of them as they are."""
    age_s = state.at - state.began
    by_mean = _gain(elapsed_s, age_s, rule.mean_h * HOUR_S)
    by_spread = _gain(elapsed_s, age_s, rule.spread_h * HOUR_S)
    for window, half_life_h in ((state.fast, rule.fast_h), (state.slow, rule.slow_h)):
        error = _logarithm(state, window, half_life_h, rule) - window.mean
        if age_s > elapsed_s:
            window.variance += by_spread * (error * error - window.variance)
        window.mean += by_mean * error


def _gain(elapsed_s: float, age_s: float, half_life_s: float) -> float:
    """The weight of the latest `elapsed_s` among all weights since the series began."""
    return (1.0 - decay(elapsed_s, half_life_s)) / (1.0 - decay(age_s, half_life_s))
