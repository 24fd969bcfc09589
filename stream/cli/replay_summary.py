"""What `decibel replay` says at its end: how much came in and out, how fast, and who is loudest."""

from __future__ import annotations

from collections import Counter
from typing import Final

import click
import msgspec
from msgspec import Struct
from rich.table import Table

from schemas.noise_index import NoiseIndex
from schemas.times import format_time, parse_time
from schemas.topics import (
    DEAD_LETTERS,
    INCIDENT_MERGES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from scoring.changes import Outcome
from scoring.levels import level_of, shown
from scoring.policy import Policy
from scoring.reasons import when
from stream.cli.context import plain
from stream.cli.scoring_options import quiet_console
from stream.replay.reached import Reached

TOPICS: Final = (
    NOISE_SCORES,
    TREND_UPDATES,
    STATE_CHANGES,
    PEAK_CROSSINGS,
    INCIDENT_MERGES,
    NOISE_INDEX,
    DEAD_LETTERS,
)
"""What comes out, in the order of the summary."""

LOUDEST: Final = 5
"""Incidents that are listed."""


class Loud(Struct, frozen=True):
    """One of the loudest incidents at the end."""

    incident_id: str
    noise: float
    level: str
    state: str
    trend: str


class Index(Struct, frozen=True):
    """The noise of all incidents together at the end; `relative` to its average over `average_d` days, if known."""

    value: float
    relative: float | None
    average_d: float


class Summary(Struct, frozen=True):
    """What became of the files. `at` is the time reached; `events` counts what came out, by topic."""

    files: list[str]
    at: str | None
    profiles: int
    items: int
    applied: int
    unchanged: int
    rejected: int
    incidents: int
    deadlines: int
    events: dict[str, int]
    index: Index | None
    loudest: list[Loud]
    seconds: float
    items_per_second: float


def summary_of(
    run: Reached,
    policy: Policy,
    files: tuple[str, ...],
    counts: Counter[str],
    index: NoiseIndex | None,
    seconds: float,
) -> Summary:
    """Return what a finished run comes to; `counts` are the events by topic, `seconds` is how long it took."""
    tally, at, half_life_s = run.tally, run.time, policy.curve.half_life_s
    events = counts + run.untold
    outcomes: Counter[Outcome] = Counter()
    for outcome, by_platform in tally.items.items():
        outcomes[outcome] += sum(by_platform.values())
    loudest = [
        Loud(
            incident_id,
            noise := incident.noise_at(at, half_life_s),
            level_of(noise, policy),
            incident.state.value,
            incident.trend.value,
        )
        for incident_id, incident in run.loudest
    ]
    return Summary(
        files=list(files),
        at=format_time(at) if at else None,
        profiles=run.profiles,
        items=run.items,
        applied=outcomes[Outcome.APPLIED],
        unchanged=outcomes[Outcome.UNCHANGED],
        rejected=run.rejected,
        incidents=run.incidents,
        deadlines=tally.deadlines,
        events={topic: events[topic] for topic in TOPICS},
        index=Index(index.value, index.relative, policy.index.average_d) if index else None,
        loudest=loudest,
        seconds=round(seconds, 3),
        items_per_second=round(run.items / seconds, 1),
    )


def report(summary: Summary, out: str | None, *, as_json: bool) -> None:
    """Print the summary on stderr; as JSON on stdout, unless the events went there (`out` is `-`)."""
    if as_json:
        click.echo(msgspec.json.encode(summary), err=out == "-")
        return
    console = quiet_console(stderr=True)
    console.print(
        f"{_counted(summary.items, 'observation')} of {_counted(summary.incidents, 'incident')} scored "
        f"in {summary.seconds:.1f} s, {summary.items_per_second:,.0f} per second",
        style="bold",
    )
    console.print(
        f"{summary.applied:,} counted, {summary.unchanged:,} brought nothing new, "
        f"{summary.rejected:,} rejected; {summary.deadlines:,} deadlines fired"
    )
    console.print()
    console.print(_events(summary))
    if summary.index is not None:
        console.print()
        console.print(_index(summary.index))
    if summary.loudest:
        console.print()
        console.print(_loudest(summary))
    if out not in (None, "-"):
        console.print(f"\nwritten to {out}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _events(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("events")
    table.add_column("", justify="right")
    for topic, count in summary.events.items():
        table.add_row(topic, f"{count:,}")
    return table


def _index(index: Index) -> str:
    usual = "" if index.relative is None else f", {index.relative:.1f} × its {index.average_d:g}-day average"
    return f"index {shown(index.value):,}{usual}"


def _loudest(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(f"loudest on {when(parse_time(summary.at or ''))}")
    table.add_column("noise", justify="right")
    for column in ("level", "state", "trend"):
        table.add_column(column)
    for each in summary.loudest:
        table.add_row(plain(each.incident_id), str(shown(each.noise)), each.level, each.state, each.trend)
    return table
