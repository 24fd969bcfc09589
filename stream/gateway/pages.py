"""The pages and what they are made of: every file below `stream/pages/`, read once at start.

Only what was found then is served, so that no address leads out of the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from stream.gateway.answering import REVALIDATE, answer
from stream.gateway.parameters import Nothing, query
from stream.gateway.problems import not_found

FOLDER: Final = Path(__file__).parents[1] / "pages"
ASSETS: Final = "assets"

PAGES: Final[Mapping[str, str]] = {
    "/": "board.html",
    "/incident/{incident_id}": "incident.html",
    "/figure/{name}": "figure.html",
    "/methodology": "methodology.html",
    "/operations": "operations.html",
}
"""Each page's address, and the file that is the same for every incident or figure: it asks for what it shows."""

TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
"""By the end of a file's name; other files are not served. The machine's own list may be anything."""


def matching(address: str) -> str:
    """Return an address whose parts match whatever an id or name may hold: aiohttp's own leave braces out.

    >>> matching("/incident/{incident_id}")
    '/incident/{incident_id:[^/]+}'
    """
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", address)


class Pages:
    """The files of a folder, in memory: a few hundred kilobytes."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            kind = TYPES.get(path.suffix)
            if kind is not None and path.is_file():
                self._files[path.relative_to(folder).as_posix()] = (path.read_bytes(), kind)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve each page at its address, and the assets."""
        for address, name in PAGES.items():
            router.add_get(matching(address), self._page(name))
        router.add_get(f"/{ASSETS}/{{path:.+}}", self._asset)

    def _page(self, name: str) -> Handler:
        async def page(request: web.Request) -> web.StreamResponse:
            return await self._file(request, name)

        return page

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        query(request, Nothing)
        return await self._file(request, f"{ASSETS}/{request.match_info['path']}")

    async def _file(self, request: web.Request, name: str) -> web.StreamResponse:
        found = self._files.get(name)
        if found is None:
            raise not_found("nothing is at this address")
        return await answer(request, *found, cache=REVALIDATE)
