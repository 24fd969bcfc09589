"""Exponential decay by half-lives: the one curve that noise, rates and averages share.

Forward decay as in Cormode, Shkapenyuk, Srivastava, Xu, "Forward Decay: A Practical Time Decay Model for Streaming
Systems" (ICDE 2009): exponential decay gives the same number whatever the order of arrival.
"""

from __future__ import annotations

import math
from typing import Final

from schemas.times import ceil_ms

LN2: Final = 0.6931471805599453
"""A half-life is so many times the mean life."""

NEVER: Final = math.inf
"""The time of what will not happen unless something new is seen."""

ALREADY: Final = -math.inf
"""The time of what holds and always has."""


def sooner(at: float, first: float, after: float) -> float:
    """Return the sooner of two times, of which `at` counts only if it is after `after`."""
    return at if after < at < first else first


def doublings(ratio: float) -> float:
    """Return the logarithm of `ratio` (> 0) to the base of two: how many half-lives lead from it to 1.

    Of the natural logarithm, which compiled code takes without a call; the last bit may be another than `log2` has.

    >>> doublings(8.0), doublings(0.5)
    (3.0, -1.0)
    """
    return math.log(ratio) / LN2


def decay(elapsed_s: float, half_life_s: float) -> float:
    """Return what is left of 1 after `elapsed_s` seconds; nothing decays before its time (negative gives 1).

    >>> decay(0.0, 3600.0), decay(3600.0, 3600.0), decay(-5.0, 3600.0)
    (1.0, 0.5, 1.0)
    """
    return math.pow(2.0, -(elapsed_s / half_life_s)) if elapsed_s > 0.0 else 1.0


def count_of(rate_per_hour: float, half_life_h: float) -> float:
    """Return the decayed count of a stationary stream of so many items per hour.

    >>> round(count_of(2.0, 24.0), 2)
    69.25
    """
    return rate_per_hour * half_life_h / LN2


def falls_below(value: float, at: float, half_life_s: float, threshold: float) -> float:
    """Return the first whole millisecond at which a decaying value is below `threshold` (> 0), or ALREADY.

    The value was `value` at `at` (epoch seconds) and is flat before. At a threshold of 0 it never falls: NEVER.

    >>> falls_below(8.0, 100.0, 10.0, 2.0)
    120.001
    >>> falls_below(1.0, 100.0, 10.0, 2.0)
    -inf
    """
    if value < threshold:
        return ALREADY
    return ceil_ms(at + half_life_s * doublings(value / threshold)) if threshold > 0.0 else NEVER
