"""The columns of the leaderboard: how wide each is, how it is drawn, which goes where space is short."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from rich.text import Text

from stream.board import glyphs
from stream.board.feed import SHORT_TREND
from stream.board.model import BoardModel, Row

LEAST_TITLE: Final = 14
"""Cells below which a title says nothing: before that, a column goes."""
GAP: Final = 1

NOISE_DIGITS: Final = 3

FULL_FROM: Final = 132
ROOMY_FROM: Final = 96
"""Widths of the table from which words are written out, and from which bars and sparklines are longer."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a cell may need: the model, how wide its column is, and whether the terminal has ASCII alone."""

    model: BoardModel
    ascii_only: bool
    written_out: bool

    def text(self, words: str, style: str = "") -> Text:
        """Return `words` as they are, in ASCII where there is no more; markup in them is not read."""
        return Text(glyphs.in_ascii(words) if self.ascii_only else words, style, no_wrap=True)

    def sign(self, signs: tuple[str, str, str]) -> Text:
        """Return a sign in its colour."""
        return Text(signs[1] if self.ascii_only else signs[0], signs[2])


Cell = Callable[[Drawing, Row, int], Text]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width in a compact, a roomy and a full table, and its cell.

    `drops` is the order in which columns go where space is short: 1 goes first, 0 never.
    """

    head: str
    widths: tuple[int, int, int]
    cell: Cell
    drops: int = 0
    justify: Literal["left", "right"] = "left"


def _noise(drawing: Drawing, row: Row, width: int) -> Text:
    noise = drawing.model.noise(row)
    style = glyphs.colour(noise)
    line = Text(no_wrap=True).append(f"{math.floor(noise):>{NOISE_DIGITS}} ", f"bold {style}")
    bar = glyphs.bar(noise, width - NOISE_DIGITS - 1, ascii_only=drawing.ascii_only)
    return line.append(bar, style)


def _spark(drawing: Drawing, row: Row, width: int) -> Text:
    now = drawing.model.now()
    line = glyphs.sparkline(row.recent(now, width), ascii_only=drawing.ascii_only)
    return Text(line, glyphs.SPARK)


def _level(drawing: Drawing, row: Row, _width: int) -> Text:
    return drawing.text(drawing.model.level(row), glyphs.colour(drawing.model.noise(row)))


def _trend(drawing: Drawing, row: Row, _width: int) -> Text:
    trend = row.score.trend
    signs = glyphs.TRENDS[trend]
    word = trend.value if drawing.written_out else SHORT_TREND.get(trend, trend.value)
    return drawing.sign(signs).append(f" {word}", signs[2])


def _state(drawing: Drawing, row: Row, _width: int) -> Text:
    state = row.score.state
    word = state.value if drawing.written_out else glyphs.SHORT_STATE.get(state, state.value)
    return drawing.text(word, glyphs.STATES[state])


def _polarity(drawing: Drawing, row: Row, _width: int) -> Text:
    return drawing.text(f"{math.floor(row.score.polarity.value)}")


def _coverage(drawing: Drawing, row: Row, _width: int) -> Text:
    return drawing.text(f"{short(row.score.items)}/{row.score.platforms}")


def _peak(drawing: Drawing, row: Row, _width: int) -> Text:
    return drawing.text(f"{math.floor(row.score.peak.noise)}", "dim")


COLUMNS: Final = (
    Column("Noise", (8, 12, 16), _noise),
    Column("Lately", (6, 10, 12), _spark, drops=1),
    Column("Level", (9, 9, 10), _level, drops=4),
    Column("Trend", (9, 9, 16), _trend, drops=7),
    Column("State", (9, 9, 17), _state, drops=6),
    Column("Pol", (3, 3, 3), _polarity, drops=2, justify="right"),
    Column("It/Pl", (6, 7, 7), _coverage, drops=3, justify="right"),
    Column("Peak", (4, 4, 4), _peak, drops=5, justify="right"),
)
"""Those to the right of rank and title."""


def short(count: int) -> str:
    """Return a count in at most four cells: 9999, then 10k, 10M.

    >>> short(9999), short(12_345), short(3_400_000)
    ('9999', '12k', '3M')
    """
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= max(size, 10_000):
            return f"{count // size}{unit}"
    return str(count)


def fit(width: int, rank_width: int) -> tuple[list[tuple[Column, int]], int]:
    """Return the columns of a table of `width` cells, each with its width, and what is left for the title."""
    size = 2 if width >= FULL_FROM else 1 if width >= ROOMY_FROM else 0
    chosen = list(COLUMNS)
    while True:
        taken = sum(column.widths[size] + GAP for column in chosen)
        title = width - taken - rank_width - GAP
        first = min(
            (column for column in chosen if column.drops), key=lambda column: column.drops, default=None
        )
        if title >= LEAST_TITLE or first is None:
            return [(column, column.widths[size]) for column in chosen], max(1, title)
        chosen.remove(first)
