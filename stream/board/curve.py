"""Two numbers that fade: an incident's noise over event time, a rate over the seconds of a stopwatch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

RATE_HALF_LIFE_S: Final = 3.0
"""Memory of a rate: calm enough to read, quick enough to follow a burst."""


class Curve(NamedTuple):
    """A noise curve: `composite * 2 ** -((t - anchor) / half_life_s)` at any t (seconds) after `anchor`."""

    composite: float
    anchor: float
    half_life_s: float

    def at(self, t: float) -> float:
        """Return the value at `t` (epoch seconds); before the anchor it is the composite.

        >>> Curve(80.0, anchor=0.0, half_life_s=100.0).at(100.0)
        40.0
        """
        decay: float = 2.0 ** -(max(0.0, t - self.anchor) / self.half_life_s)
        return self.composite * decay


@dataclass(slots=True)
class Rate:
    """Events per second: a forward-decayed count (Cormode et al., "Forward Decay", ICDE 2009).

    >>> rate = Rate()
    >>> for tenth in range(600):
    ...     rate.add(5, tenth / 10.0)
    >>> 48.0 < rate.per_second(60.0) < 51.0
    True
    """

    _count: float = 0.0
    _at_s: float = 0.0

    def add(self, events: float, at_s: float) -> None:
        """Count `events` at `at_s` (seconds of the stopwatch)."""
        self._count = self._faded(at_s) + events
        self._at_s = at_s

    def per_second(self, at_s: float) -> float:
        """Return events per second at `at_s`."""
        return self._faded(at_s) * math.log(2.0) / RATE_HALF_LIFE_S

    def _faded(self, at_s: float) -> float:
        decay: float = 2.0 ** -(max(0.0, at_s - self._at_s) / RATE_HALF_LIFE_S)
        return self._count * decay
