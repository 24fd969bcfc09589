"""Spike: how far a count of items has risen above its own usual level, and when that is worth an alert.

Two windows (forward-decayed counts with a fast and a slow half-life) are each held against a running mean and variance
of their own. What is compared is ``log(1 + count / usual_items)``: ratios, so that one set of constants serves series
of any size. The variance takes in night and day, as the baseline's memory is longer than a day; to it comes the shot
noise of a small count, 1 / count, so that a sparse series does not cry wolf. Only the past is looked at, in O(1).
How long windows and memories are is the tempo: one for tickers of counts, one for an incident's items.

A series that has just begun has no usual level yet, and nothing surprises in its warm-up (`begin`). An incident is
another matter: there was nothing before its first item, and that is what its first burst is held against
(`SpikeState()`, which is as if it had been silent since 1970).

Sources: forward decay, Cormode et al. (ICDE 2009); exponentially weighted mean and variance, Finch, "Incremental
calculation of weighted mean and variance" (2009); variance of the logarithm of a Poisson count by the delta method.
"""

from __future__ import annotations

import math

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S
from schemas.words import Sensitivity
from scoring.decay import decay, falls_below
from scoring.policy import SpikeRule, Tempo
from scoring.spike_state import Baseline, SpikeState
from scoring.stored import Stored


@mypyc_attr(acyclic=True)
class Sighting(Stored):
    """What a count comes to: the surprise in standard deviations, its score (0 to 1), and whether it is an alert."""

    __slots__ = ("alert", "score", "surprise")

    def __init__(self, surprise: float, score: float, *, alert: bool) -> None:
        self.surprise, self.score, self.alert = surprise, score, alert

    def stored(self) -> tuple[object, ...]:
        """Return what it says."""
        return self.surprise, self.score, self.alert


def begin(at: float) -> SpikeState:
    """Return the state of a series that begins at `at` (epoch seconds), nothing being known of it."""
    return SpikeState(began=at, at=at, alert_at=-math.inf)


def observe(
    state: SpikeState,
    at: float,
    items: float,
    width_s: float,
    rule: SpikeRule,
    tempo: Tempo,
    sensitivity: Sensitivity,
) -> Sighting:
    """Count the `items` of the bin that is dated `at` and as wide as `width_s`, judge them, then learn from them.

    What lies between the state's time and the bin had no items. `at` must be later than the state's time.
    """
    wait(state, at - width_s, width_s, tempo)
    elapsed_s = at - state.at
    _move(state, at, tempo)
    for window in (state.fast, state.slow):
        window.count += items
    seen = judge(state, rule, tempo, sensitivity)
    if seen.alert:
        state.alert_at, state.alert_surprise = at, seen.surprise
    _learn(state, elapsed_s, tempo)
    return seen


def judge(state: SpikeState, rule: SpikeRule, tempo: Tempo, sensitivity: Sensitivity) -> Sighting:
    """Return what the counts come to at the state's time; nothing changes.

    In the warm-up nothing is usual yet, so nothing surprises. After an alert the next waits for `rest_h`, unless it is
    `repeat` times as surprising.
    """
    if state.at - state.began < rule.warm_up_h * HOUR_S:
        return Sighting(0.0, 0.0, alert=False)
    surprise = rule.fast_share * _deviations(state, state.fast, tempo.fast_h, rule, tempo)
    surprise += (1.0 - rule.fast_share) * _deviations(state, state.slow, tempo.slow_h, rule, tempo)
    score = score_of(surprise, tempo)
    rested = state.at - state.alert_at >= rule.rest_h * HOUR_S
    fresh = rested or surprise >= rule.repeat * state.alert_surprise
    return Sighting(surprise, score, alert=fresh and score >= rule.thresholds[sensitivity])


def score_of(surprise: float, tempo: Tempo) -> float:
    """Return the score (0 to 1) of a surprise: each `unit` of standard deviations halves what is left to 1.

    >>> from scoring.policy import load_policy
    >>> tempo = load_policy().spike.series
    >>> [round(score_of(units * tempo.unit, tempo), 3) for units in (-1.0, 0.0, 1.0, 2.0)]
    [0.0, 0.0, 0.5, 0.75]
    """
    return 1.0 - math.pow(2.0, -(surprise / tempo.unit)) if surprise > 0.0 else 0.0


def wait(state: SpikeState, until: float, step_s: float, tempo: Tempo) -> None:
    """Let time pass without items, up to `until` (epoch seconds): a bounded loop, each step twice the one before."""
    if not (
        state.slow.count or state.slow.mean or state.slow.variance or state.fast.count or state.fast.mean
    ):
        state.at = max(state.at, until)  # of nothing nothing is learnt
        return
    while state.at < until:
        elapsed_s = min(step_s, until - state.at)
        _move(state, state.at + elapsed_s, tempo)
        _learn(state, elapsed_s, tempo)
        step_s *= 2.0


def pass_to(state: SpikeState, now: float, rule: SpikeRule, tempo: Tempo) -> None:
    """Bring an incident's state to `now` (epoch seconds): the bins that have ended on the way are learnt.

    Bins are counted from 1970, whenever the incident began. The first is learnt as it ended; the rest had no items.
    """
    bin_s = rule.bin_h * HOUR_S
    begun_at, ended_at = math.floor(state.at / bin_s) * bin_s, math.floor(now / bin_s) * bin_s
    if ended_at > begun_at:
        _move(state, begun_at + bin_s, tempo)
        _learn(state, bin_s, tempo)
        wait(state, ended_at, bin_s, tempo)
    if now > state.at:
        _move(state, now, tempo)


def count(state: SpikeState, at: float, items: float, tempo: Tempo) -> None:
    """Count items dated `at` (negative: take them out again). Of late ones counts what is left; no bin is reopened."""
    elapsed_s = state.at - at
    fast, slow = state.fast, state.slow
    fast.count = max(0.0, fast.count + items * decay(elapsed_s, tempo.fast_h * HOUR_S))
    slow.count = max(0.0, slow.count + items * decay(elapsed_s, tempo.slow_h * HOUR_S))


def calm_at(state: SpikeState, rule: SpikeRule, tempo: Tempo) -> float:
    """Return when the fast count will be within `calm` deviations of its mean if nothing new comes, or ALREADY."""
    window = state.fast
    usual = tempo.usual_items * (math.exp(window.mean + rule.calm * _deviation(window, rule, tempo)) - 1.0)
    return falls_below(window.count, state.at, tempo.fast_h * HOUR_S, usual)


def _move(state: SpikeState, at: float, tempo: Tempo) -> None:
    """The counts decay until `at`."""
    elapsed_s = at - state.at
    state.fast.count *= decay(elapsed_s, tempo.fast_h * HOUR_S)
    state.slow.count *= decay(elapsed_s, tempo.slow_h * HOUR_S)
    state.at = at


def _logarithm(state: SpikeState, window: Baseline, half_life_h: float, tempo: Tempo) -> float:
    """The logarithm of a count, which a series that has just begun has not yet filled."""
    filled = 1.0 - decay(state.at - state.began, half_life_h * HOUR_S)
    return math.log(1.0 + window.count / filled / tempo.usual_items)


def _deviations(
    state: SpikeState, window: Baseline, half_life_h: float, rule: SpikeRule, tempo: Tempo
) -> float:
    """How many standard deviations a window is above its mean."""
    return (_logarithm(state, window, half_life_h, tempo) - window.mean) / _deviation(window, rule, tempo)


def _deviation(window: Baseline, rule: SpikeRule, tempo: Tempo) -> float:
    """The standard deviation of a window's logarithm: what was seen of it, a least one, and shot noise."""
    shot = math.exp(-window.mean) / tempo.usual_items
    return math.sqrt(window.variance + rule.least_spread * rule.least_spread + shot)


def _learn(state: SpikeState, elapsed_s: float, tempo: Tempo) -> None:
    """The baselines take in the counts of the last `elapsed_s`, the first of them as they are."""
    age_s = state.at - state.began
    by_mean = _gain(elapsed_s, age_s, tempo.mean_h * HOUR_S)
    by_spread = _gain(elapsed_s, age_s, tempo.spread_h * HOUR_S)
    if age_s <= elapsed_s:
        by_spread = 0.0
    _take_in(state.fast, _logarithm(state, state.fast, tempo.fast_h, tempo), by_mean, by_spread)
    _take_in(state.slow, _logarithm(state, state.slow, tempo.slow_h, tempo), by_mean, by_spread)


def _take_in(window: Baseline, logarithm: float, by_mean: float, by_spread: float) -> None:
    error = logarithm - window.mean
    window.variance += by_spread * (error * error - window.variance)
    window.mean += by_mean * error


def _gain(elapsed_s: float, age_s: float, half_life_s: float) -> float:
    """The weight of the latest `elapsed_s` among all weights since the series began."""
    return (1.0 - decay(elapsed_s, half_life_s)) / (1.0 - decay(age_s, half_life_s))
