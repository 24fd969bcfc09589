"""How many events came of late, by topic; and how many requests one client may make."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from stream.view.answers import LiveEvent

HOUR_S: Final = 3600.0
CELL_S: Final = 10.0
MOST_BUCKETS: Final = 10_000
"""Clients whose budgets are remembered; the longest unseen are forgotten first, and begin with a full one again."""


class Rate(Struct, frozen=True):
    """Events an hour by topic, counted over the last `counted_s` seconds: an hour at most."""

    per_hour: dict[str, float]
    counted_s: float


class EventRates:
    """Counts the events of the last hour, in cells of ten seconds."""

    def __init__(self) -> None:
        self._cells: deque[tuple[float, Counter[str]]] = deque()
        self._since: float | None = None

    def count(self, events: Iterable[LiveEvent], now: float) -> None:
        """Note events that came at `now` (seconds of any clock that does not run back)."""
        if self._since is None:
            self._since = now
        begin = now - now % CELL_S
        if not self._cells or self._cells[-1][0] != begin:
            self._cells.append((begin, Counter()))
            self._forget(now)
        self._cells[-1][1].update(event.topic for event in events)

    def at(self, now: float) -> Rate:
        """Return the rates at `now`; nothing is counted before the first event."""
        self._forget(now)
        counted_s = 0.0 if self._since is None else min(HOUR_S, now - self._since)
        total: Counter[str] = Counter()
        for _, counts in self._cells:
            total.update(counts)
        scale = HOUR_S / max(CELL_S, counted_s)
        return Rate(
            {topic: round(count * scale, 1) for topic, count in sorted(total.items())}, round(counted_s, 1)
        )

    def _forget(self, now: float) -> None:
        while self._cells and self._cells[0][0] < now - HOUR_S:
            self._cells.popleft()


class Buckets:
    """A budget of requests for each client: `burst` at once, filled up by `per_s` a second (a token bucket)."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Take one request from a client's budget; return 0, or after how many seconds there will be one.

        >>> buckets = Buckets(0.5, 1)
        >>> buckets.take("a", 0.0), buckets.take("a", 0.0), buckets.take("a", 2.0)
        (0.0, 2.0, 0.0)
        """
        if self._per_s <= 0.0:
            return 0.0
        left, since = self._left.pop(client, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._per_s)
        taken = left >= 1.0
        self._left[client] = (left - 1.0 if taken else left, now)
        if len(self._left) > MOST_BUCKETS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1.0 - left) / self._per_s
