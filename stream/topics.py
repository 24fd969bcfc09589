"""The topics of a deployment as Kafka has them: name with prefix, partitions, replication, configuration."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.topics import (
    COMPACTED,
    DEAD_LETTERS,
    EVENT_OF,
    INDEX_SHARES,
    NOISE_INDEX,
    SOURCE_ITEMS,
)
from stream.settings import Settings

INCIDENTS_CHANGELOG: Final = "incidents-changelog"
ITEMS_CHANGELOG: Final = "items-changelog"
CHANGELOGS: Final = (INCIDENTS_CHANGELOG, ITEMS_CHANGELOG)
"""The changelogs of the two tables, by their logical names; Faust calls them `{app_id}-{table}-changelog`."""

LOGICAL: Final = (*EVENT_OF, *CHANGELOGS)
"""Every topic of a deployment by its logical name."""

ONE_PARTITION: Final = frozenset({NOISE_INDEX, INDEX_SHARES})
"""Topics with a handful of keys, and one reader who needs all of them in one order."""

_HOUR_MS: Final = 3_600_000
_DEAD_LETTER_GROWTH: Final = 1.5
"""A dead letter holds key and value in base64 (4/3 of their size) with its reason around them."""


class TopicSpec(Struct, frozen=True):
    """A topic as it shall be; `config` holds Kafka's own keys and the values Kafka shows for them."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


def physical(settings: Settings, logical: str) -> str:
    """Return the name in Kafka of a logical topic: the prefix before it, for a changelog the app id as well.

    >>> physical(Settings(), "noise-scores"), physical(Settings(), "items-changelog")
    ('noise-scores', 'decibel-items-changelog')
    """
    inner = f"{settings.app_id}-{logical}" if logical in CHANGELOGS else logical
    return settings.topics.prefix + inner


def specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """Return every topic of the deployment, the sources first, the changelogs last."""
    return tuple(_spec(settings, logical) for logical in LOGICAL)


def dead_letter_bytes(settings: Settings) -> int:
    """Return the size in bytes that the dead-letter topic takes; no topic takes more."""
    return int(settings.topics.max_record_bytes * _DEAD_LETTER_GROWTH)


def _spec(settings: Settings, logical: str) -> TopicSpec:
    replication = settings.topics.replication
    largest = dead_letter_bytes(settings) if logical == DEAD_LETTERS else settings.topics.max_record_bytes
    config = {
        # Recordings carry events years old: were retention to go by those times, it would delete them at
        # once.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(largest),
        # Acknowledged means: still there when one broker is lost (where there is a second one at all).
        "min.insync.replicas": str(max(1, replication - 1)),
    }
    if logical in CHANGELOGS:
        config |= _changelog()
    elif logical in COMPACTED:
        config |= _compacted()
    else:
        config |= _deleted(_retention_hours(settings, logical))
    partitions = 1 if logical in ONE_PARTITION else settings.topics.partitions
    return TopicSpec(physical(settings, logical), partitions, replication, config)


def _retention_hours(settings: Settings, logical: str) -> int:
    if logical == SOURCE_ITEMS:
        return settings.topics.source_retention_hours
    if logical == DEAD_LETTERS:
        return settings.topics.dead_letter_retention_hours
    return settings.topics.retention_hours


def _deleted(hours: int) -> dict[str, str]:
    # A segment is deleted as a whole, once its last record is too old: eighths keep that close to what was
    # asked.
    segment_ms = max(_HOUR_MS, min(24 * _HOUR_MS, hours * _HOUR_MS // 8))
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(hours * _HOUR_MS),
        "segment.ms": str(segment_ms),
    }


def _compacted() -> dict[str, str]:
    # The open segment is never compacted: an hourly one keeps a new reader's catch-up short.
    return {
        "cleanup.policy": "compact",
        "segment.ms": str(_HOUR_MS),
        "min.cleanable.dirty.ratio": "0.1",
    }


def _changelog() -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        # A worker that starts replays the changelog: short segments, compacted early, keep that short.
        "segment.ms": str(_HOUR_MS // 2),
        "segment.bytes": str(128 * 1024 * 1024),
        "min.cleanable.dirty.ratio": "0.1",
        # A row written late by a worker that lost its partition stands behind the newer one. Recovery keeps
        # the row with the higher stamp, and can do so only while both are there.
        "min.compaction.lag.ms": "600000",
    }
