"""A whole site for browser tests: embedded broker, worker, sink, gateway on a real Redis; and a real Chromium."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from schemas.codec import encode
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.embedded_broker import EmbeddedBroker
from stream.view.answers import LiveEvent
from stream.view.connection import connect
from stream.view.keys import Keys
from stream.view.reader import opened
from tests.real.redis_server import RealRedis
from tests.requirements import require
from tests.view import until_caught_up
from tests.wire import Deployment
from tests.workers import WorkerProcess

DECIBEL = str(Path(sys.executable).with_name("decibel"))
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
WAIT_MS = 30_000
"""Longest wait for something to be seen; each is awaited, and comes within a second or two."""

# Notes what comes over every live connection of the page, and whatever the page's policy refused.
RECORDER = """
window.heard = []; window.refused = []; window.ran = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refused.push(event.violatedDirective + " " + event.blockedURI);
});
const Native = window.EventSource;
window.EventSource = class extends Native {
  addEventListener(type, listener) {
    super.addEventListener(type, (message) => {
      if (message.lastEventId) window.heard.push(message.lastEventId);
      listener(message);
    });
  }
};
"""


@dataclass
class Site:
    """A running site; what a test sends is scored, kept and shown."""

    deployment: Deployment
    port: int
    gateway: WorkerProcess

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    async def send(self, *events: SourceItem | IncidentProfile) -> None:
        """Put profiles and observations on their topics, in order, and wait until the view has what came of them."""
        for topic, kind in ((INCIDENT_PROFILES, IncidentProfile), (SOURCE_ITEMS, SourceItem)):
            said = [each for each in events if isinstance(each, kind)]
            if said:
                await self.deployment.produce(
                    topic, [(each.incident_id.encode(), encode(each)) for each in said]
                )
            if kind is IncidentProfile and said:
                await self.deployment.until_committed((INCIDENT_PROFILES,))
        await self.deployment.until_committed()
        async with aclosing(connect(self.deployment.settings)) as client:
            await until_caught_up(self.deployment, client, Keys(self.deployment.settings.view.prefix))

    async def live(self) -> list[LiveEvent]:
        """All that is in the live stream."""
        async with opened(self.deployment.settings) as reader:
            return await reader.live("0-0", most=100_000)

    def answer(self, path: str) -> Any:
        """What the gateway answers now."""
        with urllib.request.urlopen(f"{self.address}{path}", timeout=10) as answered:
            return json.load(answered)


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    """A site of its own, from start to end."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(RealRedis())
        broker = stack.enter_context(EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics))
        port = free_port()
        changes = {
            "DECIBEL_WORKER_CONFLATION_MS": "0",  # every score is told, so that there is much to lose
            "DECIBEL_VIEW_URL": server.url,
            "DECIBEL_VIEW_HTTP_PORT": "0",
            "DECIBEL_GATEWAY_PORT": str(port),
            "DECIBEL_GATEWAY_HTTP_PORT": "0",
            "DECIBEL_GATEWAY_RATE_PER_S": "0",
        }
        deployment = Deployment(broker.bootstrap, embedded=True, changes=changes)
        commands = ((DECIBEL, "worker"), (DECIBEL, "view", "run"), (DECIBEL, "gateway", "run"))
        processes = [stack.enter_context(WorkerProcess(deployment, command)) for command in commands]
        for process in processes:
            await asyncio.to_thread(process.until_ready)
        yield Site(deployment, port, processes[-1])


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The Chromium of this machine, without a window."""
    path = require("chromium", "to show the pages as a reader sees them")
    async with async_playwright() as player:
        # As root, as in CI, Chromium starts without its sandbox only.
        browser = await player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page with a recorder; at the end nothing has gone wrong on it that nobody expected."""
    context = await browser.new_context(**{"viewport": DESKTOP, **options})
    try:
        page = await context.new_page()
        page.set_default_timeout(WAIT_MS)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.add_init_script(RECORDER)
        yield page
        assert errors == []
        assert await page.evaluate("window.refused") == []
    finally:
        await context.close()


async def shown_text(page: Page, selector: str, text: str) -> None:
    """Wait until an element says this."""
    await expect(page.locator(selector)).to_contain_text(text, timeout=WAIT_MS)


async def is_live(page: Page) -> None:
    """Wait until the page is connected."""
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=WAIT_MS)


def incident_path(incident_id: str) -> str:
    """The address of an incident's page."""
    return f"/incident/{urllib.parse.quote(incident_id, safe='')}"


def free_port() -> int:
    """A port that nobody listens at now: a gateway that is killed comes back at the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def row_of(incident: str) -> str:
    """The selector of an incident's row on the board."""
    return f'[data-incident="{incident}"]'
