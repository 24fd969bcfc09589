"""On a real Kafka: several workers on eight partitions, and a worker that comes back with many incidents."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from msgspec import Struct

from bench.growth.observations import Story
from bench.throughput.expected import sums
from bench.throughput.peers.catalogue import chosen
from bench.throughput.peers.peer import Peer
from bench.throughput.peers.work import Place
from bench.throughput.run import DRAIN_S, HELD_BACK, WARM_EVENTS, Runner, Work
from bench.throughput.wire import until


class Scaled(Struct, frozen=True):
    """So many workers together: events per second by the clock on the wall, and per second of CPU of all of them."""

    workers: int
    events: int
    per_s: float
    per_cpu_s: float
    right: bool


class Restarted(Struct, frozen=True):
    """A worker killed with so many incidents: seconds (wall, CPU) from start to first update; bytes at most held;
    bytes of changelog per event; the share of a core when nothing comes.
    """

    store: str
    incidents: int
    wall_s: float
    cpu_s: float
    peak_rss: int
    changelog: float
    idle_share: float
    right: bool


def scaled(runner: Runner, number: int, given: Work) -> Scaled:
    """Let so many workers read `given`; they are all there, and held, while the topic is filled."""
    peer = _with(number=number)
    with runner.place(peer) as place:
        runner.wire.produce(place.source, given.records[:WARM_EVENTS])
        peer.prepare(runner.wire, place)
        with runner.tree(peer, place) as tree:
            until(lambda: runner.wire.members(place.group) == number, f"{number} workers", DRAIN_S, 0.2)
            runner.until_done(peer, place, tree, WARM_EVENTS)
            tree.hold()
            runner.wire.produce(place.source, given.records[WARM_EVENTS:])
            wall, cpu = time.monotonic(), tree.cpu_s()
            tree.go_on()
            runner.until_done(peer, place, tree, len(given.records))
            wall, cpu = time.monotonic() - wall, tree.cpu_s() - cpu
            tree.kill()
        wrong = runner.wrong(peer, place, given.expected)
    events = len(given.records) - WARM_EVENTS
    return Scaled(number, events, events / wall, events / cpu, not wrong)


def restarted(runner: Runner, incidents: int, stores: Sequence[str]) -> Iterator[Restarted]:
    """Score one item of each incident, kill the worker and start it again; rocksdb finds its files, memory nothing."""
    story = Story(seed=3)
    records = list(story.incidents(0, incidents))
    given = Work(records, list(story.again(incidents, 1, HELD_BACK)), sums(records))
    for store in stores:
        peer = _with(store=store)
        run = runner.throughput(peer, given, recovery=True)
        assert run.recovery is not None
        wall_s, cpu_s, idle_share = run.recovery
        changelog = run.changelog.payload / run.events
        yield Restarted(
            store, incidents, wall_s, cpu_s, run.peak_rss, changelog, idle_share, right=not run.wrong
        )


def _with(number: int = 1, store: str = "memory") -> Peer:
    """Decibel as it takes part in the benchmarks, run several times at once or with another store."""
    (decibel,) = chosen(["decibel"])

    def environ(place: Place) -> dict[str, str]:
        return {
            **decibel.environ(place),
            "DECIBEL_WORKER_STORE": f"{store}://",
            "DECIBEL_WORKER_DATADIR": place.folder,
        }

    return replace(
        decibel,
        command=lambda place: _several(decibel.command(place), number),
        environ=environ,
        needs_its_disk=store == "rocksdb",
    )


def _several(command: Sequence[str], number: int) -> list[str]:
    """Return a command that runs another one several times at once."""
    return ["bash", "-c", " ".join([f"{shlex.join(command)} &"] * number) + " wait"]
