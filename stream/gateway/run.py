"""Running the gateway: everything composed in one place, to be read from top to bottom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from schemas.errors import SettingsError
from scoring.policy import load_policy
from stream.gateway.app import application
from stream.gateway.context import Context, whole_seconds
from stream.gateway.hub import Hub
from stream.gateway.kafka_state import KafkaWatch
from stream.gateway.metrics import GatewayMetrics
from stream.http import HttpServer
from stream.settings import Settings
from stream.view.reader import opened

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 75.0
"""How long an idle connection is kept for the next request; longer than the proxies' 60 s, so that they end it."""
MOST_LINE: Final = 256 * 1024
"""Longest address, in bytes: fifty ids of 256 characters, each of which may take twelve (`%F0%9F%98%80`), fit."""


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    bound: Callable[[str, int], None] | None = None,
    with_kafka: bool = True,
    listen: bool = True,
) -> None:
    """Serve readers until `stop` is set; `bound` is told the address as soon as it is listened at.

    With `listen`, metrics are served too (`gateway.http_port`). Without `with_kafka` Kafka is not asked for its lag.
    In one event loop with a sink it serves an embedded view. Raises SettingsError, PolicyError, ViewError.
    """
    policy, metrics = load_policy(settings.policy or None), GatewayMetrics()
    async with opened(settings, whole_seconds) as reader:
        hub = Hub(reader, settings.gateway, metrics)
        await hub.start()
        kafka = KafkaWatch(settings if with_kafka else None)
        context = Context(settings, policy, reader, hub, metrics, kafka)
        http = HttpServer(settings.gateway.http_host, settings.gateway.http_port, metrics, hub.stuck_s)
        runner = web.AppRunner(
            application(context),
            access_log=None,
            logger=_quiet_logger(),
            handler_cancellation=True,  # a reader who leaves ends what is done for it
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=settings.gateway.drain_timeout_s,
            max_line_size=MOST_LINE,
        )
        following = asyncio.create_task(hub.run(stop))
        try:
            if listen:
                await _listening("gateway.http_port", settings.gateway.http_port, http.start())
            await runner.setup()
            site = web.TCPSite(runner, settings.gateway.host, settings.gateway.port, backlog=1024)
            await _listening("gateway.port", settings.gateway.port, site.start())
            host, port, *_ = runner.addresses[0]
            log.info("serving at http://%s:%d/", host, port)
            if bound is not None:
                bound(host, port)
            await _until(stop, following)
        finally:
            hub.close()
            await runner.cleanup()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await http.stop()


def _quiet_logger() -> logging.Logger:
    """The log of aiohttp without a traceback for each request that is no HTTP: rubbish must not fill disks."""
    logger = logging.getLogger("stream.gateway.http")

    def is_ours(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)

    if not logger.filters:
        logger.addFilter(is_ours)
    return logger


async def _listening(key: str, port: int, starting: object) -> None:
    try:
        await starting  # type: ignore[misc]
    except OSError as error:
        raise SettingsError(f"{key}: {port} cannot be listened on: {error.strerror}") from error


async def _until(stop: asyncio.Event, following: asyncio.Task[None]) -> None:
    """Wait for `stop`; where the hub ends by itself, with its error."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopping, following}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
    finally:
        stopping.cancel()
