"""`python -m bench [--peers a,b] [--loads zipf,frontpage] [--events N] …`: the same work through Decibel and its peers.

Starts one real Kafka (KRaft; its jars by Maven), lets each peer read each load on its own, one after the other, and
prints a table, writes JSON and draws a picture into build/bench; with --publish into docs/, and the tables into
docs/benchmarks.md, which says what is measured and how the peers differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import core
from bench.throughput import broker, page, plot, results, table
from bench.throughput.loads import EXPONENT, INCIDENTS, SEED, Load, recording_load, zipf_load
from bench.throughput.peers.catalogue import PEERS, chosen
from bench.throughput.peers.peer import Peer
from bench.throughput.results import Measured, Replayed, Results
from bench.throughput.run import Runner
from bench.throughput.session import Asked, Session
from bench.throughput.wire import Wire
from tests.real.kafka import VERSION

LOADS: Final = ("frontpage", "zipf")
PARTS: Final = ("throughput", "recovery", "latency", "replay")
EVENTS: Final = 1_000_000
PACED_S: Final = 10.0

WIDTH: Final = 170
"""Columns of the table where no terminal says how many there are."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ",".join(peer.name for peer in PEERS)
    parser.add_argument("--peers", default=names, help=f"Who takes part; all: {names}")
    parser.add_argument("--loads", default=",".join(LOADS), help=f"All: {','.join(LOADS)}")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"All: {','.join(PARTS)}")
    parser.add_argument(
        "--events", type=int, default=EVENTS, help=f"Of the synthetic load; default {EVENTS:,}"
    )
    parser.add_argument("--recorded", type=int, help="Of the recording, its first so many; default all")
    parser.add_argument("--incidents", type=int, default=INCIDENTS)
    parser.add_argument("--exponent", type=float, default=EXPONENT, help="Of the Zipf popularity")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--repeat", type=int, default=1, help="Runs of each peer, interleaved; medians are shown"
    )
    parser.add_argument("--paced", type=float, default=PACED_S, help="Seconds of the latency runs")
    parser.add_argument(
        "--replayed", type=int, default=core.OBSERVATIONS, help="Observations of the replay part, at most"
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="Where JSON and picture go")
    parser.add_argument(
        "--publish", action="store_true", help="Into docs/ instead, and into docs/benchmarks.md"
    )
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    asked = arguments(given)
    # kafka-python 3.0 reads its message schemas through importlib.resources' old function while it is imported.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    console, parts = Console(width=None if sys.stdout.isatty() else WIDTH), asked.parts.split(",")
    loads = [_load(name, asked) for name in asked.loads.split(",")] if "throughput" in parts else []
    peers, skipped = _who(asked.peers)
    for name, why in skipped.items():
        console.print(f"{name} does not take part: {why}")
    measured, failed = _measured(peers, loads, asked, parts, console)
    came_to = Results(
        datetime.now(UTC).isoformat(timespec="minutes"),
        results.machine(f"Apache Kafka {VERSION}"),
        {load.name: load.title for load in loads},
        measured,
        skipped | failed,
        [Replayed(step.name, step.rate) for step in core.main(["--observations", str(asked.replayed)])]
        if "replay" in parts
        else [],
    )
    console.print(table.machine(came_to))
    for load in loads:
        console.print(table.shown(came_to, load.name))
    for line in filter(None, map(table.unconflated, measured)):
        console.print(line)
    _write(came_to, asked)
    if failed or not all(each.right for each in measured):
        sys.exit("some peers failed or did not count right: see above")


def _measured(
    peers: Sequence[Peer],
    loads: Sequence[Load],
    asked: argparse.Namespace,
    parts: Sequence[str],
    console: Console,
) -> tuple[list[Measured], dict[str, str]]:
    """Return what the peers come to on the loads, and who failed why."""
    if not peers or not loads:
        return [], {}
    if reason := broker.missing():
        sys.exit(reason)
    wanted = Asked(
        asked.repeat,
        "recovery" in parts,
        "latency" in parts,
        asked.paced,
        asked.incidents,
        asked.exponent,
        asked.seed,
    )
    with broker.BenchKafka() as kafka, tempfile.TemporaryDirectory(prefix="decibel-bench-") as folder:
        runner = Runner(Wire(kafka.bootstrap), Path(folder))
        session = Session(runner, peers, wanted, console, kafka.log_tail)
        measured = [each for load in loads for each in session.measure(load)]
    return measured, session.failed


def _write(came_to: Results, asked: argparse.Namespace) -> None:
    """Write JSON, picture, and the page if it is to be published."""
    folder, pictures = (page.DOCS, page.DOCS / "img") if asked.publish else (asked.out, asked.out)
    file = folder / "benchmarks.json"
    if file.is_file():
        came_to = results.completed(came_to, results.read(file))
    results.write(came_to, file)
    if came_to.measured:
        plot.draw(came_to, pictures / "benchmarks.svg")
    if asked.publish:
        page.publish("measured", table.markdown(came_to))


def _load(name: str, asked: argparse.Namespace) -> Load:
    if name == "zipf":
        return zipf_load(asked.events, asked.incidents, asked.exponent, asked.seed)
    if name == "frontpage":
        return recording_load(asked.recorded)
    sys.exit(f"no load is called {name}; there are: {', '.join(LOADS)}")


def _who(names: str) -> tuple[list[Peer], dict[str, str]]:
    """Return who takes part, and why the others do not."""
    try:
        peers = chosen(names.split(","))
    except ValueError as error:
        sys.exit(str(error))
    there = {peer.name for peer in peers}
    reasons = {
        peer.name: f"it writes what {peer.writes_as} does"
        if peer.writes_as and peer.writes_as not in there
        else peer.missing()
        for peer in peers
    }
    skipped = {name: reason for name, reason in reasons.items() if reason}
    return [peer for peer in peers if peer.name not in skipped], skipped


if __name__ == "__main__":
    main()
