"""Deadlines: when each incident next changes by itself, on a heap. An idle incident costs nothing until then."""

from __future__ import annotations

import heapq

from scoring.decay import NEVER


class Deadlines:
    """The next wake-up of each incident, earliest first (epoch seconds).

    A deadline that moves later is left where it is: the early wake-up finds nothing due and puts the incident back.
    So an observation, which mostly moves deadlines later, costs no heap operation, and each incident has one entry.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._wake: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many incidents have a deadline."""
        return len(self._wake)

    def plan(self, incident_id: str, at: float) -> None:
        """Wake the incident at `at` at the latest; NEVER asks for nothing."""
        if at < self._wake.get(incident_id, NEVER):
            self._wake[incident_id] = at
            heapq.heappush(self._heap, (at, incident_id))

    def pop(self, until: float) -> tuple[float, str] | None:
        """Take the earliest wake-up at or before `until`, ties by incident; None when there is none."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, incident_id = heapq.heappop(heap)
            if self._wake.get(incident_id) == at:
                del self._wake[incident_id]
                return at, incident_id
        return None

    def next(self) -> float:
        """Return the time of the earliest wake-up, or NEVER."""
        heap = self._heap
        while heap and self._wake.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else NEVER
