"""Running a sink, and rebuilding a view: everything composed in one place, to be read from top to bottom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from schemas.errors import BrokerError, SettingsError
from scoring.policy import load_policy
from stream.http import HttpServer
from stream.settings import Settings
from stream.view.connection import Client, connect, view_errors
from stream.view.entries import Reading
from stream.view.metrics import ViewMetrics
from stream.view.rebuild import GRACE_S, Rebuilt, clean, rebuild
from stream.view.sink import Sink
from stream.view.topics import Partitions, reading
from stream.view.writer import ViewWriter

log = logging.getLogger(__name__)


def require_shared(settings: Settings) -> None:
    """Raise SettingsError where the view would be seen by this process alone."""
    if settings.view.embedded:
        raise SettingsError(
            "view.url: embedded:// lives in one process, which nobody else can look into; name a Redis, "
            "as in redis://127.0.0.1:6379"
        )


async def run_sink(
    settings: Settings, partitions: Partitions, stop: asyncio.Event, *, listen: bool = True
) -> None:
    """Run one sink until `stop` is set; with `listen`, its metrics are served (`view.http_port`).

    Raises PolicyError, ViewError where Redis is not there at the start, BrokerError, StateError.
    """
    entries, metrics = reading_of(settings), ViewMetrics()
    async with _clients(settings) as client, reading(settings, partitions) as consumer:
        writer = ViewWriter(client, settings.view)
        sink = Sink(settings, consumer, partitions, writer, entries, metrics)
        http = HttpServer(settings.view.http_host, settings.view.http_port, metrics, sink.stuck_s)
        try:
            if listen:
                await _listen(http, settings)
            await sink.run(stop)
        finally:
            await http.stop()


async def run_rebuild(settings: Settings, partitions: Partitions) -> Rebuilt:
    """Make the view anew, switch to it, and remove the old one. Raises as `run_sink`."""
    entries = reading_of(settings)
    async with _clients(settings) as client, reading(settings, partitions) as consumer:
        rebuilt = await rebuild(settings, client, consumer, partitions, entries)
        log.info(
            "generation %d is the view; the one before it is removed in %g s", rebuilt.generation, GRACE_S
        )
        await asyncio.sleep(GRACE_S)  # for answers that have begun from the old one
        removed = await clean(client, ViewWriter(client, settings.view))
        log.info("%d keys of old generations removed", removed)
        return rebuilt


def reading_of(settings: Settings) -> Reading:
    """Return how records are read under these settings and their policy. Raises PolicyError."""
    policy = load_policy(settings.policy or None)
    return Reading(policy.curve.half_life_s, settings.view.history_step_s, policy.limits.record_bytes)


async def _listen(http: HttpServer, settings: Settings) -> None:
    try:
        await http.start()
    except OSError as error:
        port = settings.view.http_port
        raise SettingsError(f"view.http_port: {port} cannot be listened on: {error.strerror}") from error


@asynccontextmanager
async def _clients(settings: Settings) -> AsyncIterator[Client]:
    """Give a client that has been answered once: what is wrong with the settings shows now and not in a log."""
    with view_errors(settings, "the view cannot be written"):
        client = connect(settings)
        try:
            await client.ping()
            yield client
        except KafkaError as error:
            raise BrokerError(f"the view cannot be read: {error}; check that Kafka runs") from error
        finally:
            await client.aclose()
