"""The wire as a test sees it: a deployment's topics on some broker, written to and read back whole."""

import asyncio
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.settings import Settings, load_settings
from stream.topics import physical, specs

WAIT_S = 90.0
"""Longest wait for a condition; a run of tech-2021 takes a few seconds."""


@dataclass(frozen=True)
class Event:
    """An event as it was read back: its logical topic, CloudEvents id, key, bytes, and the order it came in."""

    topic: str
    id: str
    key: str
    value: bytes

    @property
    def said(self) -> Any:
        """The event's JSON."""
        return json.loads(self.value)


@dataclass
class Deployment:
    """The settings of one test's engine, as the environment of its processes."""

    bootstrap: str
    prefix: str = ""
    embedded: bool = False
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables for `decibel`: stream time, a short session so that a killed worker is missed soon."""
        chosen = {
            "DECIBEL_KAFKA_BOOTSTRAP": self.bootstrap,
            "DECIBEL_KAFKA_API_VERSION": "2.3" if self.embedded else "",
            "DECIBEL_TOPICS_PREFIX": self.prefix,
            "DECIBEL_APP_ID": f"{self.prefix}app",
            "DECIBEL_CLOCK": "stream",
            "DECIBEL_WORKER_SESSION_TIMEOUT_S": "6",
            "DECIBEL_WORKER_HEARTBEAT_S": "1",
            "DECIBEL_WORKER_COMMIT_INTERVAL_S": "0.2",
            "DECIBEL_WORKER_HTTP_PORT": "0",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DECIBEL_")}
        return {**inherited, **chosen, **self.changes}

    @property
    def settings(self) -> Settings:
        """The same, as the code in this process reads it."""
        return load_settings(None, {k: v for k, v in self.environ.items() if k.startswith("DECIBEL_")})

    @property
    def topics(self) -> dict[str, int]:
        """Every physical topic with its partitions."""
        return {spec.name: spec.partitions for spec in specs(self.settings)}

    @asynccontextmanager
    async def consumer(self, group: str | None = None) -> Any:
        """A client that is given its partitions."""
        client = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=16 * 1024 * 1024,
        )
        await client.start()
        try:
            yield client
        finally:
            await client.stop()

    def partitions(self, logical: str) -> list[TopicPartition]:
        """Every partition of a logical topic."""
        name = physical(self.settings, logical)
        return [TopicPartition(name, number) for number in range(self.topics[name])]

    async def produce(self, logical: str, records: Iterable[tuple[bytes | None, bytes | None]]) -> int:
        """Send records in order, each to its key's partition; return how many."""
        client = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            linger_ms=5,
            max_batch_size=65536,
            max_request_size=16 * 1024 * 1024,
        )
        await client.start()
        try:
            name, sent = physical(self.settings, logical), []
            for key, value in records:
                sent.append(await client.send(name, value, key=key))
            await asyncio.gather(*sent)
            return len(sent)
        finally:
            await client.stop()

    async def read(self, *logicals: str) -> list[Event]:
        """Read topics from their start to their present end."""
        found: list[Event] = []
        async with self.consumer() as client:
            for logical in logicals:
                found.extend(await self._read_one(client, logical))
        return found

    async def _read_one(self, client: AIOKafkaConsumer, logical: str) -> list[Event]:
        partitions = self.partitions(logical)
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        await client.seek_to_beginning(*partitions)
        found: list[Event] = []
        deadline = time.monotonic() + WAIT_S
        while any([await client.position(tp) < end for tp, end in ends.items()]):
            assert time.monotonic() < deadline, f"{logical} could not be read to its end"
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    ident = dict(record.headers).get("ce_id", b"").decode()
                    found.append(
                        Event(logical, ident, (record.key or b"").decode("utf-8", "replace"), record.value)
                    )
        return found

    async def until_committed(self, logicals: Sequence[str] = (SOURCE_ITEMS, INCIDENT_PROFILES)) -> None:
        """Wait until the group has committed everything that is in the topics: then all of it is safe."""
        deadline = time.monotonic() + WAIT_S
        async with self.consumer(self.settings.app_id) as client:
            partitions = [tp for logical in logicals for tp in self.partitions(logical)]
            client.assign(partitions)
            ends = await client.end_offsets(partitions)
            while True:
                behind = {}
                for tp, end in ends.items():
                    committed = await client.committed(tp) or 0
                    if committed < end:
                        behind[tp] = (committed, end)
                if not behind:
                    return
                assert time.monotonic() < deadline, f"not committed (have, want): {behind}"
                await asyncio.sleep(0.1)  # the condition is the broker's; there is nothing to await on it
