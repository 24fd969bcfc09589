"""The gateway's web application: which address is answered by what, and what every request goes through."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from stream.gateway import changes, figures, glances, incidents, methodology, operations
from stream.gateway.answering import JSON, answer
from stream.gateway.badge import badge
from stream.gateway.context import CONTEXT, Context, of
from stream.gateway.feed import feed
from stream.gateway.guard import Guard, client_of
from stream.gateway.headers import CrossOrigin, secure
from stream.gateway.live import Visitors, sse_route, websocket_route
from stream.gateway.openapi import DOCUMENT
from stream.gateway.pages import PAGES, Pages, matching
from stream.gateway.parameters import Nothing, query
from stream.gateway.problems import problems

API: Final = "/api/v1"
UNTIMED: Final = frozenset({"/live", "/live/ws", f"{API}/export"})
"""Answers that last as long as their reader wants."""

ROUTES: Final[Mapping[str, Handler]] = {
    f"{API}/incidents": incidents.incidents,
    f"{API}/incidents/{{incident_id}}": incidents.one_incident,
    f"{API}/incidents/{{incident_id}}/history": incidents.history,
    f"{API}/incidents/{{incident_id}}/explain": incidents.explain,
    f"{API}/changes": changes.changes,
    f"{API}/figures": figures.figures,
    f"{API}/figures/{{name}}": figures.one_figure,
    f"{API}/index": glances.index,
    f"{API}/pulse": glances.pulse,
    f"{API}/recap/{{month}}": glances.recap,
    f"{API}/methodology": methodology.methodology,
    f"{API}/operations": operations.operations,
    f"{API}/export": incidents.export,
    "/feed.atom": feed,
    "/badge/{incident_id}.svg": badge,
    "/healthz": operations.healthz,
}


def application(context: Context) -> web.Application:
    """Return the application that answers from `context`."""
    settings = context.settings.gateway
    guard, cross = Guard(settings, frozenset(PAGES)), CrossOrigin(settings)
    app = web.Application(middlewares=[measured, problems, cross.preflight, guard.check])
    app[CONTEXT] = context
    app.on_response_prepare.append(secure)
    app.on_response_prepare.append(cross.mark)
    for address, handler in ROUTES.items():
        app.router.add_get(matching(address), handler)
    visitors = Visitors(settings.clients_most, settings.clients_each_most)

    async def live(request: web.Request) -> web.StreamResponse:
        return await sse_route(request, visitors, client_of(request))

    async def live_socket(request: web.Request) -> web.StreamResponse:
        return await websocket_route(request, visitors, client_of(request))

    app.router.add_get("/live", live)
    app.router.add_get("/live/ws", live_socket, allow_head=False)
    app.router.add_get("/openapi.json", _openapi)
    Pages().add_routes(app.router)
    return app


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count each request by its route and status, and how long it took."""
    started, resource = time.perf_counter(), request.match_info.route.resource
    route = "other" if resource is None else resource.canonical
    response = await handler(request)
    seconds = None if route in UNTIMED else time.perf_counter() - started
    of(request).metrics.answered(route, response.status, seconds)
    return response


async def _openapi(request: web.Request) -> web.StreamResponse:
    query(request, Nothing)
    return await answer(request, DOCUMENT, JSON, cache="max-age=300")
