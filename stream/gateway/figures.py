"""`/api/v1/figures`: people, companies and bodies, and the incidents they are a party to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from schemas.times import from_epoch
from stream.gateway.answering import json_answer
from stream.gateway.bodies import Figure, FigurePage, Figures, Part
from stream.gateway.context import Context, of
from stream.gateway.parameters import Nothing, query
from stream.gateway.problems import not_found
from stream.gateway.standings import title_of
from stream.view import answers

MOST_LISTED = 500


class FiguresQuery(Struct, frozen=True):
    """How many figures."""

    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many at most.")] = 100


async def figures(request: web.Request) -> web.StreamResponse:
    """Answer with the figures that are party to most incidents."""
    context, asked = of(request), query(request, FiguresQuery)
    at = await context.reader.present()
    found = await context.reader.figures(asked.limit)
    titles = await _titles(context, found)
    listed = tuple(Figure(figure.name, _parts(figure, titles)) for figure in found)
    return await json_answer(request, Figures(from_epoch(at), listed))


async def one_figure(request: web.Request) -> web.StreamResponse:
    """Answer with one figure, however its name is written."""
    query(request, Nothing)
    context, name = of(request), request.match_info["name"]
    at = await context.reader.present()
    figure = await context.reader.figure(name) if _can_be_written(name) else None
    if figure is None:
        raise not_found(f"no profile names a figure {name[:100]!r}")
    titles = await _titles(context, [figure])
    return await json_answer(request, FigurePage(from_epoch(at), figure.name, _parts(figure, titles)))


def _can_be_written(name: str) -> bool:
    """Say whether any profile could name it: joiners, marks of direction and line breaks are parts of names, too."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _titles(context: Context, found: Sequence[answers.Figure]) -> dict[str, str]:
    incidents = sorted({part.incident_id for figure in found for part in figure.parts})
    profiles = await context.reader.profiles(incidents)
    return {each: title_of(each, profiles.get(each)) for each in incidents}


def _parts(figure: answers.Figure, titles: dict[str, str]) -> tuple[Part, ...]:
    return tuple(
        Part(
            part.incident_id,
            titles[part.incident_id],
            part.noise,
            part.name,
            part.side,
            part.tier,
            part.position,
        )
        for part in figure.parts
    )
