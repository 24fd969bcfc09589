"""Where the board is shown: a terminal that can be drawn on again and again, or lines for all else."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.text import Text

from schemas.times import from_epoch
from stream.board import BoardModel, render
from stream.board.feed import Kind

FRAMES_PER_S: Final = 6.0
"""Frames of a board that never rests: smooth enough to follow, and the processor is left to the engine."""
LINE_EVERY_S: Final = 2.0
"""Time between two lines where there is no terminal to draw on."""
LEAST_HEIGHT: Final = 6
"""Lines that a board and its footer need; with less the footer goes."""

Show = Callable[[BoardModel], None]
"""Shows the model if it is time to; cheap where it is not, so a loop may call it as often as it likes."""


def can_draw(console: Console) -> bool:
    """Say whether the console is a terminal with a cursor to move."""
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def drawn(console: Console, footer: str = "", every_s: float = 1.0 / FRAMES_PER_S) -> Iterator[Show]:
    """Give what draws the board over the whole terminal; at the end the terminal is as it was."""
    ascii_only = not console.encoding.lower().startswith("utf")
    # Nobody else writes while it is up, so nothing is redirected.
    live = Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    )

    def show(model: BoardModel) -> None:
        live.update(_page(console, model, footer, ascii_only=ascii_only), refresh=True)

    with live:
        yield _every(every_s, show)


@contextmanager
def lines(every_s: float = LINE_EVERY_S) -> Iterator[Show]:
    """Give what prints the board as one line now and then."""
    yield _every(every_s, lambda model: click.echo(line_of(model)))


@contextmanager
def nowhere() -> Iterator[Show]:
    """Give what shows nothing."""
    yield lambda _model: None


def line_of(model: BoardModel) -> str:
    """Return the board in one line: the time, the counts, the loudest incident."""
    totals = model.totals
    if not model.rows:
        return "waiting for the first score"
    loudest = model.loudest(1)[0]
    counts = (
        _counted(len(model.rows), "incident"),
        _counted(totals.items, "item"),
        _counted(totals.updates, "update"),
        _counted(totals.changes[Kind.STATE], "state change"),
        _counted(totals.changes[Kind.PEAK] + totals.changes[Kind.CROSSING], "peak crossing"),
        _counted(totals.changes[Kind.TREND], "trend change"),
    )
    score = loudest.score
    top = f"loudest {score.incident_id}: {math.floor(model.noise(loudest))} {model.level(loudest)}"
    return f"{from_epoch(model.now()):%Y-%m-%d %H:%M}  {', '.join(counts)}; {top}, {score.state.value}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _page(console: Console, model: BoardModel, footer: str, *, ascii_only: bool) -> RenderableType:
    width, height = console.size
    if not footer or height < LEAST_HEIGHT:
        return render(model, width, height, ascii_only=ascii_only)
    page = Layout()
    board = Layout(render(model, width, height - 1, ascii_only=ascii_only))
    page.split_column(board, Layout(Text(footer, "dim", no_wrap=True, overflow="crop"), size=1))
    return page


def _every(seconds: float, show: Show) -> Show:
    """Return `show`, but called at most once in so many seconds."""
    due = time.monotonic()

    def shown(model: BoardModel) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + seconds
            show(model)

    return shown
