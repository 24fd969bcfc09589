"""`decibel worker`: one member of the group of workers that score."""

from __future__ import annotations

import logging

import click

from stream.cli.context import Invocation, pass_invocation

EPILOG = """\b
Examples:
  decibel worker
  decibel --settings /etc/decibel.toml worker
  DECIBEL_WORKER_HTTP_PORT=9647 decibel worker      a second one on the same machine

The topics must be there: see `decibel topics apply`. SIGTERM ends it cleanly; after exit code 70 start it
again: it met something unexpected and goes on from its last commit.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least severe messages to log, on stderr.",
)
@pass_invocation
def worker(invocation: Invocation, log_level: str) -> None:
    """Score items as they come: one member of the consumer group."""
    from stream.worker.run import run_worker  # noqa: PLC0415 - Faust takes half a second to import

    logging.captureWarnings(True)
    run_worker(invocation.settings, log_level)
