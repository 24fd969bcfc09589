"""Count series from CSV files: one bin a row, in order of time; an error names file, line and column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from schemas.errors import DecibelError
from schemas.times import parse_time
from schemas.words import Sensitivity
from scoring import spike
from scoring.policy import SpikeRule
from scoring.spike import Sighting
from scoring.spike_state import SpikeState

COLUMNS: Final = ("timestamp", "value")


class Bin(NamedTuple):
    """One row: its two cells as they stand in the file, its time (epoch seconds), and how many items it counts."""

    timestamp: str
    value: str
    at: float
    items: float


def read_series(path: Path) -> Iterator[Bin]:
    """Give the bins of a CSV with the columns `timestamp` and `value` (more are ignored), one at a time.

    A time without a zone is UTC. DecibelError where a cell is no time or no count, or time does not rise.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _bins(file, str(path))
    except OSError as error:
        raise DecibelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DecibelError(f"{path}: not UTF-8 text: {error.reason}") from error


def _bins(file: TextIO, name: str) -> Iterator[Bin]:
    rows = csv.DictReader(file)
    line, last = 1, -math.inf
    try:
        for column in COLUMNS:
            if column not in (rows.fieldnames or ()):
                raise DecibelError(f"{name}:1: no column `{column}`; the first line must name the columns")
        for row in rows:
            line = rows.line_num
            each = Bin(
                timestamp := row["timestamp"] or "",
                value := row["value"] or "",
                _time(timestamp, f"{name}:{line}"),
                _items(value, f"{name}:{line}"),
            )
            if each.at <= last:
                raise DecibelError(
                    f"{name}:{line}: column `timestamp`: {timestamp!r} is not after the row before"
                )
            last = each.at
            yield each
    except csv.Error as error:
        raise DecibelError(f"{name}: not CSV after line {line}: {error}") from error


def _time(cell: str, place: str) -> float:
    try:
        return parse_time(cell.strip())
    except (ValueError, OverflowError):
        raise DecibelError(
            f"{place}: column `timestamp`: {cell!r} is no time; write it as 2021-12-10T14:00:00Z"
        ) from None


def _items(cell: str, place: str) -> float:
    try:
        items = float(cell)
    except ValueError:
        items = math.nan
    if not 0.0 <= items < math.inf:
        raise DecibelError(f"{place}: column `value`: {cell!r} is no count; it must be a number, 0 or more")
    return items


class Judged(NamedTuple):
    """What a bin comes to: its surprise in deviations, its score, whether it is an alert, and the score to write."""

    surprise: float
    score: float
    alert: bool
    anomaly_score: float


class Watch:
    """Judges a series bin by bin, each by what came before it alone.

    The narrowest step seen so far is taken for the width of a bin; a row that is missing had no items. The first row
    only sets the clock: how long a time it counts is not known.

    What is no alert is written below every threshold, so that each alert is one record at or above its threshold, and
    the score in between keeps its shape. Alerts of the more sensitive settings are written too, below the threshold of
    the wanted one: whoever reads the file at a lower threshold finds them.
    """

    def __init__(self, rule: SpikeRule, sensitivity: Sensitivity) -> None:
        self._rule, self._sensitivity = rule, sensitivity
        self._threshold = rule.thresholds[sensitivity]
        self._others = tuple(each for each, least in rule.thresholds.items() if least < self._threshold)
        self._quiet = min(rule.thresholds.values())
        self._states: dict[Sensitivity, SpikeState] = {}
        self._at = 0.0
        self._width_s = math.inf

    def see(self, each: Bin) -> Judged:
        """Return what the next bin comes to."""
        if not self._states:
            self._states = {one: spike.begin(each.at) for one in (self._sensitivity, *self._others)}
            self._at = each.at
            return Judged(0.0, 0.0, alert=False, anomaly_score=0.0)
        self._width_s = min(self._width_s, each.at - self._at)
        self._at = each.at
        seen = self._observe(each, self._sensitivity)
        others = [self._observe(each, other).alert for other in self._others]
        told = seen.alert or (seen.score < self._threshold and any(others))
        return Judged(seen.surprise, seen.score, seen.alert, seen.score if told else seen.score * self._quiet)

    def _observe(self, each: Bin, sensitivity: Sensitivity) -> Sighting:
        rule = self._rule
        state = self._states[sensitivity]
        return spike.observe(state, each.at, each.items, self._width_s, rule, rule.series, sensitivity)
