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
from msgspec import Struct
from rich.console import Console

from schemas.cloudevents import Output
from schemas.dead_letter import DeadLetter
from schemas.errors import DecibelError, field_first
from schemas.noise_index import NoiseIndex
from schemas.topics import DEAD_LETTERS
from scoring.policy import load_policy
from stream.cli.context import Invocation, json_option, pass_invocation, plain
from stream.cli.replay_comparison import replay_both, report_comparison
from stream.cli.replay_summary import LOUDEST, TOPICS, report, summary_of
from stream.cli.scoring_options import (
    Moment,
    columns_option,
    policy_of,
    policy_option,
)
from stream.collector import seldom_collect
from stream.files import RecordFile
from stream.profile_files import read_profiles
from stream.replay.jobs import merging, sharing
from stream.replay.lines import line_of
from stream.replay.reached import Reached, index_of, overall
from stream.replay.run import Replay
from stream.replay.share import Part, Plan

_NAMED: Final = 5
"""Rejected records that are named."""

_PROGRESS_EVERY: Final = 1000
"""Records between two looks at the progress bar; a look costs more than a record."""

Take = Callable[[list[Output]], None]
Show = Callable[[str, int], None]
"""Moves the progress bar of a file (its name) to where it is read (bytes)."""

Scored = tuple[Reached, Counter[str], NoiseIndex | None]
"""What a replay has come to, its events by topic, the index at its end."""


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
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the partitions; what comes out is the same.",
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
    jobs: int,
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
      decibel replay items.jsonl.gz --jobs 4 --out scored/
      decibel replay items.jsonl.gz --compare mine.toml --loud 70
    """
    policy = policy_of(invocation, policy_file)
    received_at, last = round(time.time(), 3), math.inf if until is None else until
    seldom_collect()
    if other_file is not None:
        if out is not None:
            raise click.UsageError("--out and --compare: whose events? Replay once with each --policy.")
        if jobs > 1:
            raise click.UsageError(
                "--jobs and --compare: a comparison needs both runs whole; leave --jobs out."
            )
        names = (policy_file or invocation.settings.policy or "the shipped policy", other_file)
        run = Replay(policy, partitions=partitions, received_at=received_at, until=last)
        other = Replay(load_policy(other_file), partitions=partitions, received_at=received_at, until=last)
        with _progress(files) as show:
            told = replay_both(
                (run, other), loud, profiles, [RecordFile(file, columns) for file in files], _seldom(show)
            )
        report_comparison(told, names, loud, as_json=as_json)
        return
    _check_files(files, jobs)
    started = time.perf_counter()
    first = (
        "stdin" if profiles == "-" else profiles or "",
        list(read_profiles(profiles)) if profiles else [],
    )
    plan = Plan(policy, partitions, received_at, last, out is not None, first, files, columns, _NAMED)
    jobs = _possible(jobs, plan)
    reached, counts, index = _score_shared(plan, jobs, out) if jobs > 1 else _score_alone(plan, out)
    summary = summary_of(reached, policy, files, counts, index, time.perf_counter() - started)
    report(summary, out, as_json=as_json)


def _check_files(files: tuple[str, ...], jobs: int) -> None:
    """Raise UsageError if a file cannot be read by each of several processes."""
    for file in files if jobs > 1 else ():
        if file == "-" or (Path(file).exists() and not Path(file).is_file()):
            name = "standard input" if file == "-" else file
            raise click.UsageError(
                f"--jobs: each process reads the files itself, and {name} can be read but once; "
                "save it to a file, or leave --jobs out."
            )


def _possible(jobs: int, plan: Plan) -> int:
    """Return how many processes there can be of so many: no more than partitions, and one where items move."""
    if jobs > 1 and (why := merging(plan.profiles[1])) is not None:
        click.echo(
            plain(f"--jobs {jobs} becomes 1: {why}, and so items move from one partition to another"),
            err=True,
        )
        return 1
    return min(jobs, plan.partitions)


def _score_alone(plan: Plan, out: str | None) -> Scored:
    """Replay in this process."""
    run = Replay(
        plan.policy,
        partitions=plan.partitions,
        received_at=plan.received_at,
        until=plan.until,
        is_read=plan.written,
    )
    with ExitStack() as stack:
        writing = _Writing(out, stack)
        take, show = writing.take, stack.enter_context(_progress(plan.files))
        name, profiles = plan.profiles
        for record in profiles:
            take(run.profile(record.value, (name, record.line)))
        for path in plan.files:
            _apply_items(run, RecordFile(path, plan.columns), take, show)
        end = list(run.finish())
        take(end)
    return run.reached(LOUDEST), writing.counts, overall(end)


def _score_shared(plan: Plan, jobs: int, out: str | None) -> Scored:
    """Replay in several processes."""
    with ExitStack() as stack:
        shared = stack.enter_context(sharing(plan, jobs))  # before anything is open that they would have too
        writing = _Writing(out, stack)
        show = stack.enter_context(_progress(plan.files))
        for part in shared.parts():
            writing.take_part(part)
            show(*part.reading)
        reached, shares = shared.reached(LOUDEST)
        end = index_of(plan.policy, shares, reached.time)
        writing.take(end)
    return reached, writing.counts, overall(end)


def _apply_items(run: Replay, file: RecordFile, take: Take, show: Show) -> None:
    """Apply the items of one file, as far as `until` lets it."""
    for block in file.blocks():
        outputs, applied = run.apply_items(file.name, block)
        take(outputs)
        if not applied:
            return
        show(file.name, file.position)


def _seldom(show: Show) -> Callable[[RecordFile, int], None]:
    """Look at the progress bar only every so many records."""
    return lambda file, number: None if number % _PROGRESS_EVERY else show(file.name, file.position)


# -- what comes out -----------------------------------------------------------------------------------------


class _Writing:
    """Counts the events, names the first rejected records, and writes where `out` says."""

    def __init__(self, out: str | None, stack: ExitStack) -> None:
        self.counts: Counter[str] = Counter()
        self._files: dict[str, IO[bytes]] = {}
        if out == "-":
            self._files = dict.fromkeys(TOPICS, click.get_binary_stream("stdout"))
        elif out is not None:
            self._files = _opened(Path(out), stack)

    def take(self, outputs: list[Output]) -> None:
        """Take events as they are."""
        counts, files = self.counts, self._files
        for output in outputs:
            topic = output.topic
            counts[topic] += 1
            if topic == DEAD_LETTERS and counts[topic] <= _NAMED:
                _name(output.event)
            if files:
                files[topic].write(line_of(output))

    def take_part(self, part: Part) -> None:
        """Take what processes have made of a part of the records."""
        for _, letter in part.letters[: max(0, _NAMED - self.counts[DEAD_LETTERS])]:
            _name(letter)
        self.counts.update(part.counts)
        for _, lines in part.lines:
            for topic, line in lines:
                self._files[topic].write(line)


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
def _progress(files: Iterable[str]) -> Iterator[Show]:
    """A progress bar on stderr if that is a terminal: what moves it to where a file is read."""
    if not sys.stderr.isatty():
        yield lambda _name, _position: None
        return
    # No other run need wait for these.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as bar:
        tasks = {
            RecordFile(file).name: bar.add_task(plain(file), total=RecordFile(file).size) for file in files
        }
        yield lambda name, position: bar.update(tasks[name], completed=position)
