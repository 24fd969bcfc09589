"""`/api/v1/methodology`: the scoring rules as text and tables, from the policy that runs."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from scoring import policy_tables
from scoring.policy import Policy
from stream.cli.methodology import sections
from stream.gateway.answering import JSON, answer
from stream.gateway.bodies import Methodology, Section
from stream.gateway.context import of
from stream.gateway.parameters import Nothing, query

CACHE: Final = "max-age=60"
"""It changes when the gateway is started with another policy, and not otherwise."""


def told(policy: Policy) -> bytes:
    """Return the methodology of a policy as JSON."""
    told_sections = tuple(
        Section(each.title, each.words, each.columns, each.rows) for each in sections(policy)
    )
    return msgspec.json.encode(Methodology(told_sections, policy_tables.to_builtins(policy, str_keys=True)))


async def methodology(request: web.Request) -> web.StreamResponse:
    """Answer with the rules."""
    query(request, Nothing)
    return await answer(request, told(of(request).policy), JSON, cache=CACHE)
