"""The conflation window of a partition: what is applied at once is gathered for a while and written together.

So an incident that ten records change within a window has one score written, not ten. A window that opens on a quiet
partition closes at once: nothing waits without need. From then on they close `worker.conflation_ms` apart, those of all
partitions at the same moments, so that what they write shares its requests.
Whoever reads a backlog is late in any case, and gains from writing less: a window may last as long as its records have
waited before.

What leaves when a window closes is its events. The rows it has changed leave with them or with those of a later window:
nobody waits for a row, so of several windows that close within `ROWS_S` each row is written once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

LONGEST_S: Final = 10.0
"""The longest window of a backlog (seconds); by then it is mostly full."""

ROWS_S: Final = 0.25
"""How long after rows were collected the next may be (seconds). Offsets are committed once a second: a crash reads
hardly more again."""

MOST_RECORDS: Final = 20_000
"""Rows are collected after so many records: they are held in memory, and read again after a crash."""

Done = Callable[[], None]


class Window:
    """What of a partition is applied, not collected yet. Times are seconds of `clock`, which never runs back."""

    def __init__(self, conflation_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._length_s, self._clock = conflation_ms / 1000.0, clock
        self._closed_at = self._rows_closed_at = 0.0
        self._waited_s = 0.0
        self._done: list[Done] = []
        self.is_open = False
        """Whether something was applied whose events are not collected."""
        self.has_rows = False
        """Whether something was applied whose rows are not collected."""
        self.records = 0
        """Those whose events are not collected."""
        self._row_records = 0

    @property
    def full(self) -> bool:
        """Whether it must not take more records until rows are collected."""
        return self._row_records >= MOST_RECORDS

    def add(self, records: int, waited_s: float, done: Done | None) -> None:
        """Note that `records` records were applied, the oldest of which has waited for `waited_s` seconds.

        `done` is to be called when all they changed is safe.
        """
        self.is_open = self.has_rows = True
        self.records += records
        self._row_records += records
        self._waited_s = waited_s
        if done is not None:
            self._done.append(done)

    def caught_up(self) -> None:
        """Note that nothing more waits, however long the last records had."""
        self._waited_s = 0.0

    def closes_in(self) -> float:
        """Return how long (seconds) it may stay open; not above 0 if it is to close now."""
        if self.full:
            return 0.0
        now, length_s = self._clock(), self._length_s
        if not length_s:
            return 0.0
        backlog_s = min(self._waited_s, LONGEST_S)
        if backlog_s > length_s:
            return self._closed_at + backlog_s - now
        return (math.floor(self._closed_at / length_s) + 1) * length_s - now

    def rows_in(self) -> float:
        """Return how long (seconds) rows may wait to be collected; not above 0 if they are to be now."""
        return 0.0 if self.full else self._rows_closed_at + ROWS_S - self._clock()

    def close(self) -> None:
        """Begin the next one; the rows of this one go with a later one's."""
        self._closed_at, self.is_open, self.records, self._waited_s = self._clock(), False, 0, 0.0

    def close_with_rows(self) -> Done:
        """Begin the next one; return what is to be called when all of this one, and of those before, is safe."""
        self.close()
        waiting, self._done = self._done, []
        self._rows_closed_at, self.has_rows, self._row_records = self._closed_at, False, 0

        def done() -> None:
            for each in waiting:
                each()

        return done
