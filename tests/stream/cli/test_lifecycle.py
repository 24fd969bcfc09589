"""`decibel lifecycle`: the table and the drawings are those of the policy, and the document shows the shipped one."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.words import State
from scoring.policy import SHIPPED, load_policy
from stream.cli import main

RULES = load_policy().lifecycle.rules
DOC = Path(__file__).parents[3] / "docs" / "methodology.md"
EDGES = sum(len(rule.sources) for rule in RULES)


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["lifecycle", *map(str, arguments)])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result.stdout


def test_the_document_shows_the_drawing_of_the_shipped_policy():
    (shown,) = re.findall(r"```mermaid\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == run("--format", "mermaid")


def test_the_table_has_each_rule_with_what_it_enters_holds_and_waits_for():
    # when
    head, *lines = run().splitlines()

    # then
    assert head.split() == ["from", "to", "when", "hold", "cooldown"]
    assert [line.split()[0] for line in lines[: len(RULES)]] == ["enter"] * 3 + ["leave"] * 3 + ["reopen"] * 2
    assert re.search(
        r"^leave +Major Controversy +Debated +noise below 65 +4 h +48 h *$", "\n".join(lines), re.MULTILINE
    )
    assert re.search(
        r"^enter .* Debated +platforms at or above 2 +none +\(12 h\) *$", "\n".join(lines), re.MULTILINE
    )
    assert "Major Controversy 48 h" in lines[-1]


def test_it_is_that_of_the_policy_that_is_given(tmp_path):
    # given
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("than = 75.0", "than = 81.0"))

    # then
    assert "noise at or above 81 for 4 h" in run("--policy", policy, "--format", "mermaid")


@pytest.mark.parametrize(("form", "arrow"), [("mermaid", "-->"), ("dot", "->")])
def test_a_drawing_has_each_state_once_and_an_arrow_for_each_source_of_each_rule(form, arrow):
    # when
    drawn = run("--format", form)

    # then: and one arrow for the beginning
    arrows = [line for line in drawn.splitlines() if f" {arrow} " in line]
    assert len(arrows) == EDGES + 1
    for state in State:
        declared = f'"{state.value}, cooldown' if form == "mermaid" else f'label="{state.value}\\ncooldown'
        assert drawn.count(declared) == 1


def test_a_step_back_is_dashed():
    dashed = [line for line in run("--format", "dot").splitlines() if "style=dashed" in line]
    assert len(dashed) == sum(len(rule.sources) for rule in RULES if rule.step == "back")
    assert all('"leave if ' in line for line in dashed)


def test_json_holds_the_rows():
    # when
    rows = json.loads(run("--format", "json"))

    # then
    assert [row["to"] for row in rows] == [rule.to.value for rule in RULES]
    resolves = next(row for row in rows if row["to"] == "Resolved")
    assert resolves["when"] == ["activity below 0.02 items/h", "noise below 25"]
    assert resolves["cooldown_h"] == {"Emerging": 12.0, "Growing": 12.0, "Debated": 24.0}
    assert (resolves["kind"], resolves["leaves"], resolves["hold_h"]) == ("leave", True, 12.0)


def test_a_policy_that_contradicts_itself_is_refused_with_the_key(tmp_path):
    # given
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("than = 65.0", "than = 76.0"))

    # when
    result = CliRunner().invoke(main, ["lifecycle", "--policy", str(policy)])

    # then
    assert result.exit_code == 1
    assert "lifecycle.rules[4].when[1].than" in result.stderr
