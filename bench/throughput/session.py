"""All peers on one load: runs interleaved, then each paced at half of its rate; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from rich.console import Console

from bench.throughput.latency import Latency, middle
from bench.throughput.loads import Load, zipf_load
from bench.throughput.peers import decibel
from bench.throughput.peers.floor import Sizes
from bench.throughput.peers.peer import Peer
from bench.throughput.results import Measured
from bench.throughput.run import RAMP_S, WARM_EVENTS, Runner, Throughput, work

HALF: Final = 0.5
TENTH: Final = 0.1

SPARE_S: Final = 1.0
"""A paced load is so much longer than it has to be."""


class Asked(NamedTuple):
    """What is wanted: `repeat` runs of each peer, a restart, `paced_s` seconds at half load; and of which load."""

    repeat: int
    recovery: bool
    latency: bool
    paced_s: float
    incidents: int
    exponent: float
    seed: int


class Session:
    """Lets the peers run, and says on the console what comes of it. `failed` tells of each that failed, why."""

    def __init__(
        self,
        runner: Runner,
        peers: Sequence[Peer],
        asked: Asked,
        console: Console,
        broker_says: Callable[[], str],
    ) -> None:
        self._runner, self._peers, self._asked, self._console = runner, peers, asked, console
        self._broker_says = broker_says
        self.failed: dict[str, str] = {}

    def measure(self, load: Load) -> Iterator[Measured]:
        """Yield what each peer comes to on a load. Runs are interleaved: what slows the machine slows all of them."""
        self._console.print(f"\n{load.title}")
        runs: dict[str, list[Throughput]] = {peer.name: [] for peer in self._peers}
        works = {share: work(load, share) for share in {peer.share for peer in self._peers}}
        for number in range(self._asked.repeat):
            for peer in self._peers:
                if not self._able(peer):
                    continue
                environ = sizes(runs[peer.writes_as]).environ() if peer.writes_as else None
                recovery = self._asked.recovery and peer.recovers and number == 0
                try:
                    with self._console.status(f"{peer.title} reads {load.name}"):
                        run = self._runner.throughput(
                            peer, works[peer.share], recovery=recovery, environ=environ
                        )
                except (RuntimeError, TimeoutError, KafkaException) as error:
                    self._fail(peer, error)
                    continue
                runs[peer.name].append(run)
                self._tell(peer, run)
        works.clear()
        measured = [peer for peer in self._peers if self._able(peer)]
        halves, tenths = self._latencies(load, runs)
        for peer in measured:  # one that fails only now has still come to its rates
            yield came_to(peer, load, runs[peer.name], halves[peer.name], tenths[peer.name])

    def _able(self, peer: Peer) -> bool:
        """Whether it has not failed, and does not follow one who has."""
        return peer.name not in self.failed and peer.writes_as not in self.failed

    def _fail(self, peer: Peer, error: Exception) -> None:
        """Note it, and show the end of the broker's log: it may be the broker that has failed."""
        self.failed[peer.name] = f"it failed: {error!r}"
        self._console.print(f"  [red]{peer.name} failed[/red]")
        self._console.print(f"{error!r}\n--- broker\n{self._broker_says()}", markup=False, soft_wrap=True)

    def _tell(self, peer: Peer, run: Throughput) -> None:
        rates = f"{run.per_cpu_s:10,.0f} events/CPU s {run.per_s:10,.0f} events/s"
        self._console.print(
            f"  {peer.name:17} {rates}  {run.updates.records:,} updates of {run.events:,} events"
        )
        for line in run.wrong[:5]:
            self._console.print(f"    [red]wrong[/red] {line}")

    def _latencies(
        self, load: Load, runs: Mapping[str, Sequence[Throughput]]
    ) -> tuple[dict[str, list[Latency]], dict[str, list[Latency]]]:
        """Each peer's runs at half load; and Decibel's at a tenth without conflation. Empty where not asked for."""
        halves: dict[str, list[Latency]] = {peer.name: [] for peer in self._peers}
        tenths: dict[str, list[Latency]] = {peer.name: [] for peer in self._peers}
        repeat = self._asked.repeat if self._asked.latency and load.name == "zipf" else 0
        for _ in range(repeat):
            for peer in filter(self._able, self._peers):
                rate = median(run.per_s for run in runs[peer.name])
                halves[peer.name] += self._paced(peer, rate * HALF, {})
                if peer.name == "decibel" and self._able(peer):
                    tenths[peer.name] += self._paced(peer, rate * TENTH, decibel.conflation_off())
        return halves, tenths

    def _paced(self, peer: Peer, rate: float, environ: Mapping[str, str]) -> list[Latency]:
        """One run at a rate, or none where it failed."""
        asked = self._asked
        enough = WARM_EVENTS + int(rate * (RAMP_S + asked.paced_s + SPARE_S))
        load = zipf_load(enough, asked.incidents, asked.exponent, asked.seed)
        try:
            with self._console.status(f"{peer.title} at {rate:,.0f} events/s"):
                came = self._runner.latency(peer, load, rate, asked.paced_s, environ)
        except (RuntimeError, TimeoutError, KafkaException) as error:
            self._fail(peer, error)
            return []
        lost = f", {came.lost} [red]without an update[/red]" if came.lost else ""
        self._console.print(
            f"  {peer.name:17} at {came.rate:,.0f} events/s: p50 {came.p50_ms:.1f} ms, p99 {came.p99_ms:.1f} ms{lost}"
        )
        return [came]


def sizes(runs: Collection[Throughput]) -> Sizes:
    """Return how large the records are that a peer with two changelogs (incidents, items) has written last."""
    *_, last = runs
    incidents, items = last.changelogs
    return Sizes(last.updates.value, incidents.value, items.value)


def came_to(
    peer: Peer, load: Load, runs: Sequence[Throughput], halves: Sequence[Latency], tenths: Sequence[Latency]
) -> Measured:
    """Return what a peer came to on a load: medians of its rates and latencies, its first run's bytes and restart."""
    first, half, tenth = runs[0], middle(halves), middle(tenths)
    return Measured(
        peer.name,
        peer.title,
        peer.version(),
        load.name,
        first.events,
        median(run.per_s for run in runs),
        median(run.per_cpu_s for run in runs),
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
