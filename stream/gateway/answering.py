"""Answers of bytes: with an ETag, as 304 where the reader has them already, and compressed where that is taken."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.hdrs import (
    ACCEPT_ENCODING,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    ETAG,
    VARY,
)

JSON: Final = "application/json"
REVALIDATE: Final = "no-cache"
"""Keep it, and ask each time whether it still holds: noise falls by the second."""
WORTH_COMPRESSING: Final = 1024
"""Below so many bytes compressing saves no packet."""
IN_A_THREAD: Final = 128 * 1024
"""From so many bytes on compressing would hold up live events for milliseconds."""
LEVEL: Final = 5


async def json_answer(request: web.Request, value: Any, *, cache: str = REVALIDATE) -> web.StreamResponse:
    """Return a struct as JSON."""
    return await answer(request, msgspec.json.encode(value), JSON, cache=cache)


async def answer(
    request: web.Request, body: bytes, content_type: str, *, cache: str = REVALIDATE
) -> web.StreamResponse:
    """Return `body`, or that it has not changed.

    The ETag is a weak one: the same answer is sent compressed or not.
    """
    tag = hashlib.blake2b(body, digest_size=16).hexdigest()
    headers = {CACHE_CONTROL: cache, ETAG: f'W/"{tag}"', VARY: ACCEPT_ENCODING}
    if any(known.value in {tag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers[CONTENT_TYPE] = content_type
    if len(body) >= WORTH_COMPRESSING and takes_gzip(request):
        headers[CONTENT_ENCODING] = "gzip"
        if len(body) >= IN_A_THREAD:
            body = await asyncio.to_thread(_compressed, body)
        else:
            body = _compressed(body)
    return web.Response(body=body, headers=headers)


def takes_gzip(request: web.Request) -> bool:
    """Whether a reader takes gzip.

    It does not where it says `gzip;q=0`; `*` alone is not taken as a wish for it.
    """
    for part in request.headers.get(ACCEPT_ENCODING, "").split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip().lower() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)
