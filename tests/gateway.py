"""A gateway for tests: served in this process at a free port, from a view of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from schemas.cloudevents import Output
from schemas.topics import INCIDENT_PROFILES
from stream.gateway.run import serve
from stream.settings import Settings
from stream.view.connection import Client, connect
from stream.view.writer import ViewWriter
from tests.builders import hours, item, profile
from tests.driver import Driver
from tests.view import entries_of, fresh, laid_out, piece, world

WAIT_S = 20.0


class Gateway:
    """A gateway: `http` asks it, `raw` leaves answers compressed, `writer` changes its view, `stop` ends it."""

    def __init__(
        self,
        settings: Settings,
        port: int,
        http: aiohttp.ClientSession,
        raw: aiohttp.ClientSession,
        client: Client,
        writer: ViewWriter,
        stop: asyncio.Event,
    ) -> None:
        self.settings, self.port, self.http, self.raw = settings, port, http, raw
        self.client, self.writer, self.stop = client, writer, stop
        self._entries = entries_of(settings)
        self._offsets: dict[tuple[str, int], int] = {}

    async def tell(self, *outputs: Output) -> None:
        """Write events into the view, each after those before it in its partition."""
        for place, records in laid_out(outputs).items():
            first = self._offsets.get(place, 0)
            moved = [record._replace(offset=first + record.offset) for record in records]
            part = piece({place: moved}, self._entries, place, 0, len(moved))
            end = first + len(moved)
            written = await self.writer.write(1, [msgspec.structs.replace(part, begin=first, end=end)])
            assert not written.displaced
            self._offsets[place] = end

    async def json(self, path: str, status: int = 200, **asked: Any) -> Any:
        """What it answers, parsed; the status must be as expected."""
        async with self.http.get(path, **asked) as answer:
            body = await answer.read()
            assert answer.status == status, body
            return msgspec.json.decode(body)


@asynccontextmanager
async def served(base: Settings, *outputs: Output, **changes: Any) -> AsyncIterator[Gateway]:
    """Serve a view that holds `outputs`; `changes` are settings of the gateway."""
    mine = fresh(base)
    chosen = {"port": 0, "rate_per_s": 0.0, "tick_ms": 1, **changes}
    gateway = msgspec.structs.replace(mine.gateway, **chosen)
    mine = msgspec.structs.replace(mine, gateway=gateway)
    stop, bound = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with aclosing(connect(mine)) as client:
        writer = ViewWriter(client, mine.view)
        await writer.begin(entries_of(mine).half_life_s)
        serving = asyncio.create_task(
            serve(
                mine,
                stop,
                bound=lambda host, port: bound.set_result(port),
                with_kafka=False,
                listen=False,
            )
        )
        try:
            await asyncio.wait({serving, bound}, return_when=asyncio.FIRST_COMPLETED, timeout=WAIT_S)
            if serving.done():
                serving.result()
            port = await bound
            address, patience = f"http://127.0.0.1:{port}", aiohttp.ClientTimeout(WAIT_S)
            async with (
                aiohttp.ClientSession(address, timeout=patience) as http,
                aiohttp.ClientSession(address, timeout=patience, auto_decompress=False) as raw,
            ):
                gate = Gateway(mine, port, http, raw, client, writer, stop)
                await gate.tell(*outputs)
                yield gate
        finally:
            stop.set()
            await asyncio.wait_for(serving, WAIT_S)
            async with aclosing(connect(mine)) as cleaning:  # a test may have killed the Redis of the other
                async for key in cleaning.scan_iter(match=f"{mine.view.prefix}:*", count=1000):
                    await cleaning.delete(key)


def streaming() -> Settings:
    """Settings by the time of the stream, as for recordings: the same question has the same answer at any time."""
    return Settings(clock="stream")


class Told(msgspec.Struct, frozen=True):
    """A Server-Sent Event as a reader gets it."""

    place: str
    topic: str
    event: Any


class Listening:
    """A reader of /live: takes events one by one."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self._text = b""

    async def next(self) -> Told:
        """The next event; comments are passed over."""
        while True:
            while b"\n\n" not in self._text:
                got = await asyncio.wait_for(self.answer.content.readany(), WAIT_S)
                if not got:
                    raise ConnectionError("the stream has ended")
                self._text += got
            block, _, self._text = self._text.partition(b"\n\n")
            fields = dict(
                line.split(b":", 1) for line in block.split(b"\n") if not line.startswith(b":") and line
            )
            if b"data" in fields:
                return Told(
                    fields[b"id"].decode(), fields[b"event"].decode(), msgspec.json.decode(fields[b"data"])
                )

    async def take(self, count: int) -> list[Told]:
        """So many events."""
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def listening(gateway: Gateway, query: str = "", **headers: str) -> AsyncIterator[Listening]:
    """A reader of /live, whose answer has begun."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with gateway.http.get(
        f"/live{query}", headers=names, timeout=aiohttp.ClientTimeout(total=None, sock_read=WAIT_S)
    ) as answer:
        assert answer.status == 200, await answer.text()
        yield Listening(answer)


def everything() -> tuple[Output, ...]:
    """What happens in the world of tests.view."""
    return world()


def scored(incident: str, **fields: Any) -> list[Output]:
    """An incident with a score, and a profile of these fields."""
    driver = Driver()
    said = msgspec.structs.replace(profile(incident), **fields)
    outputs = [Output(INCIDENT_PROFILES, incident, f"p-{incident}", hours(0.0), said)]
    outputs += driver.profile(said, at=hours(0.0))
    return [*outputs, *driver.pipe(item(f"item of {incident}", incident, h=1.0, likes=5000))]
