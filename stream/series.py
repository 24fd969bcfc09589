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
from scoring.spike import Sighting, SpikeState

COLUMNS: Final = ("timestamp", "value")
UNALERTED: Final = Sighting(0.0, 0.0, alert=False)


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


class Watch:
    """Judges a series bin by bin, each by what came before it alone.

    The narrowest step seen so far is taken for the width of a bin; a row that is missing had no items. The first row
    only sets the clock: how long a time it counts is not known.
    """

    def __init__(self, rule: SpikeRule, sensitivity: Sensitivity) -> None:
        self.rule, self.sensitivity = rule, sensitivity
        self._state: SpikeState | None = None
        self._width_s = math.inf

    def see(self, each: Bin) -> Sighting:
        """Return what the next bin comes to."""
        if self._state is None:
            self._state = spike.begin(each.at)
            return UNALERTED
        self._width_s = min(self._width_s, each.at - self._state.at)
        rule = self.rule
        return spike.observe(
            self._state, each.at, each.items, self._width_s, rule, rule.series, self.sensitivity
        )

    def anomaly_score(self, seen: Sighting) -> float:
        """Return the score to write: what is no alert stays below every threshold, whatever the sensitivity.

        So each alert is one record at or above its threshold, and the score between alerts keeps its shape.
        """
        return seen.score if seen.alert else seen.score * min(self.rule.thresholds.values())
