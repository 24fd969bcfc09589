"""The OpenAPI 3.1 document of the gateway, built from the structs that it decodes and encodes with, so it is true."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import Struct

from schemas.topics import EVENT_OF
from stream.gateway import bodies
from stream.gateway.answering import JSON
from stream.gateway.changes import ChangesQuery
from stream.gateway.feed import FeedQuery
from stream.gateway.figures import FiguresQuery
from stream.gateway.glances import MONTH
from stream.gateway.incidents import LONGEST_ID, NDJSON, IncidentsQuery
from stream.gateway.live import LiveQuery
from stream.gateway.parameters import Nothing
from stream.gateway.problems import CONTENT_TYPE as PROBLEM_JSON
from stream.gateway.problems import TITLES, Problem
from stream.view.entries import TOPICS

Json = dict[str, Any]

VERSION: Final = "1.0.0"
"""Of the contract: a new field raises the second number."""
REF: Final = "#/components/schemas/{name}"
ABOUT: Final = (
    "How loud each incident is, where it is heading, which state it is in and when it peaked, from Decibel's view. "
    "Noise is evaluated at the moment of each answer (`at`). Fields are only ever added: ignore those you do not know. "
    "Where the deployment has tokens, send one as `Authorization: Bearer`."
)


class Route(Struct, frozen=True):
    """One address: what it takes, and what its answer is; a struct, or a text of another type."""

    path: str
    name: str
    summary: str
    takes: type[Struct]
    gives: type[Struct] | str
    also: tuple[int, ...] = ()


ROUTES: Final = (
    Route(
        "/api/v1/incidents",
        "listIncidents",
        "The board: incidents by noise, coverage or trend.",
        IncidentsQuery,
        bodies.Incidents,
    ),
    Route(
        "/api/v1/incidents/{incident_id}",
        "getIncident",
        "All that is known of one incident; a merged one sends to the other.",
        Nothing,
        bodies.IncidentPage,
        (308, 404),
    ),
    Route(
        "/api/v1/incidents/{incident_id}/history",
        "getHistory",
        "Noise and polarity of an incident over time.",
        Nothing,
        bodies.History,
        (404,),
    ),
    Route(
        "/api/v1/incidents/{incident_id}/explain",
        "explainIncident",
        "Why an incident is as loud as it is.",
        Nothing,
        bodies.Explanation,
        (404,),
    ),
    Route(
        "/api/v1/changes",
        "listChanges",
        "What changed last, over all incidents.",
        ChangesQuery,
        bodies.Changes,
    ),
    Route(
        "/api/v1/figures",
        "listFigures",
        "Figures that are party to most incidents.",
        FiguresQuery,
        bodies.Figures,
    ),
    Route(
        "/api/v1/figures/{name}",
        "getFigure",
        "One figure, however its name is written.",
        Nothing,
        bodies.FigurePage,
        (404,),
    ),
    Route("/api/v1/index", "getIndex", "The index, overall and by category.", Nothing, bodies.Index),
    Route("/api/v1/pulse", "getPulse", "How it is at a glance.", Nothing, bodies.Pulse),
    Route("/api/v1/recap/{month}", "getRecap", "What a month was like.", Nothing, bodies.Recap),
    Route(
        "/api/v1/methodology",
        "getMethodology",
        "The rules with the policy's numbers.",
        Nothing,
        bodies.Methodology,
    ),
    Route("/api/v1/operations", "getOperations", "How the deployment does.", Nothing, bodies.Operations),
    Route("/api/v1/export", "export", "All incidents on the board, one a line.", Nothing, NDJSON),
    Route("/feed.atom", "getFeed", "The latest state changes.", FeedQuery, "application/atom+xml"),
    Route(
        "/badge/{incident_id}.svg",
        "getBadge",
        "An incident's noise as a small picture.",
        Nothing,
        "image/svg+xml",
        (404,),
    ),
    Route("/live", "listen", "Every event as it comes (Server-Sent Events).", LiveQuery, "text/event-stream"),
    Route(
        "/live/ws",
        "listenByWebSocket",
        "Every event as it comes, each a text frame with `id`, `topic` and `event`.",
        LiveQuery,
        "websocket",
    ),
    Route("/healthz", "getHealth", "Whether the gateway runs.", Nothing, "text/plain"),
    Route("/openapi.json", "getDocument", "This document.", Nothing, JSON),
)

_PARTS: Final[dict[str, Json]] = {
    "incident_id": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
    "name": {"type": "string", "minLength": 1, "maxLength": 128},
    "month": {"type": "string", "pattern": MONTH},
}
_REVALIDATED: Final = "The answer that If-None-Match names still holds."
_MOVED: Final = "It was merged: Location is the incident that counts its items."


def document() -> Json:
    """Return the document: every address, what it takes and every answer there is."""
    described = [route.gives for route in ROUTES if isinstance(route.gives, type)]
    _, components = msgspec.json.schema_components(
        [*described, Problem, *(EVENT_OF[topic] for topic in TOPICS)], ref_template=REF
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Decibel gateway",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {route.path: {"get": _operation(route)} for route in ROUTES},
        "components": {
            "schemas": {name: _tidy(component) for name, component in components.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Without tokens in its settings a gateway is open to all.
        "security": [{}, {"token": []}],
    }


def _operation(route: Route) -> Json:
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_path_parameters(route.path), *query_parameters(route.takes)],
        "responses": {str(status): answer for status, answer in _responses(route)},
    }


def _path_parameters(path: str) -> Iterable[Json]:
    for name, schema in _PARTS.items():
        if f"{{{name}}}" in path:
            yield {"name": name, "in": "path", "required": True, "schema": schema}


def query_parameters(kind: type[Struct]) -> list[Json]:
    """Return the parameters that a struct of a query stands for; none is required."""
    names = list(get_type_hints(kind))
    schema, components = msgspec.json.schema_components([kind], ref_template=REF)
    properties = components[kind.__name__]["properties"]
    assert schema
    parameters = []
    for name in names:
        inner = dict(_inlined(properties[name], components))
        inner.pop("default", None)
        text = inner.pop("description", "")
        parameter: Json = {"name": name, "in": "query", "required": False, "schema": _without_null(inner)}
        parameters.append(parameter | ({"description": text} if text else {}))
    return parameters


def _inlined(schema: Any, components: Json) -> Any:
    """A schema without references: those of parameters are short lists of words."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            found = components[schema["$ref"].rpartition("/")[2]]
            return {key: value for key, value in found.items() if key not in {"title", "description"}}
        return {key: _inlined(value, components) for key, value in schema.items()}
    return [_inlined(each, components) for each in schema] if isinstance(schema, list) else schema


def _without_null(schema: Json) -> Json:
    """A query has no null: a parameter is given or not."""
    if "anyOf" not in schema:
        return schema
    rest = [each for each in schema["anyOf"] if each.get("type") != "null"]
    inner: Json = dict(rest[0])
    inner.pop("description", None)
    return inner


def _responses(route: Route) -> Iterable[tuple[int, Json]]:
    yield (200, _success(route)) if route.gives != "websocket" else (101, {"description": "Speaking it."})
    revalidated = route.gives not in {"text/event-stream", "websocket", NDJSON, "text/plain"}
    if revalidated:
        yield 304, {"description": _REVALIDATED}
    if 308 in route.also:
        yield 308, {"description": _MOVED, "headers": {"Location": {"schema": {"type": "string"}}}}
    for status in (400, 401, 404, 429, 503):
        if status != 404 or 404 in route.also:
            yield status, _problem(status)


def _success(route: Route) -> Json:
    if isinstance(route.gives, type):
        content = {JSON: {"schema": {"$ref": REF.format(name=route.gives.__name__)}}}
        about = inspect.cleandoc(route.gives.__doc__ or "").partition("\n\n")[0]
        return {"description": " ".join(about.split()), "content": content}
    schema: Json = {"type": "object"} if route.gives == JSON else {"type": "string"}
    return {"description": route.summary, "content": {route.gives: {"schema": schema}}}


def _problem(status: int) -> Json:
    answer: Json = {
        "description": TITLES[status],
        "content": {PROBLEM_JSON: {"schema": {"$ref": REF.format(name="Problem")}}},
    }
    if status in {429, 503}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "In seconds."}}
    return answer


def _tidy(component: Json) -> Json:
    """Free a description that msgspec takes from a docstring of its indentation in the source."""
    if "description" in component:
        component["description"] = inspect.cleandoc(component["description"])
    return component


DOCUMENT: Final = msgspec.json.format(msgspec.json.encode(document()), indent=1)
"""The document as it is served."""
