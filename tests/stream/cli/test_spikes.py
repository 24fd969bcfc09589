"""`decibel spikes`: a series of counts in, its alerts and scores out; errors name file, line and column."""

import csv
import json

import pytest
from click.testing import CliRunner

from schemas.times import format_time
from scoring.policy import SHIPPED, load_policy
from stream.cli import main

RULE = load_policy().spike
START = 1_600_000_000.0
BURST = 24 * 14
"""Row of the burst in `series`, counted from 0."""


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["spikes", *map(str, arguments)])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


def series(path, counts):
    """A CSV with a count an hour."""
    rows = [f"{format_time(START + 3600.0 * number)},{count}\n" for number, count in enumerate(counts)]
    path.write_text("timestamp,value\n" + "".join(rows))
    return path


@pytest.fixture
def bursting(tmp_path):
    """Two quiet weeks, then a burst of three hours and a quiet day."""
    return series(tmp_path / "volume.csv", [20] * BURST + [300] * 3 + [20] * 24)


def scored(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_prints_each_alert_with_time_value_and_score(bursting):
    page = run(bursting).stdout.splitlines()

    assert page[0] == "1 alert at sensitivity balanced (score 0.5 or more)"
    assert page[1].split() == ["file", "time", "value", "score", "deviations"]
    name, time, value, score, deviations = page[2].split()
    assert (name, time, value) == ("volume.csv", format_time(START + 3600.0 * BURST), "300")
    assert float(score) >= 0.5
    assert float(deviations) > RULE.series.unit


def test_it_writes_each_row_with_its_score_and_only_alerts_reach_a_threshold(bursting, tmp_path):
    run(bursting, "--out", tmp_path / "scored")
    with bursting.open(newline="") as file:
        before = list(csv.DictReader(file))
    rows = scored(tmp_path / "scored" / "volume.csv")

    assert [(row["timestamp"], row["value"]) for row in rows] == [
        (row["timestamp"], row["value"]) for row in before
    ]
    scores = [float(row["anomaly_score"]) for row in rows]
    assert [number for number, score in enumerate(scores) if score >= 0.5] == [BURST]
    others = scores[:BURST] + scores[BURST + 1 :]
    assert min(others) >= 0.0
    assert max(others) < min(RULE.thresholds.values())


def test_at_a_lower_threshold_the_file_has_the_alerts_of_the_more_sensitive_setting(tmp_path):
    # given: an hour that is an alert for `more` alone
    file = series(tmp_path / "volume.csv", [20] * BURST + [34] * 4 + [20] * 24)
    more = [alert["timestamp"] for alert in json.loads(run(file, "--json", "--sensitivity", "more").stdout)]

    # when
    assert json.loads(run(file, "--json", "--out", tmp_path / "scored").stdout) == []
    rows = scored(tmp_path / "scored" / "volume.csv")

    # then
    low = RULE.thresholds["more"]
    assert [row["timestamp"] for row in rows if float(row["anomaly_score"]) >= low] == more != []


def test_a_cut_series_has_the_scores_of_the_whole(bursting, tmp_path):
    cut = tmp_path / "cut.csv"
    cut.write_text("".join(bursting.read_text().splitlines(keepends=True)[: BURST + 3]))
    run(bursting, cut, "--out", tmp_path / "scored")
    whole = scored(tmp_path / "scored" / "volume.csv")
    assert scored(tmp_path / "scored" / "cut.csv") == whole[: BURST + 2]


def test_sensitivity_and_policy_move_the_threshold(tmp_path):
    # given: a day three times as busy as usual
    file = series(tmp_path / "volume.csv", [20] * BURST + [60] * 24)
    told = {
        each: len(json.loads(run(file, "--json", "--sensitivity", each).stdout)) for each in RULE.thresholds
    }
    deaf = tmp_path / "deaf.toml"
    deaf.write_text(SHIPPED.read_text().replace("unit = 2.05 ", "unit = 205.0 "))

    assert told["fewer"] <= told["balanced"] <= told["more"]
    assert told["more"] >= 1
    assert run(file, "--policy", deaf).stdout == "0 alerts at sensitivity balanced (score 0.5 or more)\n"


def test_a_missing_row_counts_as_no_items(tmp_path):
    counts = ([12] * 12 + [0] * 12) * 20 + [100] * 3
    whole = series(tmp_path / "whole.csv", counts)
    lines = [line for line in whole.read_text().splitlines() if not line.endswith(",0")]
    sparse = tmp_path / "sparse.csv"
    sparse.write_text("\n".join(lines) + "\n")

    found = [
        [alert["timestamp"] for alert in json.loads(run(file, "--json").stdout)] for file in (whole, sparse)
    ]
    assert found[0] == found[1] != []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("when,value\n2021-01-01,1\n", ":1: no column `timestamp`"),
        ("timestamp,count\n2021-01-01,1\n", ":1: no column `value`"),
        ("", ":1: no column `timestamp`"),
        ("timestamp,value\n2021-01-01,1\nnoon,2\n", ":3: column `timestamp`: 'noon' is no time"),
        ("timestamp,value\n2021-01-01,many\n", ":2: column `value`: 'many' is no count"),
        ("timestamp,value\n2021-01-01,-1\n", ":2: column `value`: '-1' is no count"),
        ("timestamp,value\n2021-01-01,nan\n", ":2: column `value`: 'nan' is no count"),
        ("timestamp,value\n2021-01-01,inf\n", ":2: column `value`: 'inf' is no count"),
        ("timestamp,value\n2021-01-01\n", ":2: column `value`: '' is no count"),
        (
            "timestamp,value\n2021-01-02,1\n2021-01-01,1\n",
            ":3: column `timestamp`: '2021-01-01' is not after the row before",
        ),
    ],
)
def test_an_error_names_file_line_and_column(tmp_path, text, says):
    path = tmp_path / "volume.csv"
    path.write_text(text)
    error = run(path, "--out", tmp_path / "scored", code=1).stderr
    assert f"{path}{says}" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "scored").exists()


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    assert f"{tmp_path / 'none.csv'}: cannot be read" in run(tmp_path / "none.csv", code=1).stderr
    (tmp_path / "bytes.csv").write_bytes(b"timestamp,value\n\xff\xfe,1\n")
    assert f"{tmp_path / 'bytes.csv'}: not UTF-8" in run(tmp_path / "bytes.csv", code=1).stderr


def test_no_input_is_overwritten_and_no_result_twice(bursting, tmp_path):
    before = bursting.read_text()
    assert "would be overwritten" in run(bursting, "--out", tmp_path, code=1).stderr
    (tmp_path / "other").mkdir()
    other = series(tmp_path / "other" / "volume.csv", [1, 2])
    assert "both be written" in run(bursting, other, "--out", tmp_path / "scored", code=1).stderr
    assert bursting.read_text() == before
