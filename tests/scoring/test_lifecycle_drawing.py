"""The table of a lifecycle and its drawings, word for word."""

from __future__ import annotations

from schemas.words import State
from scoring.lifecycle_drawing import Row, dot, kind, mermaid, rows
from scoring.lifecycle_rules import Condition, Lifecycle, Rule
from tests.driver import SHIPPED_POLICY

CALM = (Condition("activity", "below", 0.02), Condition("noise", "below", 25.0))
LIFECYCLE = Lifecycle(
    dict(zip(State, (12.0, 6.0, 24.0, 48.0, 0.5), strict=True)),
    (
        Rule(
            (State.EMERGING, State.GROWING),
            State.DEBATED,
            (Condition("platforms", "at_least", 2.0),),
            0.0,
            "forward",
        ),
        Rule((State.DEBATED,), State.RESOLVED, CALM, 12.0, "back"),
        Rule((State.RESOLVED,), State.EMERGING, (Condition("velocity", "at_least", 7.5),), 0.5, "forward"),
    ),
)


def test_the_table_has_a_row_for_each_rule_in_their_order():
    assert list(rows(LIFECYCLE)) == [
        Row(
            "enter",
            (State.EMERGING, State.GROWING),
            State.DEBATED,
            ("platforms at or above 2",),
            0.0,
            {State.EMERGING: 12.0, State.GROWING: 6.0},
            False,
        ),
        Row(
            "leave",
            (State.DEBATED,),
            State.RESOLVED,
            ("activity below 0.02 items/h", "noise below 25"),
            12.0,
            {State.DEBATED: 24.0},
            True,
        ),
        Row(
            "reopen",
            (State.RESOLVED,),
            State.EMERGING,
            ("velocity at or above 7.5 items/h",),
            0.5,
            {State.RESOLVED: 0.5},
            False,
        ),
    ]


def test_a_rule_from_resolved_and_another_state_enters():
    assert kind(Rule((State.RESOLVED, State.GROWING), State.DEBATED, CALM, 0.0, "forward")) == "enter"


def test_mermaid_draws_each_state_and_an_arrow_for_each_step():
    assert mermaid(LIFECYCLE) == (
        "stateDiagram-v2\n"
        '    state "Emerging, cooldown 12 h" as emerging\n'
        '    state "Growing, cooldown 6 h" as growing\n'
        '    state "Debated, cooldown 24 h" as debated\n'
        '    state "Major Controversy, cooldown 48 h" as major\n'
        '    state "Resolved, cooldown 0.5 h" as resolved\n'
        "    [*] --> emerging: first detected\n"
        "    emerging --> debated: enter if platforms at or above 2\n"
        "    growing --> debated: enter if platforms at or above 2\n"
        "    debated --> resolved: leave if activity below 0.02 items/h and noise below 25 for 12 h\n"
        "    resolved --> emerging: reopen if velocity at or above 7.5 items/h for 0.5 h\n"
    )


def test_graphviz_draws_the_same_with_steps_back_dashed():
    assert dot(LIFECYCLE) == (
        "digraph lifecycle {\n"
        '    graph [rankdir=TB, nodesep=0.6, ranksep=0.9, fontname="Helvetica"]\n'
        '    node [shape=box, style="rounded,filled", fontname="Helvetica", margin="0.2,0.1"]\n'
        '    edge [fontname="Helvetica", fontsize=10]\n'
        '    begin [shape=point, width=0.15, label=""]\n'
        '    emerging [label="Emerging\\ncooldown 12 h", fillcolor="#bcd7ee"]\n'
        '    growing [label="Growing\\ncooldown 6 h", fillcolor="#f6c667"]\n'
        '    debated [label="Debated\\ncooldown 24 h", fillcolor="#ef8a4a"]\n'
        '    major [label="Major Controversy\\ncooldown 48 h", fillcolor="#d9695f"]\n'
        '    resolved [label="Resolved\\ncooldown 0.5 h", fillcolor="#d9d9d9"]\n'
        '    begin -> emerging [label="first detected"]\n'
        '    emerging -> debated [label="enter if platforms at or above 2"]\n'
        '    growing -> debated [label="enter if platforms at or above 2"]\n'
        '    debated -> resolved [label="leave if activity below 0.02 items/h and noise below 25 for 12 h", '
        "style=dashed]\n"
        '    resolved -> emerging [label="reopen if velocity at or above 7.5 items/h for 0.5 h"]\n'
        "}\n"
    )


def test_the_shipped_lifecycle_leaves_by_its_steps_back_alone_and_reopens_what_is_resolved():
    shipped = list(rows(SHIPPED_POLICY.lifecycle))

    assert [row.leaves for row in shipped] == [row.kind == "leave" for row in shipped]
    assert {row.kind for row in shipped if row.sources == (State.RESOLVED,)} == {"reopen"}
