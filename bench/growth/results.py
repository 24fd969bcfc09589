"""All that was measured of growth, by part."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from bench.growth.recovery import Recovered
from bench.growth.size import Incidents, Items
from bench.growth.workers import Restarted, Scaled
from bench.throughput.results import Machine


class Growth(Struct):
    """What was measured; a part that was not is empty."""

    machine: Machine
    incidents: list[Incidents] = []
    items: list[Items] = []
    recovery: list[Recovered] = []
    restart: list[Restarted] = []
    workers: list[Scaled] = []


def write(grown: Growth, file: Path) -> None:
    """Write it as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(grown), indent=2) + b"\n")


def read(file: Path) -> Growth:
    """Read it back. Raises OSError, msgspec.DecodeError, msgspec.ValidationError."""
    return msgspec.json.decode(file.read_bytes(), type=Growth)
