"""From the moment an event is produced to the moment the broker has an update that holds it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

TOLERANCE_S: Final = 0.0005
"""Times of the story stand in updates to the millisecond."""


class Sent(NamedTuple):
    """An event that was produced: its incident, its time in the story, and the wall clock's (epoch seconds)."""

    key: bytes
    at: float
    sent_at: float


class Held(NamedTuple):
    """The updates of one incident in order: the time in the story up to which each holds, and when it was appended."""

    ats: list[float]
    appended: list[float]


_NOTHING: Final = Held([], [])


class Latency(NamedTuple):
    """Milliseconds from produce to update, of how many events, at which rate; `lost` have no update at all."""

    p50_ms: float
    p99_ms: float
    events: int
    lost: int
    rate: float


def middle(runs: Collection[Latency]) -> Latency | None:
    """Return the medians of several runs, each figure's own, and the sum of their events; None if there is no run.

    >>> middle([Latency(5.0, 30.0, 10, 0, 2.0), Latency(6.0, 9.0, 10, 1, 2.0), Latency(4.0, 8.0, 10, 0, 2.0)])
    Latency(p50_ms=5.0, p99_ms=9.0, events=30, lost=1, rate=2.0)
    """
    if not runs:
        return None
    p50_ms, p99_ms, events, lost, rate = zip(*runs, strict=True)
    return Latency(median(p50_ms), median(p99_ms), sum(events), sum(lost), median(rate))


def latencies(sent: Iterable[Sent], updates: Mapping[bytes, Held]) -> tuple[list[float], int]:
    """Return the seconds from each event to the first update of its incident that holds it; how many have none.

    >>> latencies([Sent(b"a", 1.0, 100.0), Sent(b"a", 3.0, 100.0)], {b"a": Held([0.5, 2.0], [99.0, 100.25])})
    ([0.25], 1)
    """
    found: list[float] = []
    lost = 0
    for key, at, sent_at in sent:
        held = updates.get(key, _NOTHING)
        place = bisect_left(held.ats, at - TOLERANCE_S)
        if place == len(held.ats):
            lost += 1
        else:
            found.append(held.appended[place] - sent_at)
    return found, lost


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed; not a number if there are none.

    >>> quantile([5.0, 1.0, 2.0, 3.0, 4.0], 0.5), quantile([1.0, 2.0], 0.99)
    (3.0, 2.0)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
