"""`decibel replay`: score files of items as the worker would, without Kafka."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from schemas.cloudevents import Output
from schemas.dead_letter import DeadLetter
from schemas.errors import DecibelError
from schemas.times import format_time
from schemas.topics import (
    DEAD_LETTERS,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from scoring.levels import level_of, shown
from stream.cli.context import Invocation, json_option, pass_invocation, plain
from stream.cli.profiles import read_profiles
from stream.cli.scoring_options import (
    Moment,
    columns_option,
    day_and_minute,
    policy_of,
    policy_option,
    quiet_console,
)
from stream.files import RecordFile
from stream.loading import field_first
from stream.replay import MS_PER_S, Place, Replay

TOPICS: Final = (NOISE_SCORES, TREND_UPDATES, STATE_CHANGES, PEAK_CROSSINGS, NOISE_INDEX, DEAD_LETTERS)
"""What comes out, in the order of the summary."""

_NAMED: Final = 5
"""Rejected records that are named, and loudest incidents that are listed."""

_PROGRESS_EVERY: Final = 1000
"""Records between two looks at the progress bar; a look costs more than a record."""

Take = Callable[[list[Output]], None]


class Line(Struct, frozen=True, gc=False):
    """One event as it is written: `timestamp` is its time in milliseconds since the epoch, as Kafka's would be."""

    topic: str
    key: str | None
    timestamp: int
    id: str
    value: Struct


class Loud(Struct, frozen=True):
    """One of the loudest incidents at the end."""

    incident_id: str
    noise: float
    level: str
    state: str
    trend: str


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
    loudest: list[Loud]
    seconds: float
    items_per_second: float


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--profiles", metavar="FILE", help="Incident profiles, applied before the items.")
@policy_option
@click.option("--until", type=Moment(), metavar="TIME", help="Stop before the first observation after TIME.")
@click.option("--out", metavar="DIR|-", help="Write each event to DIR/TOPIC.jsonl, or all to stdout (-).")
@click.option("--partitions", type=click.IntRange(1, 4096), default=8, show_default=True, help="Of the live topic.")
@columns_option
@json_option
@pass_invocation
def replay(
    invocation: Invocation,
    files: tuple[str, ...],
    profiles: str | None,
    policy_file: str | None,
    until: float | None,
    out: str | None,
    partitions: int,
    columns: dict[str, str] | None,
    *,
    as_json: bool,
) -> None:
    """Score the items in FILE… as the worker would, without Kafka; each file in its order, one after the other.

    Files are JSON lines, .gz, CSV, or - for standard input. Time is that of the recording (observed_at). What comes
    out equals what a worker with `clock = "stream"` and as many partitions emits, byte for byte.

    \b
    Each event is one line: {"topic", "key", "timestamp", "id", "value"}, timestamp in milliseconds since
    the epoch. Rejected records come out as dead letters. The summary goes to stderr; with --json to stdout,
    unless the events go there.

    \b
    Examples:
      decibel replay items.jsonl.gz --profiles profiles.jsonl --out scored/
      decibel replay items.jsonl.gz --out - | jq 'select(.topic == "state-changes").value'
      decibel replay items.jsonl.gz --until 2021-12-11T00:00:00Z --policy mine.toml
    """
    policy = policy_of(invocation, policy_file)
    run = Replay(
        policy, partitions, received_at=round(time.time(), 3), until=float("inf") if until is None else until
    )
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    with ExitStack() as stack:
        take = _taker(out, counts, stack)
        show = stack.enter_context(_progress(files))
        if profiles:
            _apply_profiles(run, profiles, take)
        for file in files:
            _apply_items(run, RecordFile(file, columns), take, show)
        take(list(run.finish()))
    _report(_summary(run, files, counts, time.perf_counter() - started), out, as_json=as_json)


def _apply_profiles(run: Replay, file: str, take: Take) -> None:
    name = "stdin" if file == "-" else file
    for record in read_profiles(file):
        take(run.profile(record.value, Place(name, record.line)))


def _apply_items(run: Replay, file: RecordFile, take: Take, show: Callable[[RecordFile], None]) -> None:
    """Apply the items of one file, as far as `until` lets it."""
    item, name = run.item, file.name
    for number, (_, line, value) in enumerate(file):
        outputs = item(value, Place(name, line))
        if outputs is None:
            return
        if outputs:
            take(outputs)
        if not number % _PROGRESS_EVERY:
            show(file)


# -- what comes out ----------------------------------------------------------------------------------------------


def _taker(out: str | None, counts: Counter[str], stack: ExitStack) -> Take:
    """Return what counts the events, names the first rejected records, and writes where `out` says."""
    files: dict[str, IO[bytes]] = {}
    if out == "-":
        files = dict.fromkeys(TOPICS, click.get_binary_stream("stdout"))
    elif out is not None:
        files = _opened(Path(out), stack)
    encode = msgspec.json.Encoder().encode

    def take(outputs: list[Output]) -> None:
        for output in outputs:
            topic, key, ident, at, event = output
            counts[topic] += 1
            if topic == DEAD_LETTERS and counts[topic] <= _NAMED:
                _name(event)
            if files:
                files[topic].write(encode(Line(topic, key or None, round(at * MS_PER_S), ident, event)) + b"\n")

    return take


def _opened(folder: Path, stack: ExitStack) -> dict[str, IO[bytes]]:
    """Open a file for each topic, also for those that will stay empty: nothing of an earlier run remains."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {topic: stack.enter_context((folder / f"{topic}.jsonl").open("wb")) for topic in TOPICS}
    except OSError as error:
        raise DecibelError(f"--out {folder}: cannot be written: {error.strerror}") from error


def _name(letter: Struct) -> None:
    """Say on stderr which record was rejected, and why."""
    assert isinstance(letter, DeadLetter)
    place = f"{letter.origin.topic}:{letter.origin.offset}"
    click.echo(plain(f"{place}: {field_first(letter.error)}"), err=True)


@contextmanager
def _progress(files: Iterable[str]) -> Iterator[Callable[[RecordFile], None]]:
    """A progress bar on stderr if that is a terminal: what moves it to where a file is read."""
    if not sys.stderr.isatty():
        yield lambda _file: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as bar:
        tasks = {RecordFile(file).name: bar.add_task(plain(file), total=RecordFile(file).size) for file in files}
        yield lambda file: bar.update(tasks[file.name], completed=file.position)


# -- the summary -------------------------------------------------------------------------------------------------


def _summary(run: Replay, files: tuple[str, ...], counts: Counter[str], seconds: float) -> Summary:
    tally, at, half_life_s = run.tally, run.time, run.policy.curve.half_life_s
    loudest = [
        Loud(
            incident_id,
            noise := incident.noise_at(at, half_life_s),
            level_of(noise, run.policy),
            incident.state.value,
            incident.trend.value,
        )
        for incident_id, incident in run.loudest(_NAMED)
    ]
    return Summary(
        files=list(files),
        at=format_time(at) if at else None,
        profiles=run.profiles,
        items=run.items,
        applied=tally.applied,
        unchanged=tally.unchanged,
        rejected=run.rejected,
        incidents=sum(1 for _ in run.incidents()),
        deadlines=tally.deadlines,
        events={topic: counts[topic] for topic in TOPICS},
        loudest=loudest,
        seconds=round(seconds, 3),
        items_per_second=round(run.items / seconds, 1),
    )


def _report(summary: Summary, out: str | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(summary), err=out == "-")
        return
    console = quiet_console(stderr=True)
    console.print(
        f"{summary.items:,} observations of {summary.incidents:,} incidents scored in {summary.seconds:.1f} s, "
        f"{summary.items_per_second:,.0f} per second",
        style="bold",
    )
    console.print(
        f"{summary.applied:,} counted, {summary.unchanged:,} brought nothing new, {summary.rejected:,} rejected; "
        f"{summary.deadlines:,} deadlines fired"
    )
    console.print()
    console.print(_events(summary))
    if summary.loudest:
        console.print()
        console.print(_loudest(summary))
    if out not in (None, "-"):
        console.print(f"\nwritten to {out}")


def _events(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("events")
    table.add_column("", justify="right")
    for topic, count in summary.events.items():
        table.add_row(topic, f"{count:,}")
    return table


def _loudest(summary: Summary) -> Table:
    from schemas.times import parse_time

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(f"loudest on {day_and_minute(parse_time(summary.at or ''))}")
    table.add_column("noise", justify="right")
    for column in ("level", "state", "trend"):
        table.add_column(column)
    for each in summary.loudest:
        table.add_row(plain(each.incident_id), str(shown(each.noise)), each.level, each.state, each.trend)
    return table
