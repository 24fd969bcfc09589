"""`/api/v1/changes`: what changed last, over all incidents, from the live stream."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from schemas.times import from_epoch
from schemas.topics import INCIDENT_MERGES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from stream.gateway.answering import json_answer
from stream.gateway.bodies import Changes, Event
from stream.gateway.context import of
from stream.gateway.parameters import query
from stream.gateway.places import shown
from stream.view.reader import ViewReader

TOPICS: Final = frozenset({INCIDENT_MERGES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES})
MOST_LISTED: Final = 200
READ_AT_ONCE: Final = 500
MOST_READ: Final = 4000
"""Entries looked through: most are scores, a change comes with every tenth; eight megabytes at most."""


class ChangesQuery(Struct, frozen=True):
    """How many changes."""

    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many at most.")] = 50


async def changes(request: web.Request) -> web.StreamResponse:
    """Answer with the latest changes."""
    context, asked = of(request), query(request, ChangesQuery)
    place = shown(context.hub.place)
    at = await context.reader.present()
    found = await latest(context.reader, asked.limit)
    return await json_answer(request, Changes(from_epoch(at), place, found))


async def latest(reader: ViewReader, limit: int) -> tuple[Event, ...]:
    """Return the latest changes in the live stream, the latest first."""
    found: list[Event] = []
    last = "+"
    for _ in range(0, MOST_READ, READ_AT_ONCE):
        entries = await reader.live_before(last, most=READ_AT_ONCE)
        found += [Event(each.topic, each.id, each.event) for each in entries if each.topic in TOPICS]
        if len(entries) < READ_AT_ONCE or len(found) >= limit:
            break
        last = f"({entries[-1].place}"
    return tuple(found[:limit])
