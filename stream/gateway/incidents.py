"""`/api/v1/incidents`: the board, one incident with all that is known of it, and all of them as lines."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from aiohttp import web
from msgspec import Meta, Struct, structs

from schemas.times import from_epoch
from stream.gateway.answering import json_answer
from stream.gateway.bodies import (
    Explanation,
    History,
    HistoryPoint,
    IncidentPage,
    Incidents,
)
from stream.gateway.context import Context, of
from stream.gateway.explaining import explanation
from stream.gateway.parameters import MOST_NAMED, Categories, Noise, Nothing, Platform, States, query
from stream.gateway.places import shown
from stream.gateway.problems import not_found
from stream.gateway.sparks import MOST_SAMPLES, cells, samples
from stream.gateway.standings import events, incident, merged_into
from stream.view.answers import Found, decode_cursor
from stream.view.listing import Order, Query

CHANGES_SHOWN: Final = 200
MOST_LISTED: Final = 200
"""Incidents of one page: half a megabyte."""
EXPORTED_AT_ONCE: Final = 200
NDJSON: Final = "application/x-ndjson"
LONGEST_ID: Final = 256


class IncidentsQuery(Struct, frozen=True):
    """Which incidents, in which order."""

    state: States = ()
    category: Categories = ()
    platform: Annotated[
        tuple[Platform, ...], Meta(max_length=MOST_NAMED, description="Covered on any of these platforms.")
    ] = ()
    min_noise: Noise = 0.0
    sort: Annotated[
        Order, Meta(description="By noise; by the latest coverage; by trend, the loudest rise first.")
    ] = "noise"
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many at most.")] = 50
    spark: Annotated[
        int, Meta(ge=0, le=MOST_SAMPLES, description="How many samples of the noise over the last 48 h.")
    ] = 0
    cursor: (
        Annotated[str, Meta(max_length=2048, description="What the page before gave, to go on after it.")]
        | None
    ) = None


async def incidents(request: web.Request) -> web.StreamResponse:
    """Answer with a page of incidents."""
    context, asked = of(request), query(request, IncidentsQuery)
    place = shown(context.hub.place)
    board = await context.reader.page(
        Query(
            asked.category,
            asked.state,
            asked.platform,
            asked.min_noise,
            asked.sort,
            asked.limit,
            decode_cursor(asked.cursor) if asked.cursor is not None else None,
        )
    )
    listed = tuple(incident(standing, context.policy) for standing in board.standings)
    if asked.spark:
        pasts = await context.reader.histories(
            [each.incident_id for each in listed], cells(context.settings.view.history_step_s)
        )
        listed = tuple(
            structs.replace(each, spark=samples(pasts.get(each.incident_id, ()), board.at, asked.spark))
            for each in listed
        )
    return await json_answer(request, Incidents(from_epoch(board.at), place, listed, board.cursor))


async def one_incident(request: web.Request) -> web.StreamResponse:
    """Answer with an incident, its changes and its explanation; send who asks for a merged one to where it went."""
    query(request, Nothing)
    context, incident_id = of(request), id_of(request)
    place = shown(context.hub.place)
    found = await _found(context, incident_id)
    into = merged_into(found.standing.score)
    if into is not None and into != incident_id:
        return moved_to(f"/api/v1/incidents/{quoted(into)}")
    shown_now = incident(found.standing, context.policy)
    changes = await context.reader.changes(incident_id, CHANGES_SHOWN)
    page = IncidentPage(
        from_epoch(found.at),
        place,
        shown_now.incident_id,
        shown_now.title,
        shown_now.noise,
        shown_now.level,
        shown_now.verdict,
        found.rank,
        shown_now.score,
        shown_now.profile,
        events(changes),
        explanation(found.standing, context.policy, found.at),
    )
    return await json_answer(request, page)


async def history(request: web.Request) -> web.StreamResponse:
    """Answer with an incident's noise and polarity over time."""
    query(request, Nothing)
    context, incident_id = of(request), id_of(request)
    found = await _found(context, incident_id)
    points = tuple(
        HistoryPoint(
            from_epoch(point.at),
            point.noise,
            point.polarity,
            point.composite,
            from_epoch(point.anchor),
            point.half_life,
        )
        for point in await context.reader.history(incident_id)
    )
    return await json_answer(request, History(from_epoch(found.at), incident_id, points))


async def explain(request: web.Request) -> web.StreamResponse:
    """Answer with why an incident is as loud as it is."""
    query(request, Nothing)
    context = of(request)
    found = await _found(context, id_of(request))
    told: Explanation = explanation(found.standing, context.policy, found.at)
    return await json_answer(request, told)


async def export(request: web.Request) -> web.StreamResponse:
    """Answer with all incidents on the board, one a line, the loudest first; read page by page as they are sent."""
    query(request, Nothing)
    context = of(request)
    page = await context.reader.page(Query(limit=EXPORTED_AT_ONCE))  # before it begins: the view may be away
    response = web.StreamResponse(headers={"Content-Type": NDJSON, "Cache-Control": "no-store"})
    response.enable_compression()
    await response.prepare(request)
    encoder = msgspec.json.Encoder()
    while True:
        lines = [encoder.encode(incident(each, context.policy)) for each in page.standings]
        if lines:
            await response.write(b"\n".join([*lines, b""]))
        if page.cursor is None:
            await response.write_eof()
            return response
        page = await context.reader.page(Query(limit=EXPORTED_AT_ONCE, cursor=decode_cursor(page.cursor)))


def id_of(request: web.Request) -> str:
    """Return the incident that an address names; ProblemError where no incident can have such an id."""
    incident_id = request.match_info["incident_id"]
    try:
        incident_id.encode()
    except UnicodeEncodeError:
        raise not_found("no incident has such an id") from None
    if len(incident_id) > LONGEST_ID:
        raise not_found(f"no incident has an id longer than {LONGEST_ID} characters")
    return incident_id


def quoted(incident_id: str) -> str:
    """Return an id as one part of an address, whatever it holds.

    >>> quoted("a/b c?#%")
    'a%2Fb%20c%3F%23%25'
    """
    return quote(incident_id, safe="")


def moved_to(path: str) -> web.Response:
    """Return that what is asked for is at another address of this gateway now, for good."""
    return web.Response(status=308, headers={"Location": path, "Cache-Control": "no-cache"})


async def _found(context: Context, incident_id: str) -> Found:
    found = await context.reader.incident(incident_id)
    if found is None:
        raise not_found(f"the view holds no incident {incident_id[:100]!r}")
    return found
