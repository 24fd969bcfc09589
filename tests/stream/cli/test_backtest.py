"""`decibel backtest`: how good the forecasts were, as a table and as JSON; errors say what is missing."""

import json

import pytest
from click.testing import CliRunner

from schemas.codec import encode
from scoring.policy import SHIPPED
from stream.cli import main
from tests.builders import item, profile
from tests.recordings import SHARED, recording


def run(*arguments, stdin=None, code=0):
    result = CliRunner().invoke(main, ["backtest", *map(str, arguments)], input=stdin)
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


@pytest.fixture
def items(tmp_path):
    """A day of an incident with an item every two hours, and its profile."""
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(encode(item(f"i{n}", h=2 * n, likes=50 * n)) for n in range(13)) + b"\n")
    (tmp_path / "profiles.jsonl").write_bytes(encode(profile("leak", 70.0, Anthropic="B")))
    return file


def test_the_table_has_a_line_for_each_horizon(items):
    lines = run(items, "--profiles", items.with_name("profiles.jsonl")).stdout.splitlines()

    # an item every two hours: of 13 moments the last is too late for an hour, the last three for six hours
    assert [line.split()[:3] for line in lines[1:4]] == [["1", "h", "12"], ["6", "h", "10"], ["24", "h", "1"]]
    assert lines[0].split("  ")[0] == "in"
    assert lines[-1] == "13 observations, 1 incident, 13 scores; beyond the end lie 16 forecasts"


def test_json_gives_programs_the_same_unrounded(items):
    told = json.loads(run(items, "--json").stdout)

    assert (told["items"], told["incidents"], told["rejected"], told["open"]) == (13, 1, 0, 16)
    first = told["horizons"][0]
    assert (first["hours"], first["forecasts"]) == (1.0, 12)
    assert set(first) >= {"forecast", "decay_only", "persistence", "band_50", "band_90"}
    assert 0.0 <= first["band_90"]["held"] <= 1.0
    # nothing comes within an hour of an item, so it only decays
    assert first["decay_only"]["mae"] == pytest.approx(0.0, abs=1e-12)
    assert first["persistence"]["mae"] > 0.01


def test_a_wider_sample_judges_fewer(items):
    told = json.loads(run(items, "--json", "--sample", "6").stdout)

    assert told["horizons"][0]["forecasts"] == 4


def test_from_and_until_say_which_are_judged(items):
    told = json.loads(
        run(items, "--json", "--from", "2026-06-24T10:00Z", "--until", "2026-06-24T20:30:00Z").stdout
    )

    # from 10:00 to 20:00 there are six; until 20:30 the last is not known for an hour
    assert [each["forecasts"] for each in told["horizons"]] == [5, 3, 0]
    assert told["horizons"][2]["band_90"]["held"] is None


def test_another_policy_is_judged_as_well(items, tmp_path):
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("hours = 6.0", "hours = 3.0"))

    told = json.loads(run(items, "--json", "--policy", policy).stdout)

    assert [each["hours"] for each in told["horizons"]] == [1.0, 3.0, 24.0]


def test_rejected_records_are_counted_and_told(items):
    result = run("-", stdin=b"no json\n" + items.read_bytes())

    assert "1 records were rejected and are not counted." in result.stderr
    assert "12" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (("-",), b"", 1, "stdin: no item could be scored (0 records, 0 rejected)"),
        (("-",), b"no json\n", 1, "no item could be scored (1 records, 1 rejected)"),
        (("-",), encode(item()), 1, "no forecast came due by the last observation, 24 June 2026, 00:00 UTC"),
        (("-", "--from", "2027-01-01"), encode(item()), 1, "no forecast was made from 1 January 2027"),
        (("missing.jsonl",), None, 1, "missing.jsonl: cannot be read: No such file or directory"),
        (("-", "--sample", "0"), None, 2, "--sample"),
        (("-", "--from", "soon"), None, 2, "'soon' is no time"),
    ],
)
def test_an_error_says_what_is_missing(arguments, stdin, code, said):
    assert said in " ".join(run(*arguments, stdin=stdin, code=code).stderr.split())


def test_a_real_recording_is_judged_with_its_profiles():
    recording("world-2016")
    folder = SHARED / "world-2016"

    told = json.loads(
        run(folder / "items.jsonl.gz", "--profiles", folder / "profiles.jsonl", "--json").stdout
    )

    for each in told["horizons"]:
        assert each["forecast"]["mae"] < min(each["decay_only"]["mae"], each["persistence"]["mae"])
