"""Making the view anew: a fresh generation from the topics, beside the one that is read, then switched at once.

It ends, partition by partition, where the live stream ends: the running sink then goes on in the new generation
without an event missing from the stream or twice in it.
"""

from __future__ import annotations

import time
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct
from redis.exceptions import WatchError

from schemas.errors import BrokerError, StateError, ViewError
from stream.settings import Settings
from stream.view.connection import Client
from stream.view.entries import Entry, Reading
from stream.view.sink import MOST_RECORDS, POLL_MS
from stream.view.topics import Partitions
from stream.view.writer import Slice, ViewWriter

LEASE_S: Final = 60
"""After so long without a write a rebuild counts as dead, and another may begin."""
STALL_TIMEOUT_S: Final = 30.0
"""How long Kafka may give nothing although it says that there is more."""
GRACE_S: Final = 5.0
"""So long the old generation stays after the switch: an answer that has begun from it is ended from it."""
KEYS_PER_SCAN: Final = 1000


class Rebuilt(Struct, frozen=True):
    """What a rebuild did; the seconds are until the switch."""

    generation: int
    events: int
    incidents: int
    seconds: float


class _Target(Struct):
    """A partition being read: from `position` (the first offset not yet written) up to `end`; `anew` where the live
    stream's offset is of a topic that was made anew since.
    """

    topic: str
    position: int
    end: int
    anew: bool


async def rebuild(
    settings: Settings, client: Client, consumer: AIOKafkaConsumer, partitions: Partitions, entries: Reading
) -> Rebuilt:
    """Make a generation, switch to it, and remove what was before it but what readers now look at.

    Raises StateError where another rebuild runs, BrokerError where Kafka does not give what it has, and redis-py's
    errors. Whatever happens before the switch, readers see the old view.
    """
    started = time.monotonic()
    writer = ViewWriter(client, settings.view)
    generation = await writer.next_number()
    if not await client.set(writer.keys.rebuilding, generation, nx=True, ex=LEASE_S):
        raise StateError(
            "another rebuild of the view is running, or was killed less than a minute ago; wait for it"
        )
    await writer.describe(generation, entries.half_life_s)
    before = await client.get(writer.keys.current)
    targets = await _targets(writer, consumer, partitions, first=before is None)
    events = await _fill(client, writer, generation, consumer, targets, entries)
    incidents = int(await client.hlen(writer.keys.of(generation).scores))
    await _switch(client, writer, generation, before, targets)
    return Rebuilt(generation, events, incidents, round(time.monotonic() - started, 3))


async def clean(client: Client, writer: ViewWriter) -> int:
    """Remove the keys of every generation but the present one and one that is being made; return how many."""
    keys, cursor, removed = writer.keys, 0, 0
    while True:
        cursor, found = await client.scan(cursor, match=f"{keys.prefix}:[0-9]*:*", count=KEYS_PER_SCAN)
        named = [number for number in await client.mget(keys.current, keys.rebuilding) if number]
        kept = tuple(keys.of(int(number)).root.encode() for number in named)
        old = [key for key in found if not key.startswith(kept)]
        if old:
            removed += int(await client.unlink(*old))
        if cursor == 0:
            return removed


async def _targets(
    writer: ViewWriter, consumer: AIOKafkaConsumer, partitions: Partitions, *, first: bool
) -> dict[TopicPartition, _Target]:
    """Up to where each partition is read. The live offsets are asked for first: none is ahead of its topic's end.

    The `first` view takes in all there is. What is not in the stream yet is otherwise left to the sink.
    """
    live = await writer.live_offsets()
    ends = await consumer.end_offsets(list(partitions))
    begins = await consumer.beginning_offsets(list(partitions))
    targets = {}
    for tp, logical in partitions.items():
        reached = live.get(f"{logical}/{tp.partition}", 0)
        anew = first or reached > ends[tp]
        targets[tp] = _Target(logical, 0, ends[tp] if anew else max(reached, begins[tp]), anew)
        consumer.seek(tp, begins[tp])
    return targets


async def _fill(
    client: Client,
    writer: ViewWriter,
    generation: int,
    consumer: AIOKafkaConsumer,
    targets: dict[TopicPartition, _Target],
    entries: Reading,
) -> int:
    """Write all records before the targets; return how many events were new."""
    events, moved = 0, time.monotonic()
    while unfinished := [tp for tp, target in targets.items() if target.position < target.end]:
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        slices = []
        for tp in unfinished:
            target, records = targets[tp], polled.get(tp, [])
            reached = min(await consumer.position(tp), target.end)
            if reached > target.position:
                read = [entries.entry(target.topic, each) for each in records if each.offset < target.end]
                known: list[Entry] = [entry for entry in read if entry is not None]
                slices.append(Slice(target.topic, tp.partition, target.position, reached, known))
            if reached >= target.end:
                consumer.pause(tp)
        if slices:
            written = await writer.write(generation, slices, building=True)
            if written.displaced:
                raise StateError("the rebuild was displaced by another one; the view is as it was")
            await client.expire(writer.keys.rebuilding, LEASE_S)
            events += sum(written.new.values())
            by_source = {(each.topic, each.partition): each.end for each in slices}
            for tp, target in targets.items():
                target.position = by_source.get((target.topic, tp.partition), target.position)
            moved = time.monotonic()
        elif time.monotonic() - moved > STALL_TIMEOUT_S:
            names = ", ".join(f"{tp.topic}/{tp.partition}" for tp in unfinished[:3])
            raise BrokerError(f"no records for {STALL_TIMEOUT_S:g} s of {names}; check the brokers")
    return events


async def _switch(
    client: Client,
    writer: ViewWriter,
    generation: int,
    before: bytes | None,
    targets: dict[TopicPartition, _Target],
) -> None:
    """Let readers and sink see the new generation; where the live stream is not ours to continue, it begins here."""
    keys = writer.keys
    begun = {f"{target.topic}/{tp.partition}": target.end for tp, target in targets.items() if target.anew}
    async with client.pipeline(transaction=True) as pipeline:
        await pipeline.watch(keys.rebuilding, keys.current)
        mine, present = await pipeline.mget(keys.rebuilding, keys.current)
        if mine != str(generation).encode():
            raise StateError("the rebuild took too long a pause and lost its place; the view is as it was")
        if present != before:
            raise StateError("a first view was begun meanwhile; run the rebuild again")
        pipeline.multi()
        pipeline.set(keys.current, generation)
        if begun:
            pipeline.hset(keys.live_offsets, mapping=begun)
        pipeline.delete(keys.rebuilding)
        try:
            await pipeline.execute()
        except WatchError:
            raise ViewError("another view was begun meanwhile; run the rebuild again") from None
