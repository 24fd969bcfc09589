"""`decibel gateway`: serve readers from the view."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import Final

import click

from stream.cli.context import Invocation, pass_invocation
from stream.gateway.run import serve
from stream.view.run import require_shared

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.group()
def gateway() -> None:
    """Serve REST, live events and pages from the view (run).

    Where it listens, and who may read, is in the [gateway] section of the settings.
    """


@gateway.command()
@pass_invocation
def run(invocation: Invocation) -> None:
    """Serve readers until SIGTERM or Ctrl-C: http://127.0.0.1:8765/ unless set otherwise.

    It reads the view that `decibel view run` keeps, and nothing else but Kafka's lag. Several may run side by side.
    Metrics at gateway.http_port.

    \b
    Examples:
      decibel gateway run
      DECIBEL_VIEW_URL=redis://127.0.0.1:6379/0 DECIBEL_GATEWAY_PORT=8080 decibel gateway run
    """
    settings = invocation.settings
    require_shared(settings)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr, force=True)
    for name in ("kafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)

    async def until_told() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(settings, stop)

    asyncio.run(until_told())
