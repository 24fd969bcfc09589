"""All that was measured of growth, by part."""

from __future__ import annotations

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
