"""Decibel as it ships: the real worker process, on topics made by its own provisioning, guarantees on."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bench.throughput.peers.work import Place
from bench.throughput.wire import Wire
from schemas.times import Moment, to_epoch
from schemas.topics import NOISE_SCORES, SOURCE_ITEMS
from stream.provisioning import apply
from stream.settings import Settings, WorkerSettings, load_settings
from stream.topics import CHANGELOGS, physical


class _Score(msgspec.Struct, gc=False):
    as_of: Moment
    items: int


_SCORE: Final = msgspec.json.Decoder(_Score).decode


def command(place: Place) -> list[str]:
    """Return the command of a worker."""
    return [str(Path(sys.executable).with_name("decibel")), "worker", "--log-level", "warning"]


def environ(place: Place) -> dict[str, str]:
    """Return its settings: stream time, as for any recording; a short session; all else as it ships.

    The prefix of its topics is what stands before `source-items` in the topic that all peers read.
    """
    return {
        "DECIBEL_KAFKA_BOOTSTRAP": place.bootstrap,
        "DECIBEL_TOPICS_PREFIX": place.source.removesuffix(SOURCE_ITEMS),
        "DECIBEL_APP_ID": place.group,
        "DECIBEL_CLOCK": "stream",
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": "6",
        "DECIBEL_WORKER_HEARTBEAT_S": "1",
        "DECIBEL_WORKER_HTTP_PORT": "0",
    }


def conflation_off() -> dict[str, str]:
    """Return the setting by which every score is written, at once."""
    if "conflation_ms" in WorkerSettings.__struct_fields__:
        return {"DECIBEL_WORKER_CONFLATION_MS": "0"}
    return {"DECIBEL_WORKER_CONFLATE": "false"}


def settings(place: Place) -> Settings:
    """Return the same, as the code in this process reads it."""
    return load_settings(None, environ(place))


def prepare(wire: Wire, place: Place) -> None:
    """Make its topics; the source is there already."""
    apply(settings(place))


def output(place: Place) -> str:
    """Return the topic of the scores."""
    return physical(settings(place), NOISE_SCORES)


def changelogs(place: Place, topics: Iterable[str]) -> list[str]:
    """Return the changelogs of its two tables."""
    return [physical(settings(place), logical) for logical in CHANGELOGS]


def at(value: bytes) -> float:
    """Return the time of the last observation that a score holds (epoch seconds)."""
    return to_epoch(_SCORE(value).as_of)


def counted(value: bytes) -> object:
    """Return how many items a score counts."""
    return _SCORE(value).items
