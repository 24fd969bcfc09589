"""`decibel view`: keep the view in Redis up to date, make it anew, look into it."""

from __future__ import annotations

import asyncio
from typing import Final

import click
from msgspec import Struct
from rich.table import Table

from schemas.errors import DecibelError
from schemas.times import format_time
from schemas.words import Category
from scoring.levels import level_of
from scoring.policy import load_policy
from stream.cli.context import (
    Invocation,
    console,
    json_option,
    log_to_stderr,
    pass_invocation,
    plain,
    print_json,
)
from stream.cli.interrupts import until_told
from stream.view.answers import Board, Change, Found
from stream.view.entries import Point
from stream.view.listing import MOST_ON_A_PAGE
from stream.view.reader import opened
from stream.view.run import require_shared, run_rebuild, run_sink
from stream.view.topics import partitions_of

BOARD: Final = "board"
CHANGES_SHOWN: Final = 10


class Shown(Struct, frozen=True):
    """What `show INCIDENT --json` prints."""

    incident: Found
    history: tuple[Point, ...]
    changes: tuple[Change, ...]


@click.group()
def view() -> None:
    """Keep the view in Redis, from which gateway and pages read (run, rebuild, show).

    It is made of the topics alone. Where it is, and what it keeps, is in the [view] section of the settings.
    """


@view.command()
@pass_invocation
def run(invocation: Invocation) -> None:
    """Write the view as events come, until SIGTERM or Ctrl-C.

    It goes on where the view says it is. A second one may run as a standby. Metrics at view.http_port.

    \b
    Examples:
      decibel view run
      DECIBEL_VIEW_URL=rediss://redis.example:6379/0 DECIBEL_VIEW_PASSWORD_FILE=secret decibel view run
    """
    settings = invocation.settings
    require_shared(settings)
    log_to_stderr()
    partitions = partitions_of(settings)
    asyncio.run(until_told(lambda stop: run_sink(settings, partitions, stop)))


@view.command()
@json_option
@pass_invocation
def rebuild(invocation: Invocation, *, as_json: bool) -> None:
    """Make the view anew from the topics, beside the present one, and switch to it at once.

    Readers see the old view until the switch. A running `decibel view run` goes on in the new one. What the topics
    do not keep (old points of a history, old changes) is not in it.

    \b
    Examples:
      decibel view rebuild
      decibel view rebuild --json | jq .incidents
    """
    settings = invocation.settings
    require_shared(settings)
    log_to_stderr()
    done = asyncio.run(run_rebuild(settings, partitions_of(settings)))
    if as_json:
        print_json(done)
    else:
        click.echo(
            f"generation {done.generation}: {done.incidents:,} incidents from {done.events:,} events "
            f"in {done.seconds:.1f} s"
        )


@view.command()
@click.argument("what", metavar="[INCIDENT|board]", default=BOARD)
@click.option(
    "--category", type=click.Choice([each.value for each in Category]), help="With board: one category."
)
@click.option("--minimum", type=click.FloatRange(0, 100), default=0.0, help="With board: the least noise.")
@click.option("--limit", type=click.IntRange(1, MOST_ON_A_PAGE), default=20, show_default=True, metavar="N")
@json_option
@pass_invocation
def show(
    invocation: Invocation, what: str, category: str | None, minimum: float, limit: int, *, as_json: bool
) -> None:
    """Show what the view holds: the leaderboard, or one incident.

    \b
    Examples:
      decibel view show
      decibel view show board --category Safety --minimum 40 --limit 5
      decibel view show choir-001 --json | jq .incident.standing.noise
    """
    require_shared(invocation.settings)
    if what == BOARD:
        _show_board(invocation, asyncio.run(_board(invocation, category, minimum, limit)), as_json=as_json)
    else:
        _show_incident(asyncio.run(_incident(invocation, what)), as_json=as_json)


async def _board(invocation: Invocation, category: str | None, minimum: float, limit: int) -> Board:
    async with opened(invocation.settings) as reader:
        return await reader.board(category=category, minimum=minimum, limit=limit)


async def _incident(invocation: Invocation, incident_id: str) -> Shown:
    async with opened(invocation.settings) as reader:
        found = await reader.incident(incident_id)
        if found is None:
            raise DecibelError(
                f"the view holds no incident {incident_id!r}; `decibel view show` lists the loudest"
            )
        return Shown(found, await reader.history(incident_id), await reader.changes(incident_id))


def _show_board(invocation: Invocation, board: Board, *, as_json: bool) -> None:
    if as_json:
        print_json(board)
        return
    policy = load_policy(invocation.settings.policy or None)
    table = Table("", "noise", "level", "incident", box=None)
    for rank, standing in enumerate(board.standings, 1):
        table.add_row(
            str(rank), f"{standing.noise:.1f}", level_of(standing.noise, policy), plain(standing.incident_id)
        )
    console().print(table)


def _show_incident(shown: Shown, *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    found = shown.incident
    rank = "not on the board" if found.rank is None else f"number {found.rank} on the board"
    click.echo(f"{plain(found.standing.incident_id)}: noise {found.standing.noise:.1f} now, {rank}")
    click.echo(f"{len(shown.history)} points of history, {len(shown.changes)} changes; the latest:")
    for change in shown.changes[:CHANGES_SHOWN]:
        click.echo(f"  {change.topic:<14}  {plain(change.id)}")
    click.echo(f"as of {format_time(found.at)}")
