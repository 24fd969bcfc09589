"""`/api/v1/operations`: how the deployment does, as far as the gateway can know; `/healthz`."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from schemas.times import from_epoch
from stream.gateway.answering import json_answer
from stream.gateway.bodies import Clients, GatewayState, Operations, ViewState
from stream.gateway.context import Context, of
from stream.gateway.parameters import Nothing, query


async def operations(request: web.Request) -> web.StreamResponse:
    """Answer with what view, gateway and Kafka say of themselves."""
    query(request, Nothing)
    context = of(request)
    at, rate = await context.reader.present(), context.hub.rates.at(time.monotonic())
    told = Operations(
        from_epoch(at),
        await _view(context),
        _gateway(context),
        await context.kafka.state(),
        rate.per_hour,
        rate.counted_s,
    )
    return await json_answer(request, told)


async def healthz(request: web.Request) -> web.StreamResponse:
    """Answer that the gateway runs; whether it reads the view is told by /readyz at its metrics' port."""
    query(request, Nothing)
    return web.Response(text="ok\n", headers={"Cache-Control": "no-store"})


async def _view(context: Context) -> ViewState:
    reader = context.reader
    edges = await reader.live_edges()
    first, last = (None, None) if edges is None else edges
    return ViewState(
        await reader.generation(), await reader.incidents(), await reader.live_entries(), first, last
    )


def _gateway(context: Context) -> GatewayState:
    listening, metrics, lag_s = context.hub.listening(), context.metrics, context.hub.lag_s
    return GatewayState(
        running_version(),
        from_epoch(context.started_at),
        Clients(sum(listening.values()) - listening["websocket"], listening["websocket"]),
        metrics.dropped,
        metrics.delivered,
        None if lag_s is None else round(lag_s, 4),
    )


def running_version() -> str:
    """Return the version of Decibel that runs."""
    try:
        return version("decibel")
    except PackageNotFoundError:
        return "0"
