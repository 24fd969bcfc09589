"""`python -m bench.growth [--incidents 1000,…] [--items 1,…] [--parts …]`: what grows, and what must not.

Cost, memory and changelog are measured on one partition without Kafka, in this process; recovery there and by a real
worker; workers on one real Kafka. Writes JSON and pictures into build/growth; with --publish
into docs/, and the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench.growth import plot, recovery, size, workers
from bench.growth.results import Growth, read, write
from bench.growth.table import cell, markdown
from bench.throughput import broker, page, results
from bench.throughput.loads import zipf_load
from bench.throughput.run import Runner, work
from bench.throughput.wire import Wire
from stream.worker.shelves import MemoryShelf
from tests.real.kafka import VERSION

PARTS: Final = ("incidents", "items", "recovery", "restart", "workers")
INCIDENTS: Final = (1_000, 10_000, 100_000, 1_000_000)
ITEMS: Final = (1, 10, 100, 1_000, 10_000, 100_000)
MEASURED: Final = 20_000
RESTARTED: Final = 200_000
SCALED: Final = 500_000
STORES: Final = ("memory", "rocksdb")


Row = TypeVar("Row", bound=Struct)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--parts", type=_words, default=PARTS, help=f"All: {','.join(PARTS)}")
    parser.add_argument("--incidents", type=_numbers, default=INCIDENTS, help="Sizes, ascending")
    parser.add_argument("--items", type=_numbers, default=ITEMS, help="Sizes, ascending")
    parser.add_argument("--measured", type=int, default=MEASURED, help="Events measured at each size")
    parser.add_argument("--restarted", type=int, default=RESTARTED, help="Incidents of the worker killed")
    parser.add_argument("--workers", type=_numbers, default=(1, 2, 4))
    parser.add_argument("--scaled", type=int, default=SCALED, help="Events that the workers share")
    parser.add_argument("--out", type=Path, default=Path("build/growth"), help="Where JSON and pictures go")
    parser.add_argument(
        "--publish", action="store_true", help="Into docs/ instead, and into docs/benchmarks.md"
    )
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, write, draw."""
    asked = arguments(given)
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # kafka-python's, as in bench.throughput
    folder, pictures = (page.DOCS, page.DOCS / "img") if asked.publish else (asked.out, asked.out)
    file, console = folder / "growth.json", Console(width=None if sys.stdout.isatty() else 140)
    grown = _before(file)
    for part in _parts(grown, asked, console):
        # After each part: they take minutes, and nothing of them shall be lost.
        write(grown, file)
        console.print(f"{part}: written to {file}")
    _draw(grown, pictures)
    if asked.publish:
        page.publish("growth", markdown(grown))


def _before(file: Path) -> Growth:
    """What was measured before: a part that is not measured now stays as it was."""
    machine = results.machine(f"Apache Kafka {VERSION}")
    return replace(read(file), machine=machine) if file.is_file() else Growth(machine)


def _parts(grown: Growth, asked: argparse.Namespace, console: Console) -> Iterator[str]:
    """Measure the parts that are asked for, and yield the name of each when it is in `grown`."""
    with tempfile.TemporaryDirectory(prefix="decibel-growth-") as name:
        folder = Path(name)
        yield from _without_kafka(grown, asked, console, folder)
        if {"restart", "workers"} & set(asked.parts):
            if reason := broker.missing():
                sys.exit(reason)
            with broker.BenchKafka() as kafka:
                yield from _with_kafka(grown, asked, console, Runner(Wire(kafka.bootstrap), folder))


def _without_kafka(grown: Growth, asked: argparse.Namespace, console: Console, folder: Path) -> Iterator[str]:
    held = MemoryShelf(), MemoryShelf()
    if {"incidents", "recovery"} & set(asked.parts):
        grown.incidents = _shown(console, size.incidents(asked.incidents, asked.measured, held))
        yield "incidents"
    if "recovery" in asked.parts:
        grown.recovery = _shown(console, recovery.recoveries(*held, folder))
        yield "recovery"
    if "items" in asked.parts:
        grown.items = _shown(console, size.items(asked.items, asked.measured))
        yield "items"


def _with_kafka(grown: Growth, asked: argparse.Namespace, console: Console, runner: Runner) -> Iterator[str]:
    if "restart" in asked.parts:
        grown.restart = _shown(console, workers.restarted(runner, asked.restarted, STORES))
        yield "restart"
    if "workers" in asked.parts:
        given = work(zipf_load(asked.scaled), 1.0)
        grown.workers = _shown(console, (workers.scaled(runner, number, given) for number in asked.workers))
        yield "workers"


def _shown(console: Console, coming: Iterator[Row]) -> list[Row]:
    """Print each row as it comes, and return all."""
    rows: list[Row] = []
    for row in coming:
        rows.append(row)
        console.print(f"  {row}", soft_wrap=True)
    if rows:
        table = Table(*rows[0].__struct_fields__)
        for row in rows:
            table.add_row(*(cell(value) for value in msgspec.structs.astuple(row)))
        console.print(table)
    return rows


def _draw(grown: Growth, folder: Path) -> None:
    """Draw what there is."""
    if grown.incidents and grown.items:
        plot.cost(grown.incidents, grown.items, folder / "growth-cost.svg")
        plot.changelog(grown.incidents, grown.items, folder / "growth-changelog.svg")
    if grown.incidents:
        plot.memory(grown.incidents, folder / "growth-memory.svg")
    if grown.recovery and grown.restart:
        plot.recovery(grown.recovery, grown.restart, folder / "growth-recovery.svg")
    if grown.workers:
        plot.scaling(grown.workers, folder / "growth-workers.svg")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


if __name__ == "__main__":
    main()
