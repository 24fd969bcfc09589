"""`decibel gateway`: serve readers from the view."""

from __future__ import annotations

import asyncio

import click

from stream.cli.context import Invocation, log_to_stderr, pass_invocation
from stream.cli.interrupts import until_told
from stream.gateway.run import serve
from stream.view.run import require_shared


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
    log_to_stderr()
    asyncio.run(until_told(lambda stop: serve(settings, stop)))
