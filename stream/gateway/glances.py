"""`/api/v1/index`, `/pulse` and `/recap/{month}`: how loud it all is, now, of late, and in a month."""

from __future__ import annotations

import re
import time
from typing import Final

from aiohttp import web

from schemas.times import from_epoch
from stream.gateway.answering import json_answer
from stream.gateway.bodies import (
    CategoryIndex,
    Incident,
    Index,
    IndexNow,
    IndexPoint,
    LoudIncident,
    Pulse,
    Recap,
)
from stream.gateway.context import of
from stream.gateway.parameters import Nothing, query
from stream.gateway.places import shown
from stream.gateway.problems import ProblemError
from stream.gateway.standings import events, incident, title_of
from stream.view.answers import INDEX_NOW
from stream.view.entries import MS_PER_S
from stream.view.listing import Query

OVERALL: Final = "overall"
MONTH: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


async def index(request: web.Request) -> web.StreamResponse:
    """Answer with the index of every category now, and its past."""
    query(request, Nothing)
    context = of(request)
    place, at = shown(context.hub.place), await context.reader.present()
    pasts = {each.category: each.points for each in await context.reader.index_past()}
    found = sorted(await context.reader.index(), key=lambda each: (each.category != OVERALL, each.category))
    categories = tuple(
        CategoryIndex(
            each.category,
            each.value,
            each.event,
            tuple(
                IndexPoint(from_epoch(point.at_ms / MS_PER_S), point.value, point.average, point.relative)
                for point in pasts.get(each.category, ())
            ),
        )
        for each in found
    )
    return await json_answer(request, Index(from_epoch(at), place, categories))


async def pulse(request: web.Request) -> web.StreamResponse:
    """Answer with how it is at a glance."""
    query(request, Nothing)
    context = of(request)
    place = shown(context.hub.place)
    board = await context.reader.page(Query(limit=1))
    loudest: Incident | None = None
    if board.standings:
        loudest = incident(board.standings[0], context.policy)
    now = next((each for each in await context.reader.index() if each.category == OVERALL), None)
    latest = await context.reader.latest()
    rate = context.hub.rates.at(time.monotonic())
    told = Pulse(
        from_epoch(board.at),
        place,
        context.settings.clock,
        await context.reader.incidents(),
        loudest,
        None if now is None else IndexNow(now.value, INDEX_NOW.decode(now.event).relative_at(board.at)),
        None if latest is None else from_epoch(latest),
        rate.per_hour,
        rate.counted_s,
    )
    return await json_answer(request, told)


async def recap(request: web.Request) -> web.StreamResponse:
    """Answer with what is kept of a month."""
    query(request, Nothing)
    context, month = of(request), request.match_info["month"]
    if not re.match(MONTH, month, re.ASCII) or len(month) != 7:
        raise ProblemError(400, f"month: {month[:50]!r} is none; write it as in 2021-12", "month")
    at = await context.reader.present()
    found = await context.reader.recap(month)
    loudest = tuple(
        LoudIncident(each.incident_id, title_of(each.incident_id, each.profile), each.noise)
        for each in found.loudest
    )
    return await json_answer(request, Recap(from_epoch(at), month, loudest, events(found.told)))
