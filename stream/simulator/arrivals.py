"""When items appear: an inhomogeneous Poisson process, drawn by thinning.

Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", Naval Research Logistics 26
(1979): draw candidates at a rate that is never exceeded, keep each with probability rate / bound. The bound
is taken anew for each window, so that the long quiet tail of an outbreak does not pay for its peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from stream.simulator.shapes import Shape

WINDOW_H: Final = 1.0
"""Length of a window with one bound: short against every rise, long against the gap between two items."""


def arrivals(rng: Random, shape: Shape, scale: float, until_h: float) -> Iterator[float]:
    """Yield the hours of the episode at which items appear, ascending, up to `until_h`.

    `scale` multiplies the rate of the shape.

    >>> from stream.simulator.shapes import FLAT
    >>> hours = list(arrivals(Random(1), FLAT, scale=2.0, until_h=1000.0))
    >>> hours == sorted(hours), 1800 < len(hours) < 2200
    (True, True)
    """
    from_h = 0.0
    while from_h < until_h:
        to_h = min(from_h + WINDOW_H, until_h)
        yield from _window(rng, shape, scale, from_h, to_h)
        from_h = to_h


def _window(rng: Random, shape: Shape, scale: float, from_h: float, to_h: float) -> Iterator[float]:
    bound = shape.bound(from_h, to_h) * scale
    if bound <= 0.0:
        return
    at_h = from_h + rng.expovariate(bound)
    while at_h < to_h:
        if rng.random() * bound <= shape.rate(at_h) * scale:
            yield at_h
        at_h += rng.expovariate(bound)
