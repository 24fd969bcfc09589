"""How long it takes from sending an observation until its incident's new score is back."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import Final

from msgspec import Struct

REMEMBERED: Final = 100_000
"""The latest latencies that percentiles are taken of: an endless demo must not grow."""
_WAITING: Final = 10_000
"""Observations of one incident that may wait for their score; in a file out of order some wait for ever."""


class Latency(Struct, frozen=True):
    """Percentiles in milliseconds."""

    p50: float
    p99: float


class Stopwatch:
    """Matches scores with the observations they include.

    In stream time the score that an observation gives carries the time of that observation (`as_of`), and an
    incident's observations are scored in their order. So a score for time t answers for all that were sent
    up to the one of t: also for those whose own score the worker left out because newer ones had come.
    A score whose time is that of no observation (a deadline's) answers for none.

    >>> watch = Stopwatch()
    >>> watch.sent("one", 100.0, now_s=1.0)
    >>> watch.sent("one", 160.0, now_s=1.5)
    >>> watch.scored("one", 130.0, now_s=1.6)
    >>> watch.scored("one", 160.0, now_s=2.0)
    >>> watch.latency()
    Latency(p50=500.0, p99=1000.0)
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[tuple[float, float]]] = defaultdict(
            lambda: deque(maxlen=_WAITING)
        )
        self._taken_s: deque[float] = deque(maxlen=REMEMBERED)

    def sent(self, incident_id: str, at: float, now_s: float) -> None:
        """Note that an observation of `at` (epoch seconds) was sent, at `now_s` of a monotonic clock."""
        self._waiting[incident_id].append((at, now_s))

    def scored(self, incident_id: str, as_of: float, now_s: float) -> None:
        """Note that a score for `as_of` (epoch seconds) has come back."""
        waiting = self._waiting[incident_id]
        answered = next((place for place, (at, _) in enumerate(waiting, start=1) if at == as_of), 0)
        for _ in range(answered):
            self._taken_s.append(now_s - waiting.popleft()[1])

    def latency(self) -> Latency | None:
        """Return the percentiles, or None if no observation could be matched."""
        if not self._taken_s:
            return None
        ordered = sorted(self._taken_s)
        return Latency(_percentile_ms(ordered, 0.5), _percentile_ms(ordered, 0.99))


def _percentile_ms(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed (nearest rank)."""
    return round(1000.0 * ordered[math.ceil(share * len(ordered)) - 1], 1)
