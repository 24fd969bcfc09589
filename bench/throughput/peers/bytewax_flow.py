"""Bytewax: a stateful map over the source, with recovery (snapshots into SQLite at each epoch).

Run by `python -m bytewax.run bench.throughput.peers.bytewax_flow:flow -r FOLDER -s 1 -b 0`.
"""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow

from bench.throughput.peers.work import NEW, Observed, Place, decode, heard, update


def keyed(message: Any) -> tuple[str, Observed]:
    """Return a source item by its incident."""
    item = decode(message.value)
    return item.incident_id, item


def score(state: Any, item: Observed) -> tuple[Any, Any]:
    """Return the incident's next state, twice: to be kept, and to be told."""
    new = heard(state or NEW, item.observed_at.timestamp(), item.interactions)
    return new, new


def told(update_of: tuple[str, Any]) -> KafkaSinkMessage[bytes, bytes]:
    """Return the update as a Kafka record."""
    incident_id, state = update_of
    return KafkaSinkMessage(incident_id.encode(), update(incident_id, state))


place = Place.given()
flow = Dataflow("noise")
read = op.input("source", flow, KafkaSource([place.bootstrap], [place.source], tail=True, batch_size=1000))
scored = op.stateful_map("score", op.map("decode", read, keyed), score)
op.output(
    "output",
    op.map("encode", scored, told),
    KafkaSink([place.bootstrap], place.output, add_config={"compression.type": "lz4", "linger.ms": "5"}),
)
