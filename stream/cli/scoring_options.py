"""What the commands that score without Kafka share: the policy they run by, times, columns, the console."""

from __future__ import annotations

from typing import Any, Final

import click
from rich.console import Console

from schemas.errors import DecibelError
from schemas.times import parse_time
from scoring.policy import Policy, load_policy
from stream.cli.context import Invocation
from stream.columns import parse_columns

WIDE: Final = 200
"""Columns of a console that is no terminal: nothing wraps, so that grep finds whole lines."""

policy_option = click.option(
    "--policy",
    "policy_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Scoring policy (TOML). Default: the one in the settings, else the shipped one.",
)


def policy_of(invocation: Invocation, policy_file: str | None) -> Policy:
    """Return the policy of the option, else of the settings, else the shipped one. Raises PolicyError."""
    return load_policy(policy_file or invocation.settings.policy or None)


class Moment(click.ParamType):
    """A time in RFC 3339, as epoch seconds; without a zone it is UTC, without a time of day midnight."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return epoch seconds."""
        if isinstance(value, float):
            return value
        try:
            return parse_time(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write it as 2021-12-10T14:00:00Z or 2021-12-10", param, ctx)


class Columns(click.ParamType):
    """A column map for CSV, `FIELD=COLUMN,…`; see `stream.columns`."""

    name = "columns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        """Return field -> column."""
        if isinstance(value, dict):
            return value
        try:
            return parse_columns(value)
        except DecibelError as error:
            self.fail(str(error), param, ctx)


columns_option = click.option(
    "--columns", "--map", type=Columns(), metavar="FIELD=COLUMN,…", help="For CSV: which column fills what."
)


def quiet_console(*, stderr: bool = False) -> Console:
    """A rich console without markup; where it is no terminal, so wide that nothing wraps, and uncoloured."""
    out = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if out.is_terminal:
        return out
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=WIDE)
