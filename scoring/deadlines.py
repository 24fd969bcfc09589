"""Deadlines: when each incident next changes by itself, on a heap. An idle incident costs nothing until then."""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from typing import Final

from scoring.decay import NEVER

# Names of this module are read in place where the core is compiled.
_POP: Final = heappop
_PUSH: Final = heappush
_REPLACE: Final = heapreplace


class Deadlines:
    """The next deadline of each incident, earliest first (epoch seconds).

    A deadline that moves later leaves its entry on the heap where it is; when that comes up, the incident is put back.
    So an observation, which mostly moves deadlines later, costs no heap operation, and each incident has one entry.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._entry: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many incidents have a deadline."""
        return len(self._due)

    def plan(self, incident_id: str, at: float) -> None:
        """Put the deadline `at` in the place of the incident's last one; NEVER takes it away."""
        if at == NEVER:
            self._due.pop(incident_id, None)
            return
        self._due[incident_id] = at
        if at < self._entry.get(incident_id, NEVER):
            self._enter(incident_id, at)

    def hasten(self, incident_id: str, by_s: float, now: float) -> None:
        """Wake up `by_s` seconds sooner than planned, but not before `now`; nothing where nothing is planned."""
        at = self._due.get(incident_id)
        if at is not None:
            self.plan(incident_id, max(now, at - by_s))

    @property
    def earliest(self) -> float:
        """A time before which none is due; there may be none at it."""
        return self._heap[0][0] if self._heap else NEVER

    def pop(self, until: float) -> tuple[float, str] | None:
        """Take the earliest deadline at or before `until`, ties by incident; None when there is none."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, incident_id = heap[0]
            due = NEVER
            if self._entry.get(incident_id) == at:
                due = self._due.get(incident_id, NEVER)
                if due != at and due < NEVER:
                    self._entry[incident_id] = due
                    _REPLACE(heap, (due, incident_id))
                    continue
                del self._entry[incident_id]
            _POP(heap)
            if due == at:
                del self._due[incident_id]
                return at, incident_id
        return None

    def next(self) -> float:
        """Return the earliest time at which one may be due, or NEVER: none is before."""
        heap = self._heap
        while heap and self._entry.get(heap[0][1]) != heap[0][0]:
            _POP(heap)
        return heap[0][0] if heap else NEVER

    def _enter(self, incident_id: str, at: float) -> None:
        self._entry[incident_id] = at
        _PUSH(self._heap, (at, incident_id))
