"""What `ingest` and `profiles put` share: run a loader over records with pace, progress and a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.topics import DEAD_LETTERS
from stream.cli.context import plain, print_json
from stream.files import FileRecord
from stream.kafka_clients import broker_errors, open_producer
from stream.loading import Loader, Summary, require_topics
from stream.settings import Settings

REJECTED_EXIT: Final = 3
"""Exit code when some records were rejected."""

_PROGRESS_EVERY: Final = 500
"""Records between two looks at the progress bar; a look costs more than a record."""


def load_file(
    settings: Settings,
    logical: str,
    name: str,
    records: Iterable[FileRecord],
    *,
    check: Callable[[bytes], str] | None,
    rate: float | None = None,
    size: int | None = None,
    position: Callable[[], int] = lambda: 0,
) -> Summary:
    """Send records in order, at most `rate` a second, and return what became of them.

    Progress shows on stderr where that is a terminal. On Ctrl-C what was sent is still acknowledged and
    counted before it goes on its way. Raises BrokerError.
    """
    with broker_errors(settings, f"cannot send {name}"), open_producer(settings, linger_ms=20) as client:
        require_topics(settings, logical, DEAD_LETTERS)
        with _progress(name, size) as (say, show):
            loader = Loader(settings, logical, client, check=check, say=say)
            started = time.monotonic()
            try:
                for number, record in enumerate(_paced(records, rate)):
                    loader.load(name, record)
                    if number % _PROGRESS_EVERY == 0:
                        show(position(), loader.accepted + loader.rejected)
            except KeyboardInterrupt:
                loader.flush()
                say(f"stopped: {loader.accepted} records sent, {loader.rejected} rejected")
                raise
            loader.flush()
            return loader.summary(name, time.monotonic() - started)


def finish(summary: Summary, *, as_json: bool) -> None:
    """Print the summary; end with exit code 3 if records were rejected."""
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{summary.accepted:,} records sent to {summary.topic}, {summary.rejected:,} rejected, "
            f"in {summary.seconds:.1f} s ({summary.items_per_second:,.0f} per second)"
        )
    if summary.rejected:
        click.echo("See the rejected ones with `decibel dead-letters list`.", err=True)
        click.get_current_context().exit(REJECTED_EXIT)


def _paced(records: Iterable[FileRecord], rate: float | None) -> Iterator[FileRecord]:
    """Give record i at start + i / rate by the monotonic clock: a stall is caught up, the mean holds."""
    started = time.monotonic()
    for number, record in enumerate(records):
        if rate is not None and (early := started + number / rate - time.monotonic()) > 0:
            time.sleep(early)
        yield record


@contextmanager
def _progress(
    name: str, size: int | None
) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """A progress bar on stderr if that is a terminal: how to say a line beside it, and how to move it."""
    if not sys.stderr.isatty():
        yield lambda line: click.echo(plain(line), err=True), lambda _position, _count: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} records"),
        TimeRemainingColumn(),
    )
    stderr = Console(stderr=True, highlight=False, markup=False)
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task(name, total=size, count=0)
        yield (
            lambda line: stderr.print(plain(line)),
            lambda position, count: bar.update(task, completed=position, count=count),
        )
