"""The noise curve: `noise(t) = composite * 2 ** -((t - anchor) / half_life)`, and its averages, in closed form.

The anchor is the last new coverage. Nothing is recalculated while nothing happens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from schemas.times import HOUR_S, ceil_ms
from scoring.decay import ALREADY, NEVER, falls_below
from scoring.incident import LN2, Incident
from scoring.policy import Policy


def noise_falls_below(incident: Incident, policy: Policy, noise: float) -> float:
    """Return when the noise falls below `noise` (> 0) if nothing new comes (epoch seconds)."""
    return falls_below(incident.composite, incident.last_seen, policy.curve.half_life_s, noise)


def settle_averages(incident: Incident, policy: Policy, now: float) -> None:
    """Bring the averages of a detected incident's noise up to `now`, along the curve that held until now."""
    elapsed = now - incident.averages_at
    if elapsed <= 0.0:
        return
    incident.noise_average = noise_average_at(incident, policy, now)
    incident.long_average = long_average_at(incident, policy, now)
    incident.averages_at = now


def noise_average_at(incident: Incident, policy: Policy, at: float) -> float:
    """Return the mean of the noise that its slope is measured against, at `at`, a time after `averages_at`."""
    return _mean_at(incident, policy, incident.noise_average, _slope_constant(policy), at)


def long_average_at(incident: Incident, policy: Policy, at: float) -> float:
    """Return the mean of the noise over months (`index.average_d`) at `at`, a time after `averages_at`.

    Nothing is taken for the time before the incident was detected, so these means add up to that of the index.
    """
    return _mean_at(incident, policy, incident.long_average, policy.index.decay_constant, at)


def long_residue(incident: Incident, policy: Policy) -> tuple[float, float]:
    """Return what the long average has beside its share in the noise, and the time at which it has that.

    From then on the average is `gain * noise + residue`, and the residue decays at the mean's own pace. So the
    averages of many incidents add up as their curves do: two exponentials, whatever their number.
    """
    b = policy.index.decay_constant
    noise, gain, _ = _curve(incident, policy, b)
    start = max(incident.averages_at, incident.last_seen)
    return _flat_average(incident, incident.long_average, b, noise, start) - gain * noise, start


def gain_of(policy: Policy, b: float) -> float:
    """Return b / (b - a): the noise's share in a mean with decay constant b (1/s), a being that of the noise."""
    return b / (b - LN2 / policy.curve.half_life_s)


def slope_per_hour(incident: Incident, policy: Policy, at: float) -> float:
    """Return the slope of the noise at `at` in points per hour.

    A mean with decay constant b lags behind a ramp of slope s by s / b, so s is b times the lag.
    """
    lag = incident.noise_at(at, policy.curve.half_life_s) - noise_average_at(incident, policy, at)
    return lag * LN2 / policy.trend.slope_h


def slope_turns(incident: Incident, policy: Policy, times: Sequence[float] = (1.0,)) -> list[float]:
    """Return when each of `times` the noise falls below its own mean, 1 being where its slope turns (epoch seconds).

    The difference of two exponentials with one sign change: closed form. It is NEVER where decay alone does not
    bring the noise so far below its mean.
    """
    b = _slope_constant(policy)
    noise, gain, a = _curve(incident, policy, b)
    start = max(incident.averages_at, incident.last_seen)
    average, steady = _flat_average(incident, incident.noise_average, b, noise, start), gain * noise
    found = []
    for each in times:
        if average >= each * noise:
            found.append(ALREADY)
        elif steady <= each * noise:
            found.append(NEVER)
        else:
            found.append(ceil_ms(start + math.log((steady - average) / (steady - each * noise)) / (b - a)))
    return found


def _mean_at(incident: Incident, policy: Policy, mean: float, b: float, at: float) -> float:
    """The exponentially weighted mean of the noise at `at`, which was `mean` at `averages_at`.

    Solves m' = b (n - m) for n(t) = n0 * exp(-a t), a and b being the decay constants of noise and mean (1/s).
    """
    noise, gain, a = _curve(incident, policy, b)
    start = max(incident.averages_at, incident.last_seen)
    elapsed_s = max(0.0, at - start)
    pull = math.exp(-b * elapsed_s)
    return (
        gain * noise * (math.exp(-a * elapsed_s) - pull)
        + _flat_average(incident, mean, b, noise, min(at, start)) * pull
    )


def _flat_average(incident: Incident, mean: float, b: float, noise: float, until: float) -> float:
    """The mean at `until` where the noise has been flat: coverage may be dated a little ahead of its arrival."""
    elapsed_s = until - incident.averages_at
    if elapsed_s <= 0.0:
        return mean
    return noise + (mean - noise) * math.exp(-b * elapsed_s)


def _curve(incident: Incident, policy: Policy, b: float) -> tuple[float, float, float]:
    """Noise at `averages_at`, the gain of a mean with decay constant b, and the decay constant a of the noise (1/s)."""
    half_life_s = policy.curve.half_life_s
    return incident.noise_at(incident.averages_at, half_life_s), gain_of(policy, b), LN2 / half_life_s


def _slope_constant(policy: Policy) -> float:
    return LN2 / (policy.trend.slope_h * HOUR_S)
