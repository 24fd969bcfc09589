"""`decibel replay --compare`: what another policy would have done with the same records."""

import json

import pytest
from click.testing import CliRunner

from schemas.codec import encode
from scoring.policy import SHIPPED
from stream.cli import main
from tests.builders import item, profile


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["replay", *map(str, arguments)])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


@pytest.fixture
def items(tmp_path):
    """A burst about a leak that is soon on two platforms, and a strike two days later."""
    values = [item(f"l{n}", "leak", h=0.02 * n, platform="x", likes=900, audience=10**6) for n in range(60)]
    values += [item("n", "leak", h=5.0, platform="news"), item("s", "strike", h=48.0, likes=9)]
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(map(encode, values)) + b"\n")
    return file


@pytest.fixture
def mine(tmp_path):
    """The shipped policy, but noise halves in a day, and more than a thousand items an hour are asked for to grow."""
    text = SHIPPED.read_text().replace("\nhalf_life_h = 168.0", "\nhalf_life_h = 24.0")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("than = 15.0 }", "than = 1500.0 }"))
    return file


def told(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def test_each_side_is_what_a_replay_under_that_policy_alone_says(items, mine):
    both = told(items, "--compare", mine)
    alone = {
        "a": told(items),
        "b": told(items, "--policy", mine),
    }

    for side, summary in alone.items():
        found = {
            line["incident_id"]: (line[side]["noise"], line[side]["state"]) for line in both["incidents"]
        }
        assert found == {each["incident_id"]: (each["noise"], each["state"]) for each in summary["loudest"]}
        assert both["changes"][side] == summary["events"]["state-changes"]
    assert both["at"] == alone["a"]["at"]
    assert both["policies"] == {"a": "the shipped policy", "b": str(mine)}
    assert [each["key"] for each in both["policy"]] == [
        "curve.half_life_h",
        "lifecycle.rules[3].when[1].than",
    ]
    assert {"incident_id": "leak", "to": "Growing", "b": None}.items() <= both["steps"][0].items()


def test_the_tables_say_what_differs(items, mine):
    page = run(items, "--compare", mine).stdout

    for words in (
        f"A is the shipped policy, B is {mine}, over the same records",
        "curve.half_life_h: A 168.0, B 24.0",
        "loudest on 26 June 2026, 00:00 UTC",
        "states entered otherwise",
        "only in A",
        "alerts: loud peak (60 or more)",
        "index, overall",
    ):
        assert words in page, words


def test_a_policy_compared_with_itself_differs_in_nothing(items):
    page = run(items, "--compare", SHIPPED).stdout

    assert "The policies are the same" in page
    assert "states entered otherwise" not in page
    assert "alerts that differ" not in page


def test_policy_profiles_until_and_loud_hold_for_both(items, mine, tmp_path):
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_bytes(encode(profile("leak", 100.0, Ann="S")) + b"\n")

    both = told(
        items, "--policy", mine, "--compare", SHIPPED, "--profiles", profiles,
        "--until", "2026-06-24T03:00:00Z", "--loud", 20,
    )  # fmt: skip

    assert both["policies"]["a"] == str(mine)
    assert both["at"] == "2026-06-24T03:00:00Z"
    (leak,) = both["incidents"]
    assert leak["a"]["peak"] == leak["b"]["peak"]
    assert leak["a"]["peak"]["noise"] > 10.0 + 4.5  # impact and star power are in it
    louder = {each["name"]: each["a"] for each in both["alerts"]}["loud peak"]
    assert louder > 0.0
    assert both["loud"] == 20.0


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--compare", "missing.toml"], 1, "missing.toml: cannot be read"),
        (["--compare", "WRONG"], 1, "curve"),
        (["--compare", "MINE", "--out", "-"], 2, "--out and --compare"),
        (["--compare", "MINE", "--loud", "101"], 2, "--loud"),
    ],
)
def test_trouble_is_told_in_a_line(items, mine, tmp_path, more, code, said):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(mine.read_text().replace("half_life_h = 24.0", "half_life_h = -24.0", 1))
    given = [{"WRONG": str(wrong), "MINE": str(mine)}.get(each, each) for each in more]

    result = run(items, *given, code=code)

    assert said in result.stderr
    assert "Traceback" not in result.stderr
