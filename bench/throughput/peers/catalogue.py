"""Who takes part, in the order of the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final

from bench import compiled
from bench.throughput.peers import decibel, environment, kafka_streams
from bench.throughput.peers.peer import Peer
from bench.throughput.peers.work import Place
from bench.throughput.wire import Wire

PROGRAMS: Final = "bench.throughput.peers"


def _own(module: str) -> Callable[[Place], list[str]]:
    """The command of a program in the project's environment."""
    return lambda _: [sys.executable, "-m", f"{PROGRAMS}.{module}"]


def _is_here() -> None:
    """What is in the project's own lock is never missing."""


def _quix(place: Place) -> list[str]:
    return [str(environment.python()), "-m", f"{PROGRAMS}.quix"]


def _quix_changelogs(place: Place, topics: Iterable[str]) -> list[str]:
    return [topic for topic in topics if topic.startswith(f"changelog__{place.group}--")]


def _bytewax(place: Place) -> list[str]:
    """Its runner is given the flow, the folder of its snapshots, the seconds between two, how many to keep."""
    options = ["-r", f"{place.folder}/bytewax", "-s", "1", "-b", "0"]
    return [str(environment.python()), "-m", "bytewax.run", f"{PROGRAMS}.bytewax_flow:flow", *options]


def _prepare_bytewax(wire: Wire, place: Place) -> None:
    """Its recovery wants the SQLite files made beforehand."""
    wire.create(place.output)
    state = Path(place.folder) / "bytewax"
    state.mkdir()
    command = [str(environment.python()), "-m", "bytewax.recovery", str(state), "1"]
    subprocess.run(command, check=True, timeout=60)


PEERS: Final = (
    Peer(
        name="decibel",
        title="Decibel",
        command=decibel.command,
        missing=_is_here,
        version=lambda: f"{version_of('decibel')}, {compiled.told()}",
        environ=decibel.environ,
        prepare=decibel.prepare,
        changelogs=decibel.changelogs,
        output=decibel.output,
        at=decibel.at,
        counts=decibel.counts,
        counted=decibel.counted,
        wanted=decibel.wanted,
    ),
    Peer(
        name="faust",
        title="obvious Faust agent",
        command=_own("faust_agent"),
        missing=_is_here,
        version=lambda: version_of("faust-streaming"),
        share=0.1,
    ),
    Peer(
        name="quix",
        title="Quix Streams",
        command=_quix,
        missing=environment.missing,
        version=lambda: environment.version("quixstreams"),
        changelogs=_quix_changelogs,
    ),
    Peer(
        name="bytewax",
        title="Bytewax",
        command=_bytewax,
        missing=environment.missing,
        version=lambda: environment.version("bytewax"),
        prepare=_prepare_bytewax,
        commits=False,
        needs_its_disk=True,
    ),
    Peer(
        name="kafka-streams",
        title="Kafka Streams (Java)",
        command=kafka_streams.command,
        missing=kafka_streams.missing,
        version=kafka_streams.version,
    ),
    Peer(
        name="floor",
        title="floor: aiokafka, msgspec, dict",
        command=_own("floor"),
        missing=_is_here,
        version=lambda: version_of("aiokafka"),
        recovers=False,
    ),
    Peer(
        name="floor-same-writes",
        title="floor that writes as much as Decibel",
        command=_own("floor"),
        missing=_is_here,
        version=lambda: version_of("aiokafka"),
        recovers=False,
        writes_as="decibel",
    ),
)


def chosen(names: Iterable[str]) -> list[Peer]:
    """Return the peers of these names, in the order of the table. Raises ValueError."""
    wanted = set(names)
    if unknown := wanted - {peer.name for peer in PEERS}:
        allowed = ", ".join(peer.name for peer in PEERS)
        raise ValueError(f"no peer is called {', '.join(sorted(unknown))}; there are: {allowed}")
    return [peer for peer in PEERS if peer.name in wanted]
