"""What changed: the latest state changes, peaks, trends, merges and dead letters, in words."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from msgspec import Struct

from schemas.dead_letter import DeadLetter
from schemas.incident_merged import IncidentMerged
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import to_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import PeakKind, Trend
from stream.board.plain import plain

KEPT: Final = 100
"""Changes kept: more than a tall terminal shows."""

SHORT_TREND: Final = {Trend.STEADY: "Steady"}
"""Words where space is short, if they differ."""


class Kind(Enum):
    """What sort of change it is; the drawing chooses sign and colour."""

    STATE = "state"
    PEAK = "peak"
    CROSSING = "crossing"
    TREND = "trend"
    MERGED = "merged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the panel: when (epoch seconds), which incident (or where a rejected record lies), what.

    Of those that fold, only the last of an incident and kind is kept.
    """

    at: float
    incident_id: str
    kind: Kind
    words: str
    folds: bool = False


@dataclass(slots=True)
class Feed:
    """The latest changes. An incident on its way up crosses peak after peak: only its last one is kept."""

    _changes: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, change: Change) -> None:
        """Put `change` in; one that folds takes the place of the one of its incident and kind."""
        if change.folds:
            for index, other in enumerate(self._changes):
                if other.folds and (other.incident_id, other.kind) == (change.incident_id, change.kind):
                    del self._changes[index]
                    break
        self._changes.append(change)

    def latest(self, most: int) -> Iterator[Change]:
        """Yield at most `most` changes, the latest event first; those that fold are a third at most."""
        room, room_for_folding = most, -(-most // 3)
        by_time = sorted(self._changes, key=lambda change: change.at)
        for change in reversed(by_time):
            if room > 0 and (room_for_folding > 0 or not change.folds):
                room, room_for_folding = room - 1, room_for_folding - change.folds
                yield change


def change_of(event: Struct) -> Change | None:
    """Return the line that tells of `event`; None for an event that is no change."""
    match event:
        case StateChange():
            return _of_state(event)
        case TrendUpdate():
            return _of_trend(event)
        case PeakCrossing():
            return _of_peak(event)
        case IncidentMerged():
            return _of_merge(event)
        case DeadLetter():
            return _of_dead_letter(event)
    return None


def _of_state(event: StateChange) -> Change:
    """Return the line of a transition."""
    words = f"{event.previous.value} → {event.to.value}" if event.previous else f"detected: {event.to.value}"
    return Change(to_epoch(event.at), event.incident_id, Kind.STATE, words)


def _of_trend(event: TrendUpdate) -> Change:
    """Return the line of a change of activity, else of direction, with the multiple of the usual volume."""
    if event.activity is not event.previous_activity:
        words = f"{event.previous_activity.value} → {event.activity.value}"
    else:
        words = f"{_short(event.previous)} → {_short(event.trend)}"
    words += f", {event.multiple:.1f} × usual"
    return Change(to_epoch(event.at), event.incident_id, Kind.TREND, words)


def _short(trend: Trend) -> str:
    return SHORT_TREND.get(trend, trend.value)


def _of_peak(event: PeakCrossing) -> Change:
    """Return the line of a peak or the crossing of a level."""
    at, level = to_epoch(event.at), plain(event.level)
    if event.kind is PeakKind.NEW_PEAK:
        return Change(at, event.incident_id, Kind.PEAK, f"new peak {math.floor(event.noise)}", folds=True)
    if event.kind is PeakKind.PEAKED:
        noise = event.noise if event.peak is None else event.peak.noise
        return Change(at, event.incident_id, Kind.PEAK, f"peaked at {math.floor(noise)}")
    verb = "rose to" if event.kind is PeakKind.ROSE_ABOVE else "fell below"
    return Change(at, event.incident_id, Kind.CROSSING, f"{verb} {level}")


def _of_merge(event: IncidentMerged) -> Change:
    """Return the line of a merge, or of one that was taken back."""
    words = f"merge into {plain(event.into)} undone" if event.undone else f"merged into {plain(event.into)}"
    return Change(to_epoch(event.at), event.source, Kind.MERGED, words)


def _of_dead_letter(event: DeadLetter) -> Change:
    """Return the line of a record that was not accepted: why, and where it lies."""
    origin = event.origin
    place = f"{plain(origin.topic)}[{origin.partition}]@{origin.offset}"
    return Change(to_epoch(origin.at), place, Kind.REJECTED, f"rejected: {plain(event.reason)}")
