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
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import core
from bench.throughput import broker, page, plot, results, table
from bench.throughput.latency import Latency
from bench.throughput.loads import EXPONENT, INCIDENTS, SEED, Load, recording_load, zipf_load
from bench.throughput.peers import decibel
from bench.throughput.peers.catalogue import PEERS, chosen
from bench.throughput.peers.floor import Sizes
from bench.throughput.peers.peer import Peer
from bench.throughput.results import Measured, Replayed, Results, median
from bench.throughput.run import Runner, Throughput, work
from bench.throughput.wire import Wire
from tests.real.kafka import VERSION

LOADS: Final = ("frontpage", "zipf")
PARTS: Final = ("throughput", "recovery", "latency", "replay")
EVENTS: Final = 1_000_000
PACED_S: Final = 10.0

WIDTH: Final = 170
"""Columns of the table where no terminal says how many there are."""

HALF: Final = 0.5
TENTH: Final = 0.1


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
    if reason := broker.missing():
        sys.exit(reason)
    console, parts = Console(width=WIDTH if not sys.stdout.isatty() else None), asked.parts.split(",")
    loads = [_load(name, asked) for name in asked.loads.split(",")]
    peers, skipped = _who(asked.peers)
    for name, why in skipped.items():
        console.print(f"{name} does not take part: {why}")
    measured: list[Measured] = []
    if peers and set(parts) - {"replay"}:
        with broker.BenchKafka() as kafka, tempfile.TemporaryDirectory(prefix="decibel-bench-") as folder:
            runner = Runner(Wire(kafka.bootstrap), Path(folder))
            for load in loads:
                measured += _measure(runner, peers, load, asked, parts, console)
    replayed = [Replayed(step.name, step.rate) for step in core.main([])] if "replay" in parts else []
    came_to = Results(
        datetime.now(UTC).isoformat(timespec="minutes"),
        results.machine(f"Apache Kafka {VERSION}"),
        {load.name: load.title for load in loads},
        measured,
        skipped,
        replayed,
    )
    console.print(table.machine(came_to))
    for load in loads:
        console.print(table.shown(came_to, load.name))
    for line in filter(None, map(table.unconflated, measured)):
        console.print(line)
    folder_out, pictures = (page.DOCS, page.DOCS / "img") if asked.publish else (asked.out, asked.out)
    results.write(came_to, folder_out / "benchmarks.json")
    if measured:
        plot.draw(came_to, pictures / "benchmarks.svg")
    if asked.publish:
        page.publish("measured", table.markdown(came_to))
    if not all(each.right for each in measured):
        sys.exit("some peers did not count right: see above")


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


def _measure(
    runner: Runner,
    peers: Sequence[Peer],
    load: Load,
    asked: argparse.Namespace,
    parts: Sequence[str],
    console: Console,
) -> Iterator[Measured]:
    """Yield what each peer comes to on a load. Runs are interleaved: what slows the machine slows all."""
    console.print(f"\n{load.title}")
    found: dict[str, list[Throughput]] = {peer.name: [] for peer in peers}
    works = {share: work(load, share) for share in {peer.share for peer in peers}}
    for number in range(asked.repeat):
        for peer in peers:
            wanted = "recovery" in parts and number == 0 and peer.recovers
            environ = _sizes(found.get(peer.writes_as, [])).environ() if peer.writes_as else None
            with console.status(f"{peer.title} reads {load.name}"):
                run = runner.throughput(peer, works[peer.share], recovery=wanted, environ=environ)
            found[peer.name].append(run)
            rates = f"{run.per_cpu_s:10,.0f} events/CPU s {run.per_s:10,.0f} events/s"
            console.print(
                f"  {peer.name:14} {rates}  {run.updates.records:,} updates of {run.events:,} events"
            )
            for line in run.wrong[:5]:
                console.print(f"    [red]wrong[/red] {line}")
    for peer in peers:
        yield _came_to(runner, peer, load, found[peer.name], asked, console, paced="latency" in parts)


def _sizes(runs: Sequence[Throughput]) -> Sizes:
    """Return how large the records are that a peer with two changelogs (incidents, items) has written."""
    if not runs:
        return Sizes()
    incidents, items = runs[-1].changelogs
    return Sizes(runs[-1].updates.value, incidents.value, items.value)


def _came_to(
    runner: Runner,
    peer: Peer,
    load: Load,
    runs: Sequence[Throughput],
    asked: argparse.Namespace,
    console: Console,
    *,
    paced: bool,
) -> Measured:
    rate = median([run.per_s for run in runs])
    half = tenth = None
    if paced and load.name == "zipf":
        half = _paced(runner, peer, asked, console, rate * HALF)
        if peer.name == "decibel":
            tenth = _paced(runner, peer, asked, console, rate * TENTH, decibel.conflation_off())
    first = runs[0]
    return Measured(
        peer.name,
        peer.title,
        peer.version(),
        load.name,
        first.events,
        rate,
        median([run.per_cpu_s for run in runs]),
        first.updates.records,
        max(run.peak_rss for run in runs),
        first.changelog.payload / first.events,
        first.changelog.on_disk / first.events,
        right=not any(run.wrong for run in runs),
        runs=len(runs),
        recovery_s=first.recovery and first.recovery.wall_s,
        idle_share=first.recovery and first.recovery.idle_share,
        p50_ms=half and half.p50_ms,
        p99_ms=half and half.p99_ms,
        paced_at=half and half.rate,
        unconflated_p50_ms=tenth and tenth.p50_ms,
        unconflated_p99_ms=tenth and tenth.p99_ms,
        unconflated_at=tenth and tenth.rate,
    )


def _paced(
    runner: Runner,
    peer: Peer,
    asked: argparse.Namespace,
    console: Console,
    rate: float,
    environ: dict[str, str] | None = None,
) -> Latency:
    """Measure the latency at a rate, and say so."""
    enough = int(rate * (asked.paced + 3.0)) + 10_000
    load = zipf_load(enough, asked.incidents, asked.exponent, asked.seed)
    with console.status(f"{peer.title} at {rate:,.0f} events/s"):
        came = runner.latency(peer, load, rate, asked.paced, environ)
    lost = f", {came.lost} [red]without an update[/red]" if came.lost else ""
    console.print(
        f"  {peer.name:14} at {came.rate:,.0f} events/s: p50 {came.p50_ms:.1f} ms, p99 {came.p99_ms:.1f} ms{lost}"
    )
    return came


if __name__ == "__main__":
    main()
