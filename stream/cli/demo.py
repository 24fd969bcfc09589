"""`decibel demo`: the whole engine on this machine, for a first look."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import click
from rich.console import Console

from schemas.errors import DecibelError
from scoring.levels import level_of
from scoring.policy import Policy, load_policy
from scoring.reasons import span
from stream.board import BoardModel
from stream.board.screen import Show, can_draw, drawn, lines, nowhere
from stream.cli.context import Invocation, json_option, pass_invocation, print_json
from stream.cli.interrupts import Interrupts
from stream.demo.pages import HOST, PORT, port_for
from stream.demo.run import Plan, play
from stream.demo.story import Story, recorded, simulated
from stream.demo.summary import Summary, told
from stream.files import read_records
from stream.profile_files import read_profiles

DEFAULT_SPEED: Final = 7200.0
"""Two hours a second: all incidents begin within twelve seconds, the first has peaked after twenty, and what
changes can still be read."""
DEFAULT_INCIDENTS: Final = 20
"""They fill a terminal of 140 × 40, and give some hundred observations a second at the default speed."""
DEFAULT_SECONDS: Final = 20.0
"""How long it lasts where nobody watches a terminal."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C before anything was scored, as shells have it."""


@click.command()
@click.option("--headless", is_flag=True, help="Show nothing but the summary.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="End after N seconds of scoring. Default: in a terminal on Ctrl-C, else 20.",
)
@click.option(
    "--incidents",
    type=click.IntRange(1, 5000),
    default=DEFAULT_INCIDENTS,
    show_default=True,
    help="How many to simulate.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_SPEED,
    show_default=True,
    metavar="X",
    help="How many times faster than time.",
)
@click.option("--data", metavar="FILE", help="Play the items in FILE (as for `ingest`) instead.")
@click.option("--profiles", metavar="FILE", help="Incident profiles to go with --data.")
@click.option("--seed", type=int, default=7, show_default=True, help="Which story is simulated.")
@click.option(
    "--workers", type=click.IntRange(1, 8), default=1, show_default=True, help="They share the work."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Of the pages; a free one where it is taken.",
)
@json_option
@pass_invocation
def demo(
    invocation: Invocation,
    *,
    headless: bool,
    seconds: float | None,
    incidents: int,
    speed: float,
    data: str | None,
    profiles: str | None,
    seed: int,
    workers: int,
    port: int,
    as_json: bool,
) -> None:
    """Run the whole engine on this machine, with no Kafka and nothing kept, and show its board live.

    A broker inside this process, `decibel worker` and the pages as processes beside it, and a simulated story of
    made-up controversies that is told two hours a second; or the items of a recording. The pages are at
    http://127.0.0.1:8765 as long as it runs.

    \b
    Without a terminal it prints a line now and then. --headless prints the summary alone, --json the
    summary as JSON. Ctrl-C ends it. Exit code 0 means that scores came out.

    \b
    Examples:
      decibel demo
      decibel demo --headless --seconds 10 --json | jq .latency_ms
      decibel demo --data items.jsonl.gz --profiles profiles.jsonl --speed 20000
    """
    policy_file = invocation.settings.policy
    policy = load_policy(policy_file or None)
    console = Console(highlight=False, markup=False, emoji=False)
    live = can_draw(console) and not headless and not as_json
    story = _story(data, profiles, seed, incidents)
    place = port_for(port)
    address = f"http://{HOST}:{place}"
    taken = f" (port {port} is taken)" if port not in (0, place) else ""
    click.echo(f"pages at {address}{taken}", err=as_json)
    plan = Plan(
        story=story,
        port=place,
        speed=speed,
        seconds=seconds if seconds is not None or live else DEFAULT_SECONDS,
        workers=workers,
        stay=live and seconds is None,
    )
    told_by = "recorded" if data else "simulated"
    footer = f"{told_by}, {span(speed)} a second; pages at {address}; Ctrl-C ends the demo"
    screen = drawn(console, footer) if live else nowhere() if headless or as_json else lines()
    summary = _play(plan, policy, policy_file, screen)
    _finish(summary, as_json=as_json)


def _story(data: str | None, profiles: str | None, seed: int, incidents: int) -> Story:
    if data is None:
        if profiles is not None:
            raise click.UsageError("--profiles goes with --data; the simulated story brings its own")
        return simulated(seed, incidents)
    return recorded(read_records(data), read_profiles(profiles) if profiles else ())


def _play(
    plan: Plan, policy: Policy, policy_file: str, screen: AbstractContextManager[Show]
) -> Summary | None:
    model = BoardModel(level_of=partial(level_of, policy=policy))
    with Interrupts() as interrupts, screen as show:
        return play(plan, policy_file, model, show, stopped=lambda: interrupts.asked)


def _finish(summary: Summary | None, *, as_json: bool) -> None:
    """Print the summary; fail where nothing was scored, which is what a demo is to show."""
    if summary is None:
        click.echo("decibel: stopped before the first score", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        print_json(summary)
    else:
        click.echo(told(summary))
    if not summary.updates:
        raise DecibelError("no score came out; were there any items? `decibel doctor` checks the settings")
