"""The model of the board: what is known of each incident and what was counted, from events alone."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Final

from msgspec import Struct

from schemas.incident_profile import IncidentProfile
from schemas.noise_index import NoiseIndex
from schemas.noise_score import NoiseScore
from schemas.times import HOUR_S, to_epoch
from stream.board.curve import Curve, Rate
from stream.board.feed import Change, Feed, Kind, change_of
from stream.board.plain import plain

OVERALL: Final = "overall"
"""The category under which the index over all incidents is told."""
SPARK_STEP_S: Final = 2.0 * HOUR_S
"""Event time that one cell of a sparkline stands for."""
SPARK_CELLS: Final = 12
"""Cells kept of each sparkline: a day."""
REMEMBERED: Final = 20_000
"""Changes remembered to drop their repeats: more than a worker repeats after a crash."""


@dataclass(slots=True)
class Totals:
    """What was counted since the board began, without repeats; `items` are those of all incidents now."""

    items: int = 0
    updates: int = 0
    changes: Counter[Kind] = field(default_factory=Counter)


@dataclass(slots=True)
class Row:
    """An incident on the board: its latest score, its curve, and the last curve in each cell of time."""

    score: NoiseScore
    curve: Curve
    cells: deque[tuple[int, Curve]] = field(default_factory=lambda: deque(maxlen=SPARK_CELLS))

    def take(self, score: NoiseScore) -> None:
        """Put `score` in the place of the one before."""
        self.score = score
        self.curve = Curve(score.composite, to_epoch(score.anchor), score.half_life)
        cell = _cell(to_epoch(score.as_of))
        if self.cells and self.cells[-1][0] >= cell:
            self.cells.pop()
        self.cells.append((cell, self.curve))

    def recent(self, now: float, cells: int) -> list[float | None]:
        """Return the noise at the end of each of the last `cells` up to `now`; None before the first."""
        last = _cell(now)
        return [self._noise_in(cell, now) for cell in range(last - cells + 1, last + 1)]

    def _noise_in(self, cell: int, now: float) -> float | None:
        held = [curve for at, curve in self.cells if at <= cell]
        return held[-1].at(min(now, (cell + 1) * SPARK_STEP_S)) if held else None


class BoardModel:
    """All that the board shows, from the events applied to it, in whatever order the topics deliver them.

    `clock` gives the present (epoch seconds) at which noise is evaluated; without one it is the latest time
    that any event has told, as in a demo that runs faster than time. `level_of` names the level of a noise by
    the policy; without it the level of the latest score is shown. Rates need a stopwatch: see `tick`.
    """

    def __init__(
        self, clock: Callable[[], float] | None = None, level_of: Callable[[float], str] | None = None
    ) -> None:
        self.totals = Totals()
        self.items_rate = Rate()
        self.updates_rate = Rate()
        self.stopwatch_s: float | None = None
        self.feed = Feed()
        self.titles: dict[str, str] = {}
        self.rows: dict[str, Row] = {}
        self._clock, self._level_of = clock, level_of
        self._latest = 0.0
        self.relative: float | None = None
        self._index: tuple[float, Curve] | None = None
        self._merged: dict[str, int] = {}  # the revision at which an incident left the board for another
        self._seen: OrderedDict[tuple[str, Change], None] = OrderedDict()

    def apply(self, topic: str, event: Struct) -> None:
        """Take in an event from `topic`; a repeat, or one older than what is known, changes nothing.

        Profiles are welcome too, for they give the titles. Other events are left alone.
        """
        match event:
            case NoiseScore():
                self._take_score(event)
            case NoiseIndex(category=category) if category == OVERALL:
                self._take_index(event)
            case IncidentProfile():
                self.titles[event.incident_id] = plain(event.title)
            case _:
                change = change_of(event)
                if change is not None and self._first_seen((topic, change)):
                    self._take_change(change)

    def tick(self, at_s: float) -> None:
        """Move the stopwatch to `at_s` (seconds of a monotonic clock); rates are per second of it."""
        self.stopwatch_s = at_s

    def now(self) -> float:
        """Return the time (epoch seconds) at which noise is evaluated."""
        return self._clock() if self._clock else self._latest

    def index(self) -> float | None:
        """Return the index over all incidents now, or None before its first event."""
        return self._index[1].at(self.now()) if self._index else None

    def noise(self, row: Row) -> float:
        """Return the noise (0 to 100) of an incident now."""
        return row.curve.at(self.now())

    def level(self, row: Row) -> str:
        """Return the name of the level of an incident now."""
        return plain(self._level_of(self.noise(row)) if self._level_of else row.score.level)

    def loudest(self, most: int) -> list[Row]:
        """Return at most `most` incidents, the loudest now first; of equals the first by id."""
        now = self.now()
        return nsmallest(
            most, self.rows.values(), key=lambda row: (-row.curve.at(now), row.score.incident_id)
        )

    def name(self, incident_id: str) -> str:
        """Return the title of an incident where it is known, else its id."""
        return self.titles.get(incident_id) or plain(incident_id)

    def _take_score(self, score: NoiseScore) -> None:
        row = self.rows.get(score.incident_id)
        known = self._merged.get(score.incident_id, 0) if row is None else row.score.revision
        if score.revision <= known:
            return
        self._latest = max(self._latest, to_epoch(score.as_of))
        self.totals.updates += 1
        self._count(self.updates_rate, 1)
        if score.merged_into is not None:
            self._merged[score.incident_id] = score.revision
            if row is not None:
                self.totals.items -= self.rows.pop(score.incident_id).score.items
            return
        if row is None:
            row = self.rows[score.incident_id] = Row(score, Curve(0.0, 0.0, score.half_life))
            self.totals.items += score.items
        else:
            self.totals.items += score.items - row.score.items
            self._count(self.items_rate, max(0, score.items - row.score.items))
        row.take(score)

    def _take_index(self, event: NoiseIndex) -> None:
        at = to_epoch(event.at)
        self._latest = max(self._latest, at)
        if self._index is None or at >= self._index[0]:
            self._index = at, Curve(event.value, at, event.half_life)
            self.relative = event.relative

    def _take_change(self, change: Change) -> None:
        self.totals.changes[change.kind] += 1
        if change.kind is not Kind.REJECTED:  # its time is that of the broker, not of the stream
            self._latest = max(self._latest, change.at)
        self.feed.add(change)

    def _count(self, rate: Rate, events: int) -> None:
        if self.stopwatch_s is not None:
            rate.add(events, self.stopwatch_s)

    def _first_seen(self, key: tuple[str, Change]) -> bool:
        """Say whether a change is new, and remember it; the oldest are forgotten."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True


def _cell(at: float) -> int:
    return int(at // SPARK_STEP_S)
