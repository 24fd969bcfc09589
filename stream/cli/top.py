"""`decibel top`: the live board of the deployment that the settings name."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

import click
from msgspec import Struct
from rich.console import Console

from schemas.errors import BrokerError
from scoring.levels import level_of
from scoring.policy import load_policy
from stream.board import BoardModel, render
from stream.board.reader import BoardReader, board_reader
from stream.board.screen import Show, can_draw, drawn, lines
from stream.cli.context import Invocation, json_option, pass_invocation, print_json
from stream.cli.interrupts import Interrupts
from stream.settings import Settings

POLL_S: Final = 0.1
"""How long one look for events lasts: Ctrl-C is heard that soon."""
CATCH_UP_S: Final = 60.0
"""How long the scores that stand may take to be read, with --once."""


class Loudest(Struct, frozen=True):
    """One incident of the leaderboard, as --json prints it; `noise` is of this moment, 0 to 100."""

    rank: int
    incident_id: str
    noise: float
    level: str
    state: str
    trend: str
    items: int
    platforms: int


@click.command()
@click.option(
    "--interval", type=click.FloatRange(min=0.05), default=0.25, show_default=True, help="Seconds a frame."
)
@click.option("--once", is_flag=True, help="Print how things stand, and end.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Incidents, with --once."
)
@json_option
@pass_invocation
def top(invocation: Invocation, *, interval: float, once: bool, limit: int, as_json: bool) -> None:
    """Show the loudest incidents, live. --json (which means --once) prints one object a line.

    \b
    Examples:
      decibel top
      decibel top --once --limit 5
      decibel top --json | jq -r 'select(.noise >= 60) | .incident_id'
    """
    settings = invocation.settings
    policy = load_policy(settings.policy or None)
    # In stream time the present is the latest event's; on the wall clock noise falls while nothing happens.
    clock = time.time if settings.clock == "wall" else None
    model = BoardModel(clock=clock, level_of=partial(level_of, policy=policy))
    with board_reader(settings) as reader:
        if once or as_json:
            _catch_up(reader, model, settings)
            _print(model, limit, as_json=as_json)
            return
        console = Console(highlight=False, markup=False, emoji=False)
        screen = drawn(console, "Ctrl-C ends it", interval) if can_draw(console) else lines()
        with Interrupts() as interrupts, screen as show:
            _follow(reader, model, show, interrupts)


def _follow(reader: BoardReader, model: BoardModel, show: Show, interrupts: Interrupts) -> None:
    while not interrupts.asked:
        if reader.caught_up():  # what has long been there is no rate
            model.tick(time.monotonic())
        _take(reader, model)
        show(model)


def _take(reader: BoardReader, model: BoardModel) -> None:
    for topic, event in reader.poll(POLL_S):
        model.apply(topic, event)


def _catch_up(reader: BoardReader, model: BoardModel, settings: Settings) -> None:
    """Read everything that stands; raises BrokerError if the broker does not give it in time."""
    deadline = time.monotonic() + CATCH_UP_S
    while not reader.caught_up():
        _take(reader, model)
        if time.monotonic() > deadline:
            raise BrokerError(
                f"{settings.kafka.bootstrap}: the scores could not be read within {CATCH_UP_S:g} s"
            )


def _print(model: BoardModel, limit: int, *, as_json: bool) -> None:
    if not as_json:
        console = Console(highlight=False, markup=False, emoji=False)
        console.print(render(model, console.width, limit + 6, ascii_only=console.options.ascii_only))
        return
    for rank, row in enumerate(model.loudest(limit), 1):
        score = row.score
        print_json(
            Loudest(
                rank,
                score.incident_id,
                model.noise(row),
                model.level(row),
                score.state.value,
                score.trend.value,
                score.items,
                score.platforms,
            )
        )
