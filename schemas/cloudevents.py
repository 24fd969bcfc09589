"""Ids and headers of what goes out: CloudEvents 1.0, Kafka binding in binary mode.

An id is a plain function of what the event says (incident, revision, kind), so a consumer that has seen an id
may drop the repeat: a worker that was killed repeats events with the same id and the same bytes.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.times import format_time
from schemas.topics import (
    DEAD_LETTERS,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    INDEX_SHARES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)

SOURCE: Final = "/decibel"
TYPE_OF: Final[dict[str, str]] = {
    SOURCE_ITEMS: "decibel.source-item.observed.v1",
    INCIDENT_PROFILES: "decibel.incident-profile.updated.v1",
    NOISE_SCORES: "decibel.noise-score.updated.v1",
    TREND_UPDATES: "decibel.trend.changed.v1",
    STATE_CHANGES: "decibel.state.changed.v1",
    PEAK_CROSSINGS: "decibel.peak.crossed.v1",
    INCIDENT_MERGES: "decibel.incident.merged.v1",
    NOISE_INDEX: "decibel.noise-index.updated.v1",
    INDEX_SHARES: "decibel.index-share.updated.v1",
    DEAD_LETTERS: "decibel.record.rejected.v1",
}
"""The CloudEvents type of each topic's event; a new major version only if a field changes its meaning."""

Headers = list[tuple[str, bytes]]


class Output(Struct, frozen=True, gc=False):
    """An event on its way out: topic (logical), record key, deterministic id, time (epoch s), event."""

    topic: str
    key: str
    id: str
    at: float
    event: Struct


_SPECVERSION: Final = ("ce_specversion", b"1.0")
_SOURCE: Final = ("ce_source", SOURCE.encode())
_TYPES: Final = {topic: ("ce_type", name.encode()) for topic, name in TYPE_OF.items()}
_JSON: Final = ("content-type", b"application/json")


def headers(output: Output) -> Headers:
    """Return the CloudEvents headers of `output`, in a fixed order.

    An output without a key (the dead letter of a record that had none) has no subject: an empty one is
    forbidden.
    """
    made = [
        _SPECVERSION,
        ("ce_id", output.id.encode()),
        _SOURCE,
        _TYPES[output.topic],
        ("ce_time", format_time(output.at).encode()),
    ]
    if output.key:
        made.append(("ce_subject", output.key.encode()))
    made.append(_JSON)
    return made
