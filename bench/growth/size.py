"""Cost, memory and changelog of one partition as its incidents grow in number, or one of them in size."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from typing import Final

import psutil
from msgspec import Struct

from bench.growth.observations import Story
from bench.growth.partition import MeasuredPartition
from stream.worker.shelves import MemoryShelf, Shelf

ONE: Final = 1
"""Events are measured in batches of one: conflation saves more where incidents are few, and would look like growth."""


class Incidents(Struct, frozen=True):
    """With so many incidents: microseconds of CPU and bytes of changelog per event, bytes of memory per idle incident.

    `filling_us` is the cost of an event that brings a new incident. Memory is all that the process has grown by: rows
    of incident and item, deadline, index, and what Python loses between them.
    """

    incidents: int
    filling_us: float
    us: float
    changelog: float
    memory: float
    deadlines: int


class Items(Struct, frozen=True):
    """With so many items in one incident: microseconds and bytes of changelog for a further event."""

    items: int
    filling_us: float
    us: float
    changelog: float


def incidents(
    sizes: Sequence[int], measured: int, held: tuple[Shelf, Shelf] | None = None
) -> Iterator[Incidents]:
    """Fill one partition up to each of the sizes, and there observe `measured` items again.

    `held` are the shelves to fill, for who wants what is on them afterwards.
    """
    story = Story(seed=1)
    partition = MeasuredPartition(*(held or (MemoryShelf(), MemoryShelf())))
    at_first, before = _resident(), 0
    for size in sizes:
        filled = partition.apply(story.incidents(before, size))
        partition.ledger.forget()
        memory = (_resident() - at_first) / size
        again = partition.apply(story.again(size, 1, measured), ONE)
        yield Incidents(size, filled.us, again.us, again.bytes, memory, len(partition.ledger.deadlines))
        before = size


def items(sizes: Sequence[int], measured: int) -> Iterator[Items]:
    """Let one incident grow up to each of the sizes, and there observe `measured` of its items again."""
    story = Story(seed=2)
    partition = MeasuredPartition(MemoryShelf(), MemoryShelf())
    before = 0
    for size in sizes:
        filled = partition.apply(story.items(before, size))
        again = partition.apply(story.again(1, size, measured), ONE)
        yield Items(size, filled.us, again.us, again.bytes)
        before = size


def _resident() -> int:
    """Bytes of memory the process holds, garbage collected."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)
