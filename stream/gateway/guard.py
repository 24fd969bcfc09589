"""Who may read, and how often: bearer tokens, budgets of requests, and what a client is told apart by."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from typing import Final

from aiohttp import web
from aiohttp.hdrs import AUTHORIZATION, WWW_AUTHENTICATE, X_FORWARDED_FOR
from aiohttp.typedefs import Handler

from stream.gateway.problems import ProblemError, busy
from stream.gateway.rates import Buckets
from stream.settings import GatewaySettings

OPEN: Final = ("/healthz", "/openapi.json", "/assets/")
"""What is open without a token and without a budget: it tells nothing of incidents, and a page needs a dozen of it."""
CLIENT: Final = web.RequestKey("client", str)


class Guard:
    """Lets requests through, or ends them with 401 or 429. A token is compared by its hash in constant time."""

    def __init__(self, settings: GatewaySettings, pages: frozenset[str]) -> None:
        self._tokens = [_digest(token) for token in settings.token_list]
        self._forwarded = settings.forwarded
        self._buckets = Buckets(settings.rate_per_s, settings.burst)
        self._pages = pages

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer who has a token (where tokens are set) and a budget."""
        if request.path.startswith(OPEN):
            return await handler(request)
        route = request.match_info.route.resource
        open_page = route is not None and route.canonical in self._pages
        client = self._token(request, needed=bool(self._tokens) and not open_page) or self._address(request)
        request[CLIENT] = client
        wait_s = self._buckets.take(client, time.monotonic())
        if wait_s > 0.0:
            raise busy("too many requests from this client; ask more slowly", wait_s, 429)
        return await handler(request)

    def _token(self, request: web.Request, *, needed: bool) -> str | None:
        """The client that a token stands for, or None where none is given and none is needed."""
        if not self._tokens:
            return None
        kind, _, token = request.headers.get(AUTHORIZATION, "").partition(" ")
        given = _digest(token.strip())
        # All are compared: how long it takes tells nothing of how many there are before the right one.
        known = [hmac.compare_digest(given, each) for each in self._tokens]
        if kind.lower() == "bearer" and any(known):
            return f"token-{known.index(True)}"
        if needed:
            raise ProblemError(
                401,
                "this address wants `Authorization: Bearer` and a token of this deployment",
                headers={WWW_AUTHENTICATE: 'Bearer realm="decibel"'},
            )
        return None

    def _address(self, request: web.Request) -> str:
        """The client's address; of IPv6 the network that one subscriber has."""
        address = request.remote or ""
        if self._forwarded:
            # The proxy adds to what it was given, on the same line or on a new one: the last is its own.
            address = request.headers.getall(X_FORWARDED_FOR, [address])[-1].rpartition(",")[2].strip()
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return address[:64]
        if parsed.version == 6:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed)


def client_of(request: web.Request) -> str:
    """Return what tells the client of a request apart from others; the guard has noted it."""
    return request[CLIENT]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
