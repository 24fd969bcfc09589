"""What every command is given: the settings, loaded when first asked for; and how commands print.

So a broken settings file stops the commands that need settings, and neither `--help` nor those that work on
files.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console

from stream.settings import Settings, load_settings

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Invocation:
    """One run of `decibel`; commands get it by `@pass_invocation`."""

    def __init__(self, settings_file: Path | None = None, *, verbose: bool = False) -> None:
        self.settings_file = settings_file
        self.verbose = verbose

    @cached_property
    def settings(self) -> Settings:
        """The settings of file and environment; raises SettingsError."""
        return load_settings(self.settings_file, os.environ)


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: Any) -> None:
    """Print one line of JSON on stdout."""
    click.echo(msgspec.json.encode(value).decode())


def console() -> Console:
    """A rich console on stdout; where that is no terminal, tables are as wide as their content, for grep."""
    out = Console(highlight=False, markup=False, emoji=False)
    return out if out.is_terminal else Console(highlight=False, markup=False, emoji=False, width=240)


def log_to_stderr() -> None:
    """Log what a command that goes on and on does, to stderr; of the Kafka clients only what is amiss."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr, force=True)
    for name in ("aiokafka", "kafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)


def plain(text: str) -> str:
    """Return the text without control characters: what strangers wrote must not command the terminal.

    >>> plain("red\\x1b[31m\\nnext")
    'red [31m next'
    """
    return "".join(char if char.isprintable() else " " for char in text)
