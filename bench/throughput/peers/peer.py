"""What the harness has to know of one who takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from bench.throughput.expected import Sums
from bench.throughput.peers.work import Place
from bench.throughput.wire import Wire


class Update(msgspec.Struct, gc=False):
    """What is read of an update: when the last observation in it was made (epoch seconds), and the sums."""

    at: float
    observations: int = 0
    interactions: int = 0


_UPDATE: Final = msgspec.json.Decoder(Update).decode


def _create(wire: Wire, place: Place) -> None:
    wire.create(place.output, place.changelog)


def _changelogs(place: Place, topics: Iterable[str]) -> list[str]:
    """Kafka Streams and Faust name them by group and table, the floor is given its own."""
    return [topic for topic in topics if topic.startswith(place.group) and topic.endswith("changelog")]


def _at(value: bytes) -> float:
    return _UPDATE(value).at


def _counted(value: bytes) -> object:
    update = _UPDATE(value)
    return update.observations, update.interactions


def _wanted(sums: Sums) -> object:
    return sums.observations, sums.interactions


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One who takes part: how it is run, and how to tell what it has done.

    Args:
        name: for the command line; `title`: for people.
        command: what to run at a place, in the root of the tree; `environ`: with which variables.
        missing: why it cannot take part here, or None; it may fetch or build what is needed.
        version: of what is measured.
        prepare: what is done before it is started for the first time.
        changelogs: which of the topics hold its state.
        output: the topic of its updates; `at`: up to when an update holds.
        counts: the topic whose last record of each incident says what it counts; `counted`: what that is, to be held
            against `wanted` of the incident's sums.
        share: the part of a load that it reads; the obvious Faust agent would take minutes over all of it.
        commits: whether it commits offsets in its group. Without, it is done when each event has its update.
        writes_as: the peer whose records it is given the sizes of; it takes part only beside it.
        recovers: whether it recovers at all; `needs_its_disk`: whether from its folder rather than from Kafka.
    """

    name: str
    title: str
    command: Callable[[Place], list[str]]
    missing: Callable[[], str | None]
    version: Callable[[], str]
    environ: Callable[[Place], dict[str, str]] = Place.environ
    prepare: Callable[[Wire, Place], None] = _create
    changelogs: Callable[[Place, Iterable[str]], list[str]] = _changelogs
    output: Callable[[Place], str] = lambda place: place.output
    at: Callable[[bytes], float] = _at
    counts: Callable[[Place], str] = lambda place: place.output
    counted: Callable[[bytes], object] = _counted
    wanted: Callable[[Sums], object] = _wanted
    share: float = 1.0
    commits: bool = True
    recovers: bool = True
    needs_its_disk: bool = False
    writes_as: str = ""
