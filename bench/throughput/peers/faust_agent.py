"""The obvious Faust agent: a Record, a table, one write and one update per event; Faust as it comes.

One setting is not stock: Faust's 1500 ms for an empty fetch would only measure its stall behind quiet changelogs.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import aiokafka
import faust
from faust.transport.drivers import aiokafka as driver

from bench.throughput.peers.work import SESSION_MS, Place, heard

FETCH_WAIT_MS = 20


class Consumer(aiokafka.AIOKafkaConsumer):
    """Faust's client, with a shorter wait for an empty fetch."""

    def __init__(self, *topics: Any, **settings: Any) -> None:
        super().__init__(*topics, **{**settings, "fetch_max_wait_ms": FETCH_WAIT_MS})


class Engagement(faust.Record, serializer="json"):
    """Interactions as observed."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    views: int = 0


class Item(faust.Record, serializer="json"):
    """A source item, as far as it is looked at."""

    incident_id: str
    observed_at: str
    engagement: Engagement


class Noise(faust.Record, serializer="json"):
    """The state of an incident, and the update."""

    incident_id: str
    observations: int = 0
    interactions: int = 0
    noise: float = 0.0
    at: float = 0.0


def make_app(place: Place) -> faust.App:
    """Return the app."""
    driver.aiokafka.AIOKafkaConsumer = Consumer
    app = faust.App(
        place.group,
        broker=f"kafka://{place.bootstrap}",
        store="memory://",
        topic_partitions=8,
        broker_session_timeout=SESSION_MS / 1000.0,
        datadir=place.folder,
        web_enabled=False,
    )
    items = app.topic(place.source, key_type=str, value_type=Item)
    scores = app.topic(place.output, key_type=str, value_type=Noise, partitions=8)
    incidents = app.Table("incidents", key_type=str, value_type=Noise, partitions=8)

    @app.agent(items)
    async def score(stream: faust.StreamT[Item]) -> None:
        async for item in stream:
            key = item.incident_id
            old = incidents.get(key) or Noise(incident_id=key)
            seen = item.engagement
            state = heard(
                (old.observations, old.interactions, old.noise, old.at),
                datetime.fromisoformat(item.observed_at).timestamp(),
                seen.likes + seen.comments + seen.shares + seen.views,
            )
            new = Noise(key, *state)
            incidents[key] = new
            await scores.send(key=key, value=new)

    return app


if __name__ == "__main__":
    sys.argv = ["faust_agent", "worker", "-l", "warn", "--without-web"]
    make_app(Place.given()).main()
