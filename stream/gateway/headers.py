"""Headers of every answer: what a browser may do with it, and which other origins' pages may read it."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from stream.settings import GatewaySettings

_NOWHERE: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    f"manifest-src 'self'; {_NOWHERE}"
)
"""Of pages: nothing but what this gateway serves, nothing inline. What strangers wrote can do nothing, even if it is
on a page by mistake."""
EMBEDDED_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Of a badge: a picture on others' pages; opened by itself it may run nothing."""

SECURITY: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), "
    "payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Strict-Transport-Security is left to the proxy that speaks TLS."""

ALLOWED_METHODS: Final = "GET, HEAD, OPTIONS"
ALLOWED_HEADERS: Final = "Authorization, If-None-Match, Last-Event-ID"
EXPOSED_HEADERS: Final = "ETag, Retry-After"
PREFLIGHT_S: Final = 600
"""How long a browser may remember that it may ask; the longest that all of them accept."""


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers that an answer does not say itself; on its way out, so that live ones have them too."""
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)


class CrossOrigin:
    """Lets pages of the listed origins read answers."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._origins = settings.origins

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say, to whom that is allowed, that the page may read the answer."""
        if not self._origins:
            return
        if "*" not in self._origins:
            response.headers.add("Vary", "Origin")
        origin = self._allowed(request)
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"

    @web.middleware
    async def preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer what browsers ask before they ask."""
        asked = request.headers.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or asked is None or self._allowed(request) is None:
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": ALLOWED_METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_S),
            },
        )

    def _allowed(self, request: web.Request) -> str | None:
        origin = request.headers.get("Origin")
        if origin is None:
            return None
        if "*" in self._origins:
            return "*"
        return origin if origin in self._origins else None
