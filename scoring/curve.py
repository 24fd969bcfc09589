"""The noise curve: `noise(t) = composite * 2 ** -((t - anchor) / half_life)`, and its averages, in closed form.

The anchor is the last new coverage. Nothing is recalculated while nothing happens.
"""

from __future__ import annotations

import math

from schemas.times import ceil_ms
from scoring.decay import ALREADY, LN2, NEVER, decay, falls_below
from scoring.incident import Incident
from scoring.policy import Policy


def noise_falls_below(incident: Incident, policy: Policy, noise: float) -> float:
    """Return when the noise falls below `noise` (> 0) if nothing new comes (epoch seconds)."""
    return falls_below(incident.composite, incident.last_seen, policy.curve.half_life_s, noise)


def settle_averages(incident: Incident, policy: Policy, now: float) -> None:
    """Bring the averages of a detected incident's noise up to `now`, along the curve that held until now."""
    since = incident.averages_at
    if now <= since:
        return
    known, anchor = policy.derived, incident.last_seen
    noise = incident.composite * decay(since - anchor, known.half_life_s)
    start = max(since, anchor)
    elapsed_s, flat_s = max(0.0, now - start), min(now, start) - since
    left = math.exp(-known.noise_constant * elapsed_s)
    incident.noise_average = _mean(
        incident.noise_average, known.slope_constant, known.slope_gain, noise, left, flat_s, elapsed_s
    )
    incident.long_average = _mean(
        incident.long_average, known.long_constant, known.long_gain, noise, left, flat_s, elapsed_s
    )
    incident.averages_at = now


def noise_average_at(incident: Incident, policy: Policy, at: float) -> float:
    """Return the mean of the noise that its slope is measured against, at `at`, a time after `averages_at`."""
    known = policy.derived
    return _mean_at(incident, policy, incident.noise_average, known.slope_constant, known.slope_gain, at)


def long_average_at(incident: Incident, policy: Policy, at: float) -> float:
    """Return the mean of the noise over months (`index.average_d`) at `at`, a time after `averages_at`.

    Nothing is taken for the time before the incident was detected, so these means add up to that of the index.
    """
    known = policy.derived
    return _mean_at(incident, policy, incident.long_average, known.long_constant, known.long_gain, at)


def long_residue(
    composite: float, last_seen: float, averages_at: float, long_average: float, policy: Policy
) -> tuple[float, float]:
    """Return what the long average of a row has beside its share in the noise, and the time at which it has that.

    From then on the average is `gain * noise + residue`, and the residue decays at the mean's own pace. So the
    averages of many incidents add up as their curves do: two exponentials, whatever their number.
    """
    known = policy.derived
    noise = composite * decay(averages_at - last_seen, known.half_life_s)
    start = max(averages_at, last_seen)
    average = _flat(long_average, known.long_constant, noise, start - averages_at)
    return average - known.long_gain * noise, start


def slope_per_hour(incident: Incident, policy: Policy, at: float) -> float:
    """Return the slope of the noise at `at` in points per hour.

    A mean with decay constant b lags behind a ramp of slope s by s / b, so s is b times the lag.
    """
    lag = incident.noise_at(at, policy.curve.half_life_s) - noise_average_at(incident, policy, at)
    return lag * LN2 / policy.trend.slope_h


def slope_turns(incident: Incident, policy: Policy, one: float, other: float) -> tuple[float, float]:
    """Return when `one` and `other` times the noise fall below its own mean; once it, its slope turns (epoch seconds).

    The difference of two exponentials with one sign change: closed form. It is NEVER where decay alone does not
    bring the noise so far below its mean.
    """
    known = policy.derived
    since, anchor, b = incident.averages_at, incident.last_seen, known.slope_constant
    noise = incident.composite * decay(since - anchor, known.half_life_s)
    start = max(since, anchor)
    average, steady = _flat(incident.noise_average, b, noise, start - since), known.slope_gain * noise
    per_s = b - known.noise_constant
    return _turns(one * noise, average, steady, start, per_s), _turns(
        other * noise, average, steady, start, per_s
    )


def _turns(noise: float, average: float, steady: float, start: float, per_s: float) -> float:
    """When a multiple of the noise falls below its mean: they were `noise` and `average` at `start`.

    `steady` is what the mean's share in the noise comes to, `per_s` the pace at which the two draw near (1/s).
    """
    if average >= noise:
        return ALREADY
    if steady <= noise:
        return NEVER
    return ceil_ms(start + math.log((steady - average) / (steady - noise)) / per_s)


def _mean_at(incident: Incident, policy: Policy, mean: float, b: float, gain: float, at: float) -> float:
    """The exponentially weighted mean of the noise at `at`, which was `mean` at `averages_at`."""
    since, anchor = incident.averages_at, incident.last_seen
    noise = incident.noise_at(since, policy.curve.half_life_s)
    start = max(since, anchor)
    elapsed_s = max(0.0, at - start)
    left = math.exp(-policy.derived.noise_constant * elapsed_s)
    return _mean(mean, b, gain, noise, left, min(at, start) - since, elapsed_s)


def _mean(
    mean: float, b: float, gain: float, noise: float, left: float, flat_s: float, elapsed_s: float
) -> float:
    """The mean, once the noise has been flat for `flat_s` and has then decayed to the share `left` for `elapsed_s`.

    Solves m' = b (n - m) for n(t) = n0 * exp(-a t), a and b being the decay constants of noise and mean (1/s), `gain`
    b / (b - a): the noise's share in a mean.
    """
    pull = math.exp(-b * elapsed_s)
    return gain * noise * (left - pull) + _flat(mean, b, noise, flat_s) * pull


def _flat(mean: float, b: float, noise: float, flat_s: float) -> float:
    """The mean after the noise has been flat: coverage may be dated a little ahead of its arrival."""
    return noise + (mean - noise) * math.exp(-b * flat_s) if flat_s > 0.0 else mean
