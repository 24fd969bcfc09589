"""A small world for tests of the view: events as a ledger gives them, as records; and the view as plain values."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer

from schemas.cloudevents import Output, headers
from schemas.codec import encode
from schemas.noise_index import Mover, NoiseIndex
from schemas.times import from_epoch
from schemas.topics import INCIDENT_PROFILES, NOISE_INDEX
from schemas.words import Category
from stream.settings import Settings
from stream.topics import physical
from stream.view.connection import Client
from stream.view.entries import TOPICS, Reading
from stream.view.keys import Keys
from stream.view.reader import ViewReader
from stream.view.run import reading_of
from stream.view.writer import Slice
from tests.builders import hours, item, profile
from tests.driver import Driver
from tests.wire import Deployment

PARTITIONS = 2
INCIDENTS = ("choir", "leak", "merger", "strike", "vote", "wheel")
NAMES = ("Ada", "Bo", "Cleo", "Dee")


class Record(NamedTuple):
    """A record as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


Log = dict[tuple[str, int], list[Record]]
"""The records of each topic's partitions, by (logical topic, partition)."""


@cache
def world() -> tuple[Output, ...]:
    """What a ledger says of six incidents in five days: they rise, change category, fall silent; one is taken back,
    and one merged into another."""
    driver, chance = Driver(), random.Random(7)
    outputs: list[Output] = []
    for step in range(70):
        h = step * 1.7
        incident = chance.choice(INCIDENTS)
        if step % 7 == 3:
            named = {name: chance.choice("SABC") for name in chance.sample(NAMES, chance.randrange(4))}
            said = profile(incident, chance.randrange(100), chance.choice(list(Category)), **named)
            outputs.append(Output(INCIDENT_PROFILES, incident, f"p{step}", hours(h), said))
            outputs += driver.profile(said, at=hours(h))
            continue
        counts = {"likes": int(10 ** chance.uniform(0, 5)), "comments": chance.randrange(900)}
        platform = chance.choice(["news", "reddit", "hackernews"])
        outputs += driver.pipe(item(f"i{step}", incident, h=h, platform=platform, **counts))
        if step % 5 == 0:
            movers = (Mover(incident, 2.5),)
            index = NoiseIndex("overall", from_epoch(hours(h)), 40.0 + step, 604800.0, step, movers)
            outputs.append(Output(NOISE_INDEX, "overall", f"overall/{step}", hours(h), index))
    outputs += driver.pipe(item("gone", "hoax", h=120.0, likes=50_000))
    outputs += driver.pipe(item("gone", "hoax", h=120.0, seen=121.0, likes=50_000, retracted=True))
    merge = msgspec.structs.replace(profile("wheel"), merged_into="vote", updated_at=from_epoch(hours(122.0)))
    outputs.append(Output(INCIDENT_PROFILES, "wheel", "merge", hours(122.0), merge))
    outputs += [each for each in driver.profile(merge, at=hours(122.0)) if each.topic in TOPICS]
    return tuple(outputs)


def laid_out(outputs: Iterable[Output]) -> Log:
    """Lay events out as records: each key in a partition of its own choice, as the producers do."""
    log: Log = {}
    for output in outputs:
        place = (output.topic, sum(output.key.encode()) % PARTITIONS)
        records = log.setdefault(place, [])
        said = () if output.topic == INCIDENT_PROFILES else tuple(headers(output))
        records.append(
            Record(len(records), round(output.at * 1000), output.key.encode(), encode(output.event), said)
        )
    return log


def with_repeats(outputs: tuple[Output, ...], chance: random.Random) -> list[Output]:
    """The same events as a worker sends them that was killed now and then: runs of them come once more."""
    said: list[Output] = []
    at = 0
    while at < len(outputs):
        ahead = chance.randint(1, 12)
        said += outputs[at : at + ahead]
        at += ahead
        if chance.random() < 0.4:  # what editors sent is not sent again by a worker
            again = outputs[max(0, at - chance.randint(1, 60)) : at]
            again = again[: chance.randint(1, 60)]
            said += [output for output in again if output.topic != INCIDENT_PROFILES]
    return said


def slices(log: Log, entries: Reading, chance: random.Random) -> Iterator[Slice]:
    """Cut the partitions of a log anywhere, and give the pieces in any order that keeps each partition's."""
    positions = dict.fromkeys(log, 0)
    while left := [place for place, records in log.items() if positions[place] < len(records)]:
        place = chance.choice(left)
        begin = positions[place]
        end = min(len(log[place]), begin + chance.randint(1, 15))
        yield piece(log, entries, place, begin, end)
        positions[place] = end


def piece(log: Log, entries: Reading, place: tuple[str, int], begin: int, end: int) -> Slice:
    """One slice of a log."""
    read = [entries.entry(place[0], record) for record in log[place][begin:end]]
    assert all(entry is not None for entry in read)
    return Slice(*place, begin, end, [entry for entry in read if entry is not None])


def fresh(settings: Settings) -> Settings:
    """The same settings with a view of its own."""
    view = msgspec.structs.replace(settings.view, prefix=f"test-{uuid.uuid4().hex[:12]}")
    return msgspec.structs.replace(settings, view=view)


def entries_of(settings: Settings) -> Reading:
    """How the view's entries are read under these settings."""
    return reading_of(settings)


async def contents(client: Client, root: str) -> dict[str, Any]:
    """Everything below `root` as plain values, by the rest of the key."""
    found: dict[str, Any] = {}
    async for key in client.scan_iter(match=f"{root}*", count=1000):
        kind = await client.type(key)
        if kind == b"hash":
            value: Any = await client.hgetall(key)
        elif kind == b"zset":
            value = await client.zrange(key, 0, -1, withscores=True)
        elif kind == b"stream":
            value = await client.xrange(key)
        else:
            value = await client.get(key)
        found[key.decode().removeprefix(root)] = value
    return found


async def put(deployment: Deployment, outputs: Iterable[Output]) -> None:
    """Send events as the workers do: under their keys, with their ids, each topic's in order."""
    client = AIOKafkaProducer(bootstrap_servers=deployment.bootstrap, linger_ms=5)
    await client.start()
    try:
        sent = [
            await client.send(
                physical(deployment.settings, output.topic),
                encode(output.event),
                key=output.key.encode(),
                headers=None if output.topic == INCIDENT_PROFILES else headers(output),
            )
            for output in outputs
        ]
        for each in sent:
            await each
    finally:
        await client.stop()


async def until(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = 60.0) -> None:
    """Wait until `condition` holds; it is another process's, so there is nothing to await on it."""
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(0.05)


async def until_caught_up(deployment: Deployment, client: Client, keys: Keys) -> None:
    """Wait until the present view has read all that is in the topics."""
    async with deployment.consumer() as consumer:
        ends = {}
        for topic in TOPICS:
            found = await consumer.end_offsets(deployment.partitions(topic))
            ends |= {f"{topic}/{tp.partition}": end for tp, end in found.items() if end}

    async def caught_up() -> bool:
        current = await client.get(keys.current)
        if current is None:
            return False
        offsets = await client.hgetall(keys.of(int(current)).offsets)
        return {source.decode(): int(offset) for source, offset in offsets.items()} == ends

    await until(caught_up, f"the view has read up to {ends}")


async def seen(client: Client, keys: Keys) -> dict[str, Any]:
    """What readers see of the present view.

    Without offsets, which tell how records lay, and floors, which tell in which order they were let go of.
    """
    root = keys.of(int(await client.get(keys.current))).root
    found = await contents(client, root)
    for key in [key for key in found if key.startswith("changes:")]:
        found[key] = {field: text for field, text in found[key].items() if not field.startswith(b"floor ")}
    return {key: value for key, value in found.items() if key != "offsets"}


async def heard(reader: ViewReader) -> dict[tuple[str, str], list[str]]:
    """The ids of the live stream by topic and key, in their order; profiles have none of their own."""
    found: dict[tuple[str, str], list[str]] = {}
    for event in await reader.live("0", most=100_000):
        found.setdefault((event.topic, event.key), []).append(
            "" if event.topic == INCIDENT_PROFILES else event.id
        )
    return found
