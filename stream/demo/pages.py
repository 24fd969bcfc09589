"""The pages of the demo: the embedded view, its sink and the gateway, in one process beside the demo's own.

The view lives in one process, so whoever writes and whoever reads it share that one. It is not the demo's own: the
terminal's board and a browser's would slow each other down.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
from msgspec import Struct

from schemas.errors import DecibelError
from stream.demo.children import Child, await_all
from stream.gateway.run import serve
from stream.settings import Settings, load_settings
from stream.view.run import run_sink
from stream.view.topics import partitions_of

HOST: Final = "127.0.0.1"
PORT: Final = 8765
"""Where the pages are, unless somebody else is there."""
CATCH_UP_S: Final = 10.0
"""How long the view may take for what was scored last."""
_ANSWER_S: Final = 5.0
_LOOK_S: Final = 0.1
_SERVING: Final = re.compile(r"serving at (http://\S+?)/?$", re.MULTILINE)
_TITLE: Final = b"<title>Decibel"


def port_for(wanted: int) -> int:
    """Return `wanted` where nobody listens there, else one that is free now; 0 asks for any."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind((HOST, port))
            except OSError:
                continue
            number: int = taken.getsockname()[1]
            return number
    raise DecibelError(f"no port of {HOST} is free")


class _Pulse(Struct, frozen=True):
    incidents: int


class Pages:
    """The process that serves the pages at `address`, from entering to leaving."""

    def __init__(self, port: int, environ: Mapping[str, str]) -> None:
        self.address = f"http://{HOST}:{port}"
        self._environ = {
            **environ,
            "DECIBEL_GATEWAY_HOST": HOST,
            "DECIBEL_GATEWAY_PORT": str(port),
            # One reader's browser is all the clients there are.
            "DECIBEL_GATEWAY_RATE_PER_S": "0",
        }
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="decibel-demo-")
        log = Path(self._folder.name, "pages.log")
        self._child = Child("the process that serves the pages", "pages", log, self._environ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.end()
        self._folder.cleanup()

    def until_ready(self, given_up: Callable[[], bool]) -> bool:
        """Wait until they can be opened; False if it is `given_up` before. Raises ChildDiedError, DecibelError."""
        return await_all(self._serves, self.check, given_up, "the pages are not served")

    def check(self) -> None:
        """Raise ChildDiedError if the process has ended."""
        if self._child is not None:
            self._child.check()

    def shown(self, scored: int) -> int:
        """Open the board, wait until the view holds `scored` incidents, and return how many it does hold.

        Raises DecibelError where the board is none, ChildDiedError.
        """
        if _TITLE not in self._get("/"):
            raise DecibelError(f"{self.address}/ is not the board")
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            found = msgspec.json.decode(self._get("/api/v1/pulse"), type=_Pulse).incidents
            if found >= scored or time.monotonic() > deadline:
                return found
            self.check()
            time.sleep(_LOOK_S)

    def _serves(self) -> bool:
        return self._child is not None and self._child.said(_SERVING) is not None

    def _get(self, path: str) -> bytes:
        try:
            with urllib.request.urlopen(self.address + path, timeout=_ANSWER_S) as answer:  # noqa: S310  (our own)
                body: bytes = answer.read()
                return body
        except (urllib.error.URLError, OSError) as error:
            self.check()
            raise DecibelError(f"{self.address}{path} does not answer: {error}") from error


def main() -> None:
    """Be that process, by the settings in the environment, until it is killed or told to end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for name in ("aiokafka", "kafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    asyncio.run(_written_and_served(load_settings(None, os.environ)))


async def _written_and_served(settings: Settings) -> None:
    partitions, stop = partitions_of(settings), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as together:
        together.create_task(run_sink(settings, partitions, stop, listen=False))
        together.create_task(serve(settings, stop, listen=False))
