"""HTTP of a worker or a sink: `/metrics` for Prometheus, `/healthz` (restart it if not), `/readyz` (it works)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from aiohttp import web
from mode import Service
from prometheus_client import CollectorRegistry, exposition

log = logging.getLogger(__name__)

MOST_STUCK_S: Final = 900.0
"""A worker that has not scored for so long is to be restarted: its place in the group may be lost without an error.
Recovery of large tables takes minutes, not this long."""


class Measured(Protocol):
    """What has metrics: a worker, or the view's sink."""

    @property
    def registry(self) -> CollectorRegistry:
        """All its metrics."""


class HttpServer(Service):
    """Serves three pages on a port of its own; port 0 takes a free one and logs which."""

    def __init__(
        self, host: str, port: int, metrics: Measured, stuck_s: Callable[[], float], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._host, self._port = host, port
        self._metrics, self._stuck_s = metrics, stuck_s
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Begin to listen; an address in use ends the worker with an error that says so."""
        site_app = web.Application()
        site_app.router.add_get("/metrics", self._show_metrics)
        site_app.router.add_get("/healthz", self._show_health)
        site_app.router.add_get("/readyz", self._show_readiness)
        self._runner = web.AppRunner(site_app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        for host, port, *_ in self._runner.addresses:
            log.info("metrics at http://%s:%d/metrics", host, port)

    async def on_stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show_metrics(self, request: web.Request) -> web.Response:
        encoder, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encoder(self._metrics.registry), headers={"Content-Type": content_type})

    async def _show_health(self, request: web.Request) -> web.Response:
        stuck_s = self._stuck_s()
        if stuck_s > MOST_STUCK_S:
            return web.Response(text=f"has not scored for {stuck_s:.0f} s\n", status=503)
        return web.Response(text="ok\n")

    async def _show_readiness(self, request: web.Request) -> web.Response:
        if self._stuck_s() > 0.0:
            return web.Response(text="not ready\n", status=503)
        return web.Response(text="ready\n")
