"""What the noise will be: its median and bands at each horizon, from the row of an incident alone.

Without anything new the noise only decays. Two things keep it up, and each has a model:

- What is already there goes on growing. Interactions with an item grow with the logarithm of its age until it leaves
  the front page, and an incident that has gained of late gains more: the gain is a scale, known from age and momentum,
  times a chance whose quantiles the policy holds.
- New coverage anchors the curve anew, and lengthens the duration. It comes at a rate of r items per hour that is not
  known well: with an exponential prior around it the wait follows P(wait > x) = 1 / (1 + r x) (Lomax, "Business
  failures", JASA 1954), so the quantile q of the time since the last coverage is (1 / q - 1) / r. The newest item says
  nothing of a rate, so one alone has none; that is the self-exciting part, as in Hawkes, "Spectra of some
  self-exciting and mutually exciting point processes" (Biometrika 1971).

Quantiles of both are added as if they came together. `decibel backtest` measures how well that holds.
"""

from __future__ import annotations

import math
from typing import Final

from mypy_extensions import mypyc_attr

from schemas.noise_score import Forecast
from schemas.times import HOUR_S
from scoring.curve import noise_average_at
from scoring.decay import LN2, decay
from scoring.incident import Incident
from scoring.policy import Policy

_FULL: Final = 100.0

# For each quantile of the noise, how old the last coverage will be, in units of 1 / rate.
_BOTTOM: Final = 1.0 / 0.05 - 1.0
_LOW: Final = 1.0 / 0.25 - 1.0
_MEDIAN: Final = 1.0 / 0.50 - 1.0
_HIGH: Final = 1.0 / 0.75 - 1.0
_TOP: Final = 1.0 / 0.95 - 1.0


def forecast(incident: Incident, policy: Policy, at: float) -> tuple[Forecast, ...]:
    """Return what the noise will be at each horizon after `at` (epoch seconds), at or after the latest revision."""
    rule, items = policy.forecast, incident.items
    if not items:
        return tuple([Forecast(each.hours, 0.0, 0.0, 0.0, 0.0, 0.0) for each in rule.horizons])
    since_h, half_life_h = (at - incident.last_seen) / HOUR_S, policy.curve.half_life_h
    age_h = max(0.0, since_h)
    scale = growth_scale(incident, policy, at, incident.composite * decay(since_h, half_life_h))
    aged_h, left_h = age_h + rule.young_h, max(rule.grows_h - age_h, rule.lingers_h)
    rate = coverage_rate(incident, policy, at) if items > 1 else 0.0
    anchors = _Anchors(incident, policy, age_h, rate) if rate else None
    told = []
    for each in rule.horizons:
        hours = each.hours
        growth = scale * math.log(1.0 + min(hours, left_h) / aged_h)
        faded = incident.composite * decay(since_h + hours, half_life_h)
        if anchors is None:
            told.append(_told(hours, growth, each.growth, faded, faded, faded, faded, faded))
            continue
        growth += rule.newcomer_points * math.log(1.0 + rate * hours / items)
        bottom, low, median, high, top = anchors.noises(hours, faded)
        told.append(_told(hours, growth, each.growth, bottom, low, median, high, top))
    return tuple(told)


def growth_scale(incident: Incident, policy: Policy, at: float, noise: float) -> float:
    """Return the scale, in points, of what the present coverage will still gain, its age aside.

    `noise` is that at `at`. An incident above its own average gains more, one of many items less, and one that has not
    been seen to change for a while little.
    """
    rule, silent_s = policy.forecast, at - incident.averages_at
    average = incident.noise_average if silent_s <= 0.0 else noise_average_at(incident, policy, at)
    scale = 1.0 + rule.momentum_weight * (noise - average) if noise > average else 1.0
    if incident.items > 1:
        scale *= incident.items**-rule.crowd_exponent
    return scale * decay(silent_s, rule.silence_half_life_h * HOUR_S) if silent_s > 0.0 else scale


def coverage_rate(incident: Incident, policy: Policy, at: float) -> float:
    """Return the items per hour to be expected after `at`: the mean of two rates, without the newest item."""
    horizons_h, expected, rate = policy.rates.horizons_h, policy.derived.expected, 0.0
    for place in expected:
        others = incident.counts[place] - 1.0
        if others > 0.0:
            horizon_h = horizons_h[place]
            rate += others * LN2 / horizon_h * decay(at - incident.rates_at, horizon_h * HOUR_S)
    return rate / len(expected)


@mypyc_attr(acyclic=True)
class _Anchors:
    """The noise as new coverage will anchor it, at each quantile of the time that will have passed since.

    Coverage within the horizon restores the composite, and raises it by the duration that it adds.
    """

    __slots__ = ("_age_h", "_composite", "_half_life_h", "_longer", "_rate", "_room_h")

    def __init__(self, incident: Incident, policy: Policy, age_h: float, rate: float) -> None:
        span_h, rule = (incident.last_seen - incident.first_seen) / HOUR_S, policy.duration
        self._rate, self._half_life_h = rate, policy.curve.half_life_h
        self._composite, self._age_h = incident.composite, age_h
        self._longer, self._room_h = policy.weights.duration * _FULL / rule.full_h, rule.full_h - span_h

    def noises(self, hours: float, faded: float) -> tuple[float, float, float, float, float]:
        """Return the quantiles of the noise in `hours`; it is `faded` where nothing new will have come."""
        return (
            self._noise(hours, faded, _BOTTOM),
            self._noise(hours, faded, _LOW),
            self._noise(hours, faded, _MEDIAN),
            self._noise(hours, faded, _HIGH),
            self._noise(hours, faded, _TOP),
        )

    def _noise(self, hours: float, faded: float, wait: float) -> float:
        """The noise in `hours` if coverage is to be waited for so long (in units of 1 / rate)."""
        wait_h = wait / self._rate
        if wait_h >= hours:
            return faded
        longer_h = max(0.0, min(self._room_h, self._age_h + hours - wait_h))
        return (self._composite + self._longer * longer_h) * decay(wait_h, self._half_life_h)


def _told(
    hours: float,
    growth: float,
    quantiles: tuple[float, ...],
    bottom: float,
    low: float,
    median: float,
    high: float,
    top: float,
) -> Forecast:
    """Add the growth's quantiles to those of the curve; in hundredths, rounded outwards, and never above 100."""
    low, median, high, top = (
        low + growth * quantiles[0],
        median + growth * quantiles[1],
        high + growth * quantiles[2],
        top + growth * quantiles[3],
    )
    if top > _FULL:
        bottom, low, median, high, top = (min(each, _FULL) for each in (bottom, low, median, high, top))
    return Forecast(
        hours,
        math.floor(median * 100.0 + 0.5) / 100.0,
        math.floor(low * 100.0) / 100.0,
        math.ceil(high * 100.0) / 100.0,
        math.floor(bottom * 100.0) / 100.0,
        math.ceil(top * 100.0) / 100.0,
    )
