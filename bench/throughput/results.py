"""What a benchmark came to: typed, as JSON, and as ratios against the obvious Faust agent and the floor."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FAUST: Final = "faust"
FLOOR: Final = "floor"


class Machine(Struct, frozen=True):
    """Where it was measured."""

    cores: int
    processor: str
    system: str
    python: str
    kafka: str


class Measured(Struct, frozen=True):
    """One peer on one load, the median of its runs; None where it was not measured.

    Rates in events per second; latencies in milliseconds; changelog in bytes per event, as read back and on disk;
    `idle_share` is the part of a core that a peer takes with all its state and nothing to do.
    """

    peer: str
    title: str
    version: str
    load: str
    events: int
    per_s: float
    per_cpu_s: float
    updates: int
    peak_rss: int
    changelog_bytes: float
    changelog_on_disk: float
    right: bool
    runs: int
    recovery_s: float | None = None
    idle_share: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    paced_at: float | None = None
    unconflated_p50_ms: float | None = None
    unconflated_p99_ms: float | None = None
    unconflated_at: float | None = None


class Replayed(Struct, frozen=True):
    """One step of the replay benchmark: observations per second of CPU."""

    step: str
    rate: float


class Results(Struct, frozen=True):
    """A whole benchmark; `skipped` says of each peer that did not take part why."""

    at: str
    machine: Machine
    loads: dict[str, str]
    measured: list[Measured]
    skipped: dict[str, str] = {}
    replay: list[Replayed] = []

    def of(self, peer: str, load: str) -> Measured | None:
        """Return what a peer came to on a load, or None."""
        return next((each for each in self.measured if (each.peer, each.load) == (peer, load)), None)


def ratio(results: Results, measured: Measured, against: str) -> float | None:
    """Return how many times as many events per second of CPU as `against` on the same load; None if that is missing."""
    other = results.of(against, measured.load)
    return None if other is None else measured.per_cpu_s / other.per_cpu_s


def completed(after: Results, before: Results) -> Results:
    """Return `after` with the loads and the replay that were measured `before` and not again."""
    loads = {name: title for name, title in before.loads.items() if name not in after.loads}
    kept = [each for each in before.measured if each.load in loads]
    return msgspec.structs.replace(
        after,
        loads=loads | after.loads,
        measured=kept + after.measured,
        replay=after.replay or before.replay,
    )


def machine(kafka: str) -> Machine:
    """Return what this machine is."""
    return Machine(
        os.cpu_count() or 1, _processor(), platform.platform(terse=True), platform.python_version(), kafka
    )


def _processor() -> str:
    """The processor's name, where the system tells it."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def write(results: Results, file: Path) -> None:
    """Write them as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


def read(file: Path) -> Results:
    """Read them back. Raises OSError, msgspec.DecodeError, msgspec.ValidationError."""
    return msgspec.json.decode(file.read_bytes(), type=Results)
