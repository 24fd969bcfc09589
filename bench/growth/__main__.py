"""`python -m bench.growth [--incidents 1000,…] [--items 1,…] [--parts …]`: what grows, and what must not.

Cost, memory and changelog are measured on one partition without Kafka, in this process; recovery there and by a real
worker; workers on one real Kafka. Writes JSON and the pictures docs/img/growth-*.svg.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.growth import plot, recovery, size, workers
from bench.growth.recovery import Recovered
from bench.growth.size import Incidents, Items
from bench.growth.workers import Restarted, Scaled
from bench.throughput import broker, results
from bench.throughput.loads import zipf_load
from bench.throughput.results import Machine
from bench.throughput.run import Runner, work
from bench.throughput.wire import Wire
from stream.shelves import MemoryShelf
from tests.real.kafka import VERSION

PARTS: Final = ("incidents", "items", "recovery", "restart", "workers")
INCIDENTS: Final = (1_000, 10_000, 100_000, 1_000_000)
ITEMS: Final = (1, 10, 100, 1_000, 10_000, 100_000)
MEASURED: Final = 20_000
RESTARTED: Final = 200_000
SCALED: Final = 500_000
STORES: Final = ("memory", "rocksdb")


Row = TypeVar("Row", bound=Struct)


class Growth(Struct):
    """All that was measured, by part."""

    machine: Machine
    incidents: list[Incidents] = []
    items: list[Items] = []
    recovery: list[Recovered] = []
    restart: list[Restarted] = []
    workers: list[Scaled] = []


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
    parser.add_argument("--json", type=Path, default=Path("docs/growth.json"))
    parser.add_argument("--plots", type=Path, default=Path("docs/img"))
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, write, draw."""
    asked = arguments(given)
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # kafka-python's, as in bench.throughput
    console = Console(width=None if sys.stdout.isatty() else 140)
    grown = Growth(results.machine(f"Apache Kafka {VERSION}"))
    with tempfile.TemporaryDirectory(prefix="decibel-growth-") as folder:
        _without_kafka(grown, asked, console, Path(folder))
        if {"restart", "workers"} & set(asked.parts):
            if reason := broker.missing():
                sys.exit(reason)
            with broker.BenchKafka() as kafka:
                _with_kafka(grown, asked, console, Runner(Wire(kafka.bootstrap), Path(folder)))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(grown), indent=2) + b"\n")
    _draw(grown, asked.plots)


def _without_kafka(grown: Growth, asked: argparse.Namespace, console: Console, folder: Path) -> None:
    held = MemoryShelf(), MemoryShelf()
    if {"incidents", "recovery"} & set(asked.parts):
        grown.incidents = _shown(console, size.incidents(asked.incidents, asked.measured, held))
    if "recovery" in asked.parts:
        grown.recovery = _shown(console, recovery.recoveries(*held, folder))
    if "items" in asked.parts:
        grown.items = _shown(console, size.items(asked.items, asked.measured))


def _with_kafka(grown: Growth, asked: argparse.Namespace, console: Console, runner: Runner) -> None:
    if "restart" in asked.parts:
        grown.restart = _shown(console, workers.restarted(runner, asked.restarted, STORES))
    if "workers" in asked.parts:
        given = work(zipf_load(asked.scaled), 1.0)
        grown.workers = _shown(console, (workers.scaled(runner, number, given) for number in asked.workers))


def _shown(console: Console, coming: Iterator[Row]) -> list[Row]:
    """Print each row as it comes, and return all."""
    rows: list[Row] = []
    for row in coming:
        rows.append(row)
        console.print(f"  {row}", soft_wrap=True)
    if rows:
        table = Table(*rows[0].__struct_fields__)
        for row in rows:
            table.add_row(*(_cell(value) for value in msgspec.structs.astuple(row)))
        console.print(table)
    return rows


def _cell(value: Any) -> str:
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if value < 100.0 else f"{value:,.0f}"


def _draw(grown: Growth, folder: Path) -> None:
    """Draw what was measured; pictures of other parts are left as they are."""
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
