"""The floor: aiokafka's getmany, msgspec, a dict; one update and one changelog record per dirty incident and batch.

No recovery, no rebalance, no deduplication, no scoring: the least that anything in Python on this client must do.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.throughput.peers.work import NEW, Place, State, decode, heard, row, update

BATCH: int = 2000
"""Most records of one fetch, as `worker.max_batch_records`."""


async def run(place: Place) -> None:
    """Read for ever; a batch is committed once all it wrote is acknowledged."""
    consumer = AIOKafkaConsumer(
        place.source,
        bootstrap_servers=place.bootstrap,
        group_id=place.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        session_timeout_ms=6000,
        heartbeat_interval_ms=1000,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=place.bootstrap,
        linger_ms=5,
        compression_type="lz4",
        max_batch_size=262_144,
        enable_idempotence=True,
    )
    await producer.start()
    await consumer.start()
    states: dict[bytes, State] = {}
    while True:
        fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH)
        waiting = []
        for tp, records in fetched.items():
            dirty: dict[bytes, State] = {}
            for record in records:
                key, item = record.key, decode(record.value)
                states[key] = dirty[key] = heard(
                    states.get(key, NEW), item.observed_at.timestamp(), item.interactions
                )
            for key, state in dirty.items():
                waiting += (
                    await producer.send(place.output, update(key.decode(), state), key, tp.partition),
                    await producer.send(place.changelog, row(state), key, tp.partition),
                )
        if waiting:
            await asyncio.gather(*waiting)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(run(Place.given()))
