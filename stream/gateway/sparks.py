"""Sparklines: the noise of the last two days in a few even steps, from the points that the view keeps of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from schemas.times import HOUR_S
from stream.view.curve import noise_at
from stream.view.entries import Point

SPAN_S: Final = 48.0 * HOUR_S
"""How far back a sparkline goes: two days show whether today is louder than yesterday."""
MOST_SAMPLES: Final = 96


def cells(step_s: int) -> int:
    """Return how many points of a history (one every `step_s` seconds at most) reach over the span, and one before."""
    return math.ceil(SPAN_S / step_s) + 1


def samples(points: Sequence[Point], now: float, count: int) -> tuple[float | None, ...]:
    """Return `count` samples of the noise (0 to 100), evenly over the span, the last one at `now` (epoch seconds).

    Between two points the noise is on the curve of the earlier; None before the first.

    >>> one = Point(1, 0.0, 40.0, 50.0, composite=40.0, anchor=0.0, half_life=SPAN_S / 2)
    >>> samples([one], SPAN_S / 2, 3)
    (None, 40.0, 20.0)
    """
    step = SPAN_S / max(1, count - 1)
    found: list[float | None] = []
    place = -1
    for number in range(count):
        at = now - SPAN_S + number * step
        while place + 1 < len(points) and points[place + 1].at <= at:
            place += 1
        point = points[place] if place >= 0 else None
        noise = None if point is None else noise_at(point.composite, point.anchor, point.half_life, at)
        found.append(None if noise is None else round(noise, 2))
    return tuple(found)
