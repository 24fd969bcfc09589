"""Quix Streams: a stateful function over the source, its state in RocksDB with a changelog topic."""

from __future__ import annotations

from typing import Any

from quixstreams import Application
from quixstreams.state import State as Store

from bench.throughput.peers.work import NEW, SESSION_MS, Place, decode, heard, update


def run(place: Place) -> None:
    """Read for ever."""
    app = Application(
        broker_address=place.bootstrap,
        consumer_group=place.group,
        auto_offset_reset="earliest",
        use_changelog_topics=True,
        state_dir=f"{place.folder}/quix",
        commit_interval=1.0,
        consumer_extra_config={"session.timeout.ms": SESSION_MS},
        producer_extra_config={"compression.type": "lz4", "linger.ms": 5},
        loglevel="WARNING",
    )
    source = app.topic(place.source, value_deserializer="bytes", key_deserializer="bytes")
    output = app.topic(place.output, value_serializer="bytes", key_serializer="bytes")

    def score(value: bytes, store: Store) -> Any:
        item = decode(value)
        state = heard(store.get("noise", NEW), item.observed_at.timestamp(), item.interactions)
        store.set("noise", state)
        return update(item.incident_id, state)

    app.dataframe(source).apply(score, stateful=True).to_topic(output)
    app.run()


if __name__ == "__main__":
    run(Place.given())
