"""The drawing of the board: a header, the leaderboard, and what changed, beside it or below."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from rich import box
from rich.console import Group, OverflowMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.times import from_epoch
from stream.board import columns, glyphs
from stream.board.columns import Drawing
from stream.board.curve import Rate
from stream.board.feed import Change, Kind
from stream.board.model import BoardModel

BESIDE_FROM: Final = 120
"""Width of the terminal from which the panel stands beside the table."""
PANEL_SHARE: Final = 0.28
"""The panel's part of that width."""
LEAST_LINES: Final = 2
"""Lines of the table, whatever the height: its head and the loudest incident."""
HEADER_LINES: Final = 3
"""Two lines of text and a rule."""
KEPT_BELOW: Final = 9
"""Lines kept for the panel below the table on a narrow terminal; a third of the height if that is less."""
BEFORE_WORDS: Final = 12
"""Cells of the time and the sign before the words of a change."""
WORDS_BELOW: Final = 36
"""Cells for the words of a change below the table: the longest transition fits."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_QUIET: Final = "dim"
_TITLE: Final = "what changed"


def render(model: BoardModel, width: int, height: int, *, ascii_only: bool = False) -> RenderableType:
    """Return the board as it stands, `width` cells wide and at most `height` lines high (five at least).

    `ascii_only` draws with ASCII signs alone, for terminals that have no more.
    """
    if width >= BESIDE_FROM:
        panel_width = int(width * PANEL_SHARE)
        table_width = width - panel_width - columns.GAP
        below = 0
    else:
        panel_width, table_width = 0, width
        below = _lines_below(height, len(model.rows))
    drawing = Drawing(model, ascii_only, written_out=table_width >= columns.FULL_FROM)
    lines = max(LEAST_LINES, height - HEADER_LINES - below)
    board = _leaderboard(drawing, table_width, lines)
    parts: list[RenderableType] = [_header(drawing, width)]
    if panel_width:
        parts.append(_side_by_side(board, _panel(drawing, panel_width, lines), table_width, panel_width))
    else:
        parts.extend([board, *_changes_below(drawing, width, below)])
    return Group(*parts)


def _lines_below(height: int, incidents: int) -> int:
    """Return the lines of the panel below the table: those kept for it, or all that the table leaves free."""
    room = max(0, height - HEADER_LINES)
    return max(min(KEPT_BELOW, room // 3), room - max(LEAST_LINES, incidents + 1))


def _header(drawing: Drawing, width: int) -> RenderableType:
    model = drawing.model
    index = model.index()
    first = Text(no_wrap=True)
    first.append(" DECIBEL ", "bold reverse #4fb3d9")
    first.append("  index ", _QUIET).append("-" if index is None else f"{math.floor(index):,}", "bold")
    if model.relative is not None:
        first.append_text(drawing.text(f", {model.relative:.1f} × usual"))
    first.append("  incidents ", _QUIET).append(f"{len(model.rows):,}", "bold")
    clock = _moment(model.now()) if model.now() else ""
    first.append(" " * max(2, width - first.cell_len - len(clock))).append(clock, _QUIET)
    first.truncate(width)
    totals = _totals(drawing, spelled=width >= BESIDE_FROM)
    totals.truncate(width)
    return Group(first, totals, Text(("-" if drawing.ascii_only else "─") * width, _QUIET))


def _totals(drawing: Drawing, *, spelled: bool) -> Text:
    """Return counts and rates: the words written out, or as short as they go."""
    model, changes = drawing.model, drawing.model.totals.changes
    counts = (
        (model.totals.items, "items", "items", _rate(model, model.items_rate)),
        (model.totals.updates, "updates", "updates", _rate(model, model.updates_rate)),
        (changes[Kind.STATE], "state changes", "states", ""),
        (changes[Kind.PEAK] + changes[Kind.CROSSING], "peak crossings", "peaks", ""),
        (changes[Kind.TREND], "trend changes", "trends", ""),
        (changes[Kind.REJECTED], "dead letters", "dead", ""),
    )
    line = Text(no_wrap=True)
    for count, long_word, word, rate in counts:
        alarm = "bold #ef5350" if word == "dead" and count else "bold"
        separator = drawing.text(" · " if spelled else "  ", _QUIET) if line else Text()
        line.append_text(separator).append(f"{long_word if spelled else word} ", _QUIET)
        line.append(f"{count:,}" if spelled else columns.short(count), alarm).append(rate, _QUIET)
    return line


def _rate(model: BoardModel, rate: Rate) -> str:
    return "" if model.stopwatch_s is None else f" {rate.per_second(model.stopwatch_s):,.0f}/s"


def _leaderboard(drawing: Drawing, width: int, lines: int) -> RenderableType:
    """Return the table in at most `lines` lines: head, loudest incidents, and how many there are besides."""
    model = drawing.model
    if not model.rows:
        return drawing.text("waiting for the first score", _QUIET)
    room = lines - 1
    told = room > 1 and len(model.rows) > room
    shown = model.loudest(room - 1 if told else room)
    rank_width = len(str(len(shown)))
    fitted, title_width = columns.fit(width, rank_width)
    table = Table(box=None, padding=(0, columns.GAP, 0, 0), pad_edge=False, header_style=_QUIET)
    overflow: OverflowMethod = "crop" if drawing.ascii_only else "ellipsis"
    table.add_column("#", width=rank_width, justify="right", no_wrap=True)
    table.add_column("Incident", width=title_width, no_wrap=True, overflow=overflow)
    for column, column_width in fitted:
        table.add_column(
            column.head, width=column_width, justify=column.justify, no_wrap=True, overflow=overflow
        )
    for rank, row in enumerate(shown, start=1):
        cells = [column.cell(drawing, row, column_width) for column, column_width in fitted]
        table.add_row(Text(str(rank), _QUIET), drawing.text(model.name(row.score.incident_id)), *cells)
    if not told:
        return table
    return Group(table, drawing.text(f"and {len(model.rows) - len(shown):,} quieter", _QUIET))


def _panel(drawing: Drawing, width: int, lines: int) -> RenderableType:
    """Return what changed as a panel: two lines a change, the incident above what happened to it."""
    inside, room = width - 4, max(0, lines - 2)
    text = Text(no_wrap=True)
    for change in drawing.model.feed.latest(room // 2):
        name = drawing.text(drawing.model.name(change.incident_id))
        name.truncate(max(1, inside - BEFORE_WORDS), overflow="crop" if drawing.ascii_only else "ellipsis")
        words = drawing.text(change.words, _style(change))
        words.truncate(inside - 2)
        text.append_text(Text("\n") if text else Text())
        text.append_text(_before(drawing, change)).append_text(name).append("\n  ").append_text(words)
    return Panel(
        text,
        title=_TITLE,
        title_align="left",
        width=width,
        height=max(2, lines),
        border_style=_QUIET,
        box=box.ASCII if drawing.ascii_only else box.ROUNDED,
    )


def _changes_below(drawing: Drawing, width: int, lines: int) -> list[RenderableType]:
    """Return what changed as lines across the terminal: a heading, then one line a change."""
    if lines < 2:
        return []
    rule = "-" if drawing.ascii_only else "─"
    heading = Text(f"{rule * 2} {_TITLE} ".ljust(width, rule), _QUIET, no_wrap=True)
    drawn: list[RenderableType] = [heading]
    for change in drawing.model.feed.latest(lines - 1):
        words = drawing.text(change.words, _style(change))
        words.truncate(min(WORDS_BELOW, max(1, width - BEFORE_WORDS)), pad=True)
        line = _before(drawing, change).append_text(words).append(" ")
        line.append_text(drawing.text(drawing.model.name(change.incident_id)))
        line.truncate(width, overflow="crop" if drawing.ascii_only else "ellipsis")
        drawn.append(line)
    return drawn


def _before(drawing: Drawing, change: Change) -> Text:
    """Return the time and the sign before the words of a change: `BEFORE_WORDS` cells."""
    line = Text(no_wrap=True).append(f"{_clock(from_epoch(change.at))} ", _QUIET)
    return line.append_text(drawing.sign(glyphs.CHANGES[change.kind])).append(" ")


def _style(change: Change) -> str:
    return glyphs.CHANGES[change.kind][2]


def _side_by_side(left: RenderableType, right: RenderableType, *widths: int) -> RenderableType:
    grid = Table.grid(padding=(0, columns.GAP, 0, 0), pad_edge=False)
    for width in widths:
        grid.add_column(width=width)
    grid.add_row(left, right)
    return grid


def _clock(moment: datetime) -> str:
    """Return day and time (UTC) in nine cells, the same in every locale."""
    return f"{_DAYS[moment.weekday()]} {moment:%H:%M}"


def _moment(at: float) -> str:
    moment = from_epoch(at)
    return f"{moment:%Y-%m-%d} {_clock(moment)} UTC"
