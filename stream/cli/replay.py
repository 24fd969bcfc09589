"""`decibel replay`: score files of items as the worker would, without Kafka."""

from __future__ import annotations

import math
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

from schemas.cloudevents import Output
from schemas.dead_letter import DeadLetter
from schemas.errors import DecibelError
from schemas.topics import DEAD_LETTERS
from scoring.policy import load_policy
from stream.cli.context import Invocation, json_option, pass_invocation, plain
from stream.cli.profiles import read_profiles
from stream.cli.replay_comparison import replay_both, report_comparison
from stream.cli.replay_summary import TOPICS, report, summary_of
from stream.cli.scoring_options import (
    Moment,
    columns_option,
    policy_of,
    policy_option,
)
from stream.files import RecordFile
from stream.loading import field_first
from stream.replay import MS_PER_S, Place, Replay

_NAMED: Final = 5
"""Rejected records that are named."""

_PROGRESS_EVERY: Final = 1000
"""Records between two looks at the progress bar; a look costs more than a record."""

Take = Callable[[list[Output]], None]


class Line(Struct, frozen=True, gc=False):
    """One event as it is written; `timestamp` is its time in milliseconds since the epoch, as Kafka's is."""

    topic: str
    key: str | None
    timestamp: int
    id: str
    value: Struct


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--profiles", metavar="FILE", help="Incident profiles, applied before the items.")
@policy_option
@click.option("--until", type=Moment(), metavar="TIME", help="Stop before the first observation after TIME.")
@click.option("--out", metavar="DIR|-", help="Write each event to DIR/TOPIC.jsonl, or all to stdout (-).")
@click.option(
    "--partitions", type=click.IntRange(1, 4096), default=8, show_default=True, help="Of the live topic."
)
@click.option(
    "--compare",
    "other_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Another policy: show what it would have done otherwise.",
)
@click.option(
    "--loud",
    type=click.FloatRange(0.0, 100.0),
    default=60.0,
    show_default=True,
    help="With --compare: the noise from which a new peak counts as an alert.",
)
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
    other_file: str | None,
    loud: float,
    columns: dict[str, str] | None,
    *,
    as_json: bool,
) -> None:
    """Score the items in FILE… as the worker would, without Kafka; one file after the other.

    Files are JSON lines, .gz, CSV, or - for standard input. Time is that of the recording (observed_at).
    What comes out equals, byte for byte, what a worker with `clock = "stream"` and as many partitions emits.

    \b
    Each event is one line: {"topic", "key", "timestamp", "id", "value"}, timestamp in milliseconds since
    the epoch. Rejected records come out as dead letters. The summary goes to stderr; with --json to stdout,
    unless the events go there.

    With --compare the records go through two policies at once, --policy (A) and the other one (B). On stdout it
    says where B differs: ranks, states entered, alerts, peaks, the index; with --json, of all incidents.

    \b
    Examples:
      decibel replay items.jsonl.gz --profiles profiles.jsonl --out scored/
      decibel replay items.jsonl.gz --out - | jq 'select(.topic == "state-changes").value'
      decibel replay items.jsonl.gz --until 2021-12-11T00:00:00Z --policy mine.toml
      decibel replay items.jsonl.gz --compare mine.toml --loud 70
    """
    policy = policy_of(invocation, policy_file)
    received_at, last = round(time.time(), 3), math.inf if until is None else until
    run = Replay(policy, partitions, received_at=received_at, until=last)
    if other_file is not None:
        if out is not None:
            raise click.UsageError("--out and --compare: whose events? Replay once with each --policy.")
        names = (policy_file or invocation.settings.policy or "the shipped policy", other_file)
        other = Replay(load_policy(other_file), partitions, received_at=received_at, until=last)
        with _progress(files) as show:
            told = replay_both(
                (run, other), loud, profiles, [RecordFile(file, columns) for file in files], _seldom(show)
            )
        report_comparison(told, names, loud, as_json=as_json)
        return
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
    report(summary_of(run, files, counts, time.perf_counter() - started), out, as_json=as_json)


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


def _seldom(show: Callable[[RecordFile], None]) -> Callable[[RecordFile, int], None]:
    """Look at the progress bar only every so many records."""
    return lambda file, number: None if number % _PROGRESS_EVERY else show(file)


# -- what comes out -----------------------------------------------------------------------------------------


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
                files[topic].write(
                    encode(Line(topic, key or None, round(at * MS_PER_S), ident, event)) + b"\n"
                )

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
        tasks = {
            RecordFile(file).name: bar.add_task(plain(file), total=RecordFile(file).size) for file in files
        }
        yield lambda file: bar.update(tasks[file.name], completed=file.position)
