"""A receiver of webhooks for tests: it keeps what it was sent, answers as it is told, and can go down and come back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.real.kafka import _free_ports

WAIT_S = 60.0


@dataclass(frozen=True)
class Posted:
    """A request: its path, its headers (names in small letters), its body, and when it came (monotonic seconds)."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def said(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class Receiver:
    """Listens on a port of its own while it is `up`; `answer` says what it answers, unless it is `silent`."""

    def __init__(self) -> None:
        [self.port] = _free_ports(1)
        self.posted: list[Posted] = []
        self.answer: Callable[[Posted], web.Response] = lambda _: web.Response()
        self.silent = False
        self._ending = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._came = asyncio.Condition()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The ids of the CloudEvents it was sent, in either mode, with repeats."""
        return [each.headers.get("ce-id") or each.said["id"] for each in self.posted]

    def event_ids(self, path: str = "/hook") -> list[str]:
        """The ids of the events of which it was told under a path, in structured mode, with repeats."""
        return [
            alert["event_id"]
            for posted in self.posted
            if posted.path == path
            for alert in posted.said["data"]["alerts"]
        ]

    async def up(self) -> Self:
        """Listen."""
        self._ending.clear()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        return self

    async def down(self) -> None:
        """Stop listening: who connects is refused."""
        self._ending.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` holds; it is looked at after each request."""
        async with self._came:
            try:
                await asyncio.wait_for(self._came.wait_for(condition), WAIT_S)
            except TimeoutError:
                raise AssertionError(f"not within {WAIT_S:g} s: {what}; it was sent {self.posted}") from None

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        posted = Posted(request.path, headers, await request.read())
        async with self._came:
            self.posted.append(posted)
            self._came.notify_all()
        if self.silent:
            await self._ending.wait()
        return self.answer(posted)

    async def __aenter__(self) -> Self:
        return await self.up()

    async def __aexit__(self, *_: object) -> None:
        await self.down()
