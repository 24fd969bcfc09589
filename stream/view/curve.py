"""The place of a curve on the leaderboard: a number that time does not change.

All curves halve in the same time, so `log2(noise(t)) + t / half_life` is the same at every t, and who has the
greater one is the louder now and for ever, until something new is said of either.
"""

from __future__ import annotations

import math

from scoring.decay import decay

OFF_BOARD = None
"""An incident without noise has no place."""


def board_key(
    composite: float, anchor: float, half_life_s: float, board_half_life_s: float, at: float
) -> float | None:
    """Return the place on a board of `board_half_life_s` of a curve (composite at `anchor`, epoch seconds), or None.

    `at` is the time of the score: a curve of another half-life (an older policy's) is placed by its noise then. The
    number is about 2,900 for a half-life of a week; a double tells noises apart that differ by 3e-13 of themselves.

    >>> board_key(40.0, 604800.0, 604800.0, 604800.0, 0.0) == math.log2(40.0) + 1.0
    True
    >>> board_key(0.0, 604800.0, 604800.0, 604800.0, 0.0) is OFF_BOARD
    True
    """
    if composite <= 0.0:
        return OFF_BOARD
    if half_life_s == board_half_life_s:
        return math.log2(composite) + anchor / half_life_s
    at = max(at, anchor)
    return math.log2(composite) - (at - anchor) / half_life_s + at / board_half_life_s


def noise_at(composite: float, anchor: float, half_life_s: float, at: float) -> float:
    """Return the noise (0 to 100) at `at`, from what a score says of its curve; times in epoch seconds.

    >>> noise_at(40.0, 1000.0, 3600.0, 4600.0)
    20.0
    """
    return composite * decay(at - anchor, half_life_s)


def least_key(noise: float, board_half_life_s: float, at: float) -> float:
    """Return the place of a curve whose noise at `at` is `noise`; of none, the lowest there is."""
    return math.log2(noise) + at / board_half_life_s if noise > 0.0 else -math.inf
