"""Decibel as it ships: the real worker process, on topics made by its own provisioning, guarantees on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import msgspec

from bench import compiled
from bench.throughput.expected import Sums
from bench.throughput.peers.work import SESSION_MS, Place
from bench.throughput.wire import Wire
from schemas.times import Moment, to_epoch
from schemas.topics import NOISE_SCORES, SOURCE_ITEMS
from scoring.item import MILLI
from scoring.policy import Policy, load_policy
from scoring.rows import decode_incident
from stream.provisioning import apply
from stream.settings import Settings, load_settings
from stream.topics import CHANGELOGS, INCIDENTS_CHANGELOG, physical


class _Score(msgspec.Struct, gc=False):
    as_of: Moment


_SCORE: Final = msgspec.json.Decoder(_Score).decode


def command(place: Place) -> list[str]:
    """Return the command of a worker."""
    return [compiled.decibel(), "worker", "--log-level", "warning"]


def environ(place: Place) -> dict[str, str]:
    """Return its settings: stream time, as for any recording; the session of all peers; all else as it ships.

    The prefix of its topics is what stands before `source-items` in the topic that all peers read.
    """
    return compiled.environ() | {
        "DECIBEL_KAFKA_BOOTSTRAP": place.bootstrap,
        "DECIBEL_TOPICS_PREFIX": place.source.removesuffix(SOURCE_ITEMS),
        "DECIBEL_APP_ID": place.group,
        "DECIBEL_CLOCK": "stream",
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": str(SESSION_MS // 1000),
        "DECIBEL_WORKER_HTTP_PORT": "0",
    }


def conflation_off() -> dict[str, str]:
    """Return the setting by which every score is written, at once."""
    return {"DECIBEL_WORKER_CONFLATION_MS": "0"}


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


def counts(place: Place) -> str:
    """Return the topic of the incidents' rows: a score shows the interactions only as points."""
    return physical(settings(place), INCIDENTS_CHANGELOG)


def counted(row: bytes) -> object:
    """Return the items of an incident's row, and the interactions that it counts of them, in thousandths."""
    incident = decode_incident(row)
    return incident.items, sum(each.interactions for each in incident.platforms.values())


@cache
def _policy() -> Policy:
    return load_policy()


def wanted(sums: Sums) -> object:
    """Return the same of what stands after a load: an item counts once, as it was observed last."""
    rule, standing = _policy().engagement, sums.standing
    interactions = (
        standing.likes
        + rule.comment_weight * standing.comments
        + rule.share_weight * standing.shares
        + rule.view_weight * standing.views
    )
    return sums.items, round(MILLI * interactions)
