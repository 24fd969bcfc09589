"""`decibel replay`: files in, events and a summary out."""

import gzip
import json

import msgspec
import pytest
from click.testing import CliRunner

from schemas.codec import encode
from schemas.topics import EVENT_OF, NOISE_SCORES, SOURCE_ITEMS
from scoring.policy import SHIPPED
from stream.cli import main
from stream.cli.replay_summary import TOPICS
from stream.replay.run import Replay
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY
from tests.recordings import SHARED, recording


def run(*arguments, stdin=None, code=0):
    result = CliRunner().invoke(main, ["replay", *map(str, arguments)], input=stdin)
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def items(tmp_path):
    """Three observations of two items, a day apart."""
    values = [item("a", h=0, likes=10), item("b", h=24, platform="reddit"), item("a", h=0, seen=48, likes=90)]
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(map(encode, values)) + b"\n")
    return file


def test_each_event_is_a_line_that_embeds_the_bytes_of_the_wire(items):
    """Given what a replay emits; then each line holds topic, key, milliseconds, id and those very bytes."""
    replay = Replay(SHIPPED_POLICY, received_at=hours(1000))
    outputs = [each for value in items.read_bytes().splitlines() for each in replay.item(value, ("", 0))]
    outputs += replay.finish()

    written = run(items, "--out", "-").stdout_bytes.splitlines()

    class Line(msgspec.Struct):
        topic: str
        key: str | None
        timestamp: int
        id: str
        value: msgspec.Raw

    assert len(written) == len(outputs)
    for line, output in zip(written, outputs, strict=True):
        got = msgspec.json.decode(line, type=Line)
        assert (got.topic, got.key, got.id) == (output.topic, output.key, output.id)
        assert got.timestamp == round(output.at * 1000)
        assert bytes(got.value) == encode(output.event)
        msgspec.json.decode(got.value, type=EVENT_OF[got.topic])
    assert list(json.loads(written[0])) == ["topic", "key", "timestamp", "id", "value"]


def test_a_folder_gets_one_file_for_each_topic_and_keeps_nothing_of_an_earlier_run(items, tmp_path):
    out = tmp_path / "deep" / "scored"
    run(items, items, "--out", out)
    before = (out / "noise-scores.jsonl").read_bytes()
    run(items, "--out", out)

    assert {file.name for file in out.iterdir()} == {f"{topic}.jsonl" for topic in TOPICS}
    assert (out / "dead-letters.jsonl").read_bytes() == b""
    assert (out / "noise-scores.jsonl").read_bytes() == before  # seen twice changes nothing
    assert {line["topic"] for line in lines(before)} == {NOISE_SCORES}


def test_without_out_there_is_a_summary_alone_on_stderr(items):
    result = run(items)

    assert result.stdout == ""
    assert "3 observations of 1 incident scored" in result.stderr
    assert "per second" in result.stderr
    assert "loudest on 26 June 2026, 00:00 UTC" in result.stderr


def test_the_summary_holds_the_index_against_its_average_once_there_is_one(items, tmp_path):
    # given: two days are too little history; sixteen are enough
    assert "index 26\n" in run(items).stderr
    longer = tmp_path / "longer.jsonl"
    longer.write_bytes(items.read_bytes() + encode(item("c", h=24 * 16)))

    # when
    summary = json.loads(run(longer, "--json").stdout)

    # then
    assert summary["index"]["average_d"] == 90.0
    relative = summary["index"]["relative"]
    assert 1.0 < relative < 3.0
    index = int(summary["index"]["value"])
    assert f"index {index}, {relative:.1f} × its 90-day average\n" in run(longer).stderr


@pytest.mark.parametrize("out", [[], ["--out", "-"]])
def test_the_summary_as_json_goes_where_the_events_do_not(items, out):
    result = run(items, "--json", *out)
    summary = json.loads(result.stderr if out else result.stdout)

    assert (summary["items"], summary["applied"], summary["incidents"]) == (3, 3, 1)
    assert (summary["at"], summary["rejected"]) == ("2026-06-26T00:00:00Z", 0)
    assert summary["events"]["noise-scores"] >= 3
    assert summary["loudest"][0]["incident_id"] == "leak"
    assert len(lines(result.stdout)) == (sum(summary["events"].values()) if out else 1)


def test_until_stops_the_run(items):
    summary = json.loads(run(items, "--until", "2026-06-25T00:00:00Z", "--json").stdout)
    assert (summary["items"], summary["at"]) == (2, "2026-06-25T00:00:00Z")

    summary = json.loads(run(items, "--until", "2026-06-24T12:00:00Z", "--json").stdout)
    assert (summary["items"], summary["at"]) == (1, "2026-06-24T12:00:00Z")


def test_profiles_and_policy_are_those_given(items, tmp_path):
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_bytes(encode(profile(impact=100.0)))
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("\nhalf_life_h = 168.0", "\nhalf_life_h = 84.0"))

    result = run(items, "--profiles", profiles, "--policy", policy, "--out", "-")

    scores = [line["value"] for line in lines(result.stdout) if line["topic"] == NOISE_SCORES]
    assert {score["factors"]["industry_impact"] for score in scores} == {100.0}
    assert {score["half_life"] for score in scores} == {84.0 * 3600.0}


def test_bad_lines_are_named_and_the_others_go_on(items):
    items.write_bytes(items.read_bytes() + b'{"incident_id": 7}\nno json\n')

    result = run(items, "--out", "-")

    letters = [line for line in lines(result.stdout) if line["topic"] == "dead-letters"]
    assert [line["value"]["origin"]["offset"] for line in letters] == [4, 5]
    assert [line["key"] for line in letters] == [None, None]
    assert f"{items}:4: incident_id: expected str, got int" in result.stderr
    assert f"{items}:5: the value is not JSON" in result.stderr
    assert "2 rejected" in result.stderr


def test_standard_input_gzip_and_csv_are_read(items, tmp_path):
    packed = tmp_path / "items.jsonl.gz"
    packed.write_bytes(gzip.compress(items.read_bytes()))
    table = tmp_path / "posts.csv"
    table.write_text("id,about,when,score\na,leak,2026-06-24T00:00:00Z,10\n")

    plain = run(items, "--out", "-").stdout_bytes

    assert run(packed, "--out", "-").stdout_bytes == plain
    assert run("-", "--out", "-", stdin=items.read_bytes()).stdout_bytes == plain
    columns = "item_id=id,incident_id=about,published_at=when,likes=score,platform==news"
    first = run(table, "--columns", columns, "--out", "-").stdout.splitlines()[0]
    assert first == plain.decode().splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.jsonl"], 1, "missing.jsonl: cannot be read"),
        ([], 2, "Missing argument"),
        (["x.jsonl", "--until", "soon"], 2, "'soon' is no time"),
        (["x.csv", "--columns", "likez=x"], 2, "'likez' is no field"),
        (["x.jsonl", "--partitions", "0"], 2, "--partitions"),
        (["x.jsonl", "--policy", "missing.toml"], 1, "missing.toml: cannot be read"),
    ],
)
def test_trouble_is_told_in_a_line(arguments, code, said):
    result = run(*arguments, code=code)

    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_cannot_be_written_is_told(items):
    assert f"--out {items}" in run(items, "--out", items, code=1).stderr


def test_tech_2021_is_scored_whole():
    """Given a real recording; then every record counts or brings nothing new, and none is rejected."""
    recording("tech-2021")
    folder = SHARED / "tech-2021"

    result = run(folder / "items.jsonl.gz", "--profiles", folder / "profiles.jsonl", "--json")

    summary = json.loads(result.stdout)
    assert (summary["items"], summary["profiles"], summary["incidents"]) == (2755, 10, 10)
    assert summary["rejected"] == 0
    assert summary["applied"] + summary["unchanged"] == 2755
    assert SOURCE_ITEMS not in summary["events"]
