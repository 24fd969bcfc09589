"""`decibel doctor`: is everything there that a worker needs, and what to do where it is not."""

from __future__ import annotations

from typing import Final

import click
from rich.table import Table
from rich.text import Text

from stream.cli.context import Invocation, console, json_option, pass_invocation, plain, print_json
from stream.health import Check, examine

_MARK: Final = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


@click.command()
@json_option
@pass_invocation
def doctor(invocation: Invocation, *, as_json: bool) -> None:
    """Check the settings, the policy, Kafka, its topics, the workers' lag and Redis; say what to do.

    Exit code 1 if anything fails; warnings alone do not.

    \b
    Examples:
      decibel doctor
      decibel --settings decibel.toml doctor --json | jq '.[] | select(.status == "fail")'
    """
    checks = list(examine(lambda: invocation.settings))
    if as_json:
        print_json(checks)
    else:
        _print(checks)
    if any(check.status == "fail" for check in checks):
        click.get_current_context().exit(1)


def _print(checks: list[Check]) -> None:
    table = Table("check", "", "finding", box=None)
    for check in checks:
        word, style = _MARK[check.status]
        table.add_row(check.name, Text(word, style), plain(check.detail))
        if check.todo:
            table.add_row("", "", Text(f"→ {plain(check.todo)}", "bold"))
    console().print(table)
