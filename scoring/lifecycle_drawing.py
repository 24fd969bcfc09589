"""The lifecycle of a policy for people: its table, and the text of a drawing for Mermaid or Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.words import State
from scoring.lifecycle_rules import Lifecycle, Rule, condition_told, reason

BEGIN: Final = "first detected"
"""What brings an incident into its first state."""

_COLOURS: Final = {
    State.EMERGING: "#bcd7ee",
    State.GROWING: "#f6c667",
    State.DEBATED: "#ef8a4a",
    State.MAJOR: "#d9695f",
    State.RESOLVED: "#d9d9d9",
}
"""Backgrounds on which black can be read."""


class Row(Struct, frozen=True):
    """One row of the table: what a rule does (enter, leave, reopen), from where to where, when.

    `cooldown_h` is the least time (hours) in each source before the step. It holds for a step back (`leaves`), and for
    the first step forward after one.
    """

    kind: str
    sources: tuple[State, ...]
    to: State
    when: tuple[str, ...]
    hold_h: float
    cooldown_h: dict[State, float]
    leaves: bool


def rows(lifecycle: Lifecycle) -> Iterator[Row]:
    """Yield the rules in their order: the first that is met moves an incident."""
    for rule in lifecycle.rules:
        yield Row(
            kind(rule),
            rule.sources,
            rule.to,
            tuple(map(condition_told, rule.when)),
            rule.hold_h,
            {source: lifecycle.cooldown_h[source] for source in rule.sources},
            rule.step == "back",
        )


def kind(rule: Rule) -> str:
    """Return what a rule does: `enter` a state, `leave` one, or `reopen` what was resolved."""
    if rule.step == "back":
        return "leave"
    return "reopen" if rule.sources == (State.RESOLVED,) else "enter"


def mermaid(lifecycle: Lifecycle) -> str:
    """Return the state diagram in Mermaid's language; a step back is marked by its cooldown."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_state_told(state, lifecycle, ", ")}" as {_ident(state)}' for state in State]
    lines.append(f"    [*] --> {_ident(State.EMERGING)}: {BEGIN}")
    for rule in lifecycle.rules:
        for source in rule.sources:
            lines.append(f"    {_ident(source)} --> {_ident(rule.to)}: {_told(rule)}")
    return "\n".join(lines) + "\n"


def dot(lifecycle: Lifecycle) -> str:
    """Return the same as a Graphviz digraph: steps back are dashed."""
    lines = [
        "digraph lifecycle {",
        '    graph [rankdir=TB, nodesep=0.6, ranksep=0.9, fontname="Helvetica"]',
        '    node [shape=box, style="rounded,filled", fontname="Helvetica", margin="0.2,0.1"]',
        '    edge [fontname="Helvetica", fontsize=10]',
        '    begin [shape=point, width=0.15, label=""]',
    ]
    lines += [
        f'    {_ident(state)} [label="{_state_told(state, lifecycle, chr(92) + "n")}", fillcolor="{_COLOURS[state]}"]'
        for state in State
    ]
    lines.append(f'    begin -> {_ident(State.EMERGING)} [label="{BEGIN}"]')
    for rule in lifecycle.rules:
        style = ", style=dashed" if rule.step == "back" else ""
        for source in rule.sources:
            lines.append(f'    {_ident(source)} -> {_ident(rule.to)} [label="{_told(rule)}"{style}]')
    return "\n".join([*lines, "}"]) + "\n"


def _state_told(state: State, lifecycle: Lifecycle, separator: str) -> str:
    return f"{state.value}{separator}cooldown {lifecycle.cooldown_h[state]:g} h"


def _told(rule: Rule) -> str:
    """A rule on its arrow; neither language takes the characters that this text never has: quotes, colons."""
    return f"{kind(rule)} if {reason(rule)}"


def _ident(state: State) -> str:
    return state.name.lower()
