"""`decibel explain`: one incident, in figures and words."""

import json
import re

import pytest
from click.testing import CliRunner

from schemas.codec import encode
from schemas.topics import NOISE_SCORES
from scoring.policy import SHIPPED
from stream.cli import main
from stream.cli.explain import nearest
from tests.builders import item, merged, profile
from tests.recordings import SHARED, recording


def run(*arguments, code=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


@pytest.fixture
def files(tmp_path):
    """Two incidents with profiles."""
    items, profiles = tmp_path / "items.jsonl", tmp_path / "profiles.jsonl"
    values = [
        item("a", "leak", h=0, likes=500, title="It leaks"),
        item("x", "strike", h=1, likes=5),
        item("b", "leak", h=2, platform="reddit", likes=100, title="It\x1b[31m still leaks"),
        item("b", "leak", h=2, seen=30, platform="reddit", likes=400),
    ]
    items.write_bytes(b"\n".join(map(encode, values)))
    profiles.write_bytes(encode(profile("leak", 70.0, Anthropic="B")) + b"\n" + encode(profile("quiet")))
    return ["--data", items, "--profiles", profiles]


def explained(incident, files, *more):
    return json.loads(run("explain", incident, *files, "--json", *more).stdout)


def test_it_says_what_the_replay_says_at_the_last_observation():
    """Given a recording; then the explanation of each incident is its last score in the replay of all."""
    recording("tech-2021")
    folder = SHARED / "tech-2021"
    files = ["--data", folder / "items.jsonl.gz", "--profiles", folder / "profiles.jsonl"]
    until = "2021-07-01T00:00:00Z"
    out = run("replay", files[1], *files[2:], "--until", until, "--out", "-").stdout
    last = {}
    for line in map(json.loads, out.splitlines()):
        if line["topic"] == NOISE_SCORES:
            last[line["key"]] = line["value"]
    assert len(last) == 9

    for incident, score in last.items():
        told = explained(incident, files, "--at", until)
        for name in ("revision", "composite", "verdict", "peak", "last_item", "last_seen"):
            want = score[name]
            if name == "verdict":  # it tells the noise, which has decayed since
                assert told[name].split(":")[0] == want.split(":")[0]
            else:
                assert told[name] == want, (incident, name)
        assert told["state"]["state"] == score["state"]
        assert {line["name"]: line["value"] for line in told["factors"]} == score["factors"]


def test_the_page_shows_the_sum_and_what_stands_behind_it(files):
    page = run("explain", "leak", *files).stdout

    for words in (
        "Debated",
        "Engagement",
        "= points",
        "audience",
        "Anthropic (B 10)",
        "2 platforms: news 1, reddit 1",
        "as the editors assess it",
        "State      Debated since 24 June 2026, 02:00 UTC: platforms at or above 2 (platforms 2)",
        "Forecast   in 1 h ",
        " with 90 %), in 6 h ",
        "Next",
    ):
        assert words in page, words


def test_the_page_tells_what_moved_it_and_draws_how_it_went(files):
    # given: half a day of it; reddit is b, which grew to 400 likes at 30 h
    page = run("explain", "leak", *files).stdout

    # then
    assert "It was last moved 0 s ago, by +" in page
    assert " points through b: " in page
    assert "Mainstream media had it first." in page
    assert "biggest moves" in page
    assert "a: It leaks" in page
    (noise,) = [line for line in page.splitlines() if line.startswith("Noise  ")]
    assert re.search(r"[▁▂▃▄▅▆▇█]{48} 0 to \d+, 24 June 2026, 00:00 UTC to 25 June 2026, 06:00 UTC", noise)
    assert re.search(r"▅{48} 0 \(one-sided\) to 100 \(evenly split\)", page)


def test_the_json_holds_movers_with_titles_the_past_and_the_lead(files):
    told = explained("leak", files)

    assert {move["title"] for move in told["movers"] if move["item_id"] == "a"} == {"It leaks"}
    assert [abs(move["points"]) for move in told["movers"]] == sorted(
        (abs(move["points"]) for move in told["movers"]), reverse=True
    )
    assert told["last_move"]["item_id"] == "b"
    assert (told["lead_time"], told["audience_estimated"]) == (0.0, 1.0)
    assert [each["polarity"] for each in told["past"]] == [50.0] * len(told["past"])


def test_titles_cannot_command_the_terminal(files):
    page = run("explain", "leak", *files, "--at", "2026-06-24T03:00:00Z").stdout

    assert "It [31m still leaks" in page
    assert "\x1b[31m" not in page


def test_at_shows_an_earlier_time(files):
    told = explained("leak", files, "--at", "2026-06-24T01:00:00Z")

    assert (told["items"], told["platforms"], told["at"]) == (1, 1, "2026-06-24T01:00:00Z")
    assert told["age_h"] == pytest.approx(1.0)


def test_at_a_later_time_it_has_decayed_and_what_was_due_has_happened(files):
    told = explained("leak", files, "--at", "2026-07-24T00:00:00Z")

    assert told["state"]["state"] == "Resolved"
    assert told["state"]["reason"] == "activity below 0.02 items/h and noise below 25 for 12 h"
    assert told["noise"] < 5.0
    assert told["peak_confirmed"] is True


def test_another_policy_tells_another_story(files, tmp_path):
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("points_per_platform = 20.0", "points_per_platform = 50.0"))

    told = explained("leak", files, "--policy", policy)

    assert {line["name"]: line["value"] for line in told["factors"]}["cross_platform"] == 100.0


@pytest.mark.parametrize(
    ("incident", "more", "said"),
    [
        ("lek", [], "there is no incident 'lek' in "),
        ("lek", [], "the nearest are leak"),
        ("zzzzzz", [], "no incident there has a name like it"),
        ("quiet", [], "'quiet' has a profile, but "),
        ("leak", ["--at", "2026-06-23"], "'leak' has no observation by 23 June 2026, 00:00 UTC"),
    ],
)
def test_an_incident_that_cannot_be_explained_is_told_in_a_line(files, incident, more, said):
    result = run("explain", incident, *files, *more, code=1)

    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_rejected_records_of_the_incident_are_mentioned(files):
    files[1].write_bytes(
        files[1].read_bytes() + b'\n{"incident_id": "leak"}\n{"incident_id": "strike"}\nno json'
    )

    assert "1 of its records" in run("explain", "leak", *files).stderr


def test_nearest_prefers_ids_that_hold_what_was_asked_for():
    known = {"log4shell", "log4shell-2", "shell", "ovh-fire"}

    assert nearest("LOG4", known) == ["log4shell", "log4shell-2"]
    assert nearest("ovhfire", known) == ["ovh-fire"]
    assert nearest("", set()) == []


@pytest.fixture
def merged_files(tmp_path):
    """`strike` was merged into `walkout`, and that one into `leak`; `quake` has nothing to do with it."""
    items, profiles = tmp_path / "items.jsonl", tmp_path / "profiles.jsonl"
    values = [
        item("a", "leak", h=0, likes=500),
        item("x", "strike", h=1, likes=5, title="They strike"),
        item("q", "quake", h=2),
        item("y", "walkout", h=3, likes=7),
    ]
    said = [merged("strike", "walkout"), merged("walkout", "leak"), profile("quake"), b"{"]
    items.write_bytes(b"\n".join(map(encode, values)))
    profiles.write_bytes(b"\n".join(each if isinstance(each, bytes) else encode(each) for each in said))
    return ["--data", items, "--profiles", profiles]


@pytest.mark.parametrize("asked", ["strike", "walkout", "leak"])
def test_an_incident_that_was_merged_leads_to_the_one_that_counts_its_items(merged_files, asked):
    # when
    page = run("explain", asked, *merged_files)
    told = json.loads(run("explain", asked, *merged_files, "--json").stdout)

    # then
    assert (told["incident_id"], told["items"]) == ("leak", 3)
    assert page.stdout.startswith(f"{asked} was merged into leak\n") == (asked != "leak")
