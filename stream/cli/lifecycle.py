"""`decibel lifecycle`: the states of a policy, and the rules that lead from one to the next, as table or drawing."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.table import Table

from schemas.words import State
from scoring.lifecycle_drawing import Row, dot, mermaid, rows
from scoring.policy import Policy
from stream.cli.context import Invocation, pass_invocation, print_json
from stream.cli.scoring_options import policy_of, policy_option, quiet_console


@click.command()
@policy_option
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "mermaid", "dot", "json")),
    default="table",
    show_default=True,
    help="A table, or the text of a drawing for Mermaid or Graphviz, or JSON.",
)
@pass_invocation
def lifecycle(invocation: Invocation, policy_file: str | None, form: str) -> None:
    """Print the states and the rules that lead from one to the next, the first that is met first.

    \b
    A rule is met when all it compares has held together for its hold. A step back waits for
    the cooldown of the state too, and so does the first step forward after one.

    \b
    Examples:
      decibel lifecycle
      decibel lifecycle --policy mine.toml --format mermaid
      decibel lifecycle --format dot | dot -Tsvg > lifecycle.svg
    """
    policy = policy_of(invocation, policy_file)
    if form == "mermaid":
        click.echo(mermaid(policy.lifecycle), nl=False)
    elif form == "dot":
        click.echo(dot(policy.lifecycle), nl=False)
    elif form == "json":
        print_json(tuple(rows(policy.lifecycle)))
    else:
        _print(policy)


def _print(policy: Policy) -> None:
    console = quiet_console()
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("", "from", "to", "when", "hold", "cooldown"):
        table.add_column(column)
    for row in rows(policy.lifecycle):
        table.add_row(
            row.kind,
            ", ".join(state.value for state in row.sources),
            row.to.value,
            " and ".join(row.when),
            f"{row.hold_h:g} h" if row.hold_h else "none",
            _cooldown(row),
        )
    console.print(table)
    states = ", ".join(f"{state.value} {hours:g} h" for state, hours in _by_state(policy))
    console.print(f"\nCooldowns: {states}. One in brackets holds only after a step back.")


def _cooldown(row: Row) -> str:
    """The cooldowns of a row's sources, each length once; in brackets where only what was left waits."""
    told = "/".join(dict.fromkeys(f"{hours:g}" for hours in row.cooldown_h.values())) + " h"
    return told if row.leaves else f"({told})"


def _by_state(policy: Policy) -> Iterable[tuple[State, float]]:
    return ((state, policy.lifecycle.cooldown_h[state]) for state in State)
