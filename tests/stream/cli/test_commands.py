"""The command line against the embedded broker: what goes in comes out; trouble is one line and a code."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import click
import msgspec
import pytest
from click.testing import CliRunner

from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, SOURCE_ITEMS
from stream.cli import COMMANDS, main
from stream.letters import REQUEUED_FROM
from stream.log_reader import read_to_end
from stream.settings import load_settings
from tests.deployments import deployments

ENOUGH_S = 30
DECIBEL = [sys.executable, "-c", "from stream.cli import main; main(prog_name='decibel')"]


def item(number=1, **fields):
    return {
        "item_id": f"hackernews:{number}",
        "incident_id": "log4shell",
        "platform": "hackernews",
        "published_at": "2021-12-10T01:05:00Z",
    } | fields


def lines(*values):
    return b"".join(v if isinstance(v, bytes) else msgspec.json.encode(v) + b"\n" for v in values)


@pytest.fixture(scope="module")
def unused():
    with deployments(30, (SOURCE_ITEMS, INCIDENT_PROFILES, DEAD_LETTERS)) as each:
        yield each


@pytest.fixture
def environ(unused):
    return next(unused)


@pytest.fixture
def decibel(environ):
    def run(*arguments, stdin=None):
        return CliRunner().invoke(main, arguments, input=stdin, env=environ, catch_exceptions=False)

    return run


@pytest.fixture
def on(environ):
    """What stands on a logical topic."""

    def records(logical):
        settings = load_settings(None, environ)
        return list(read_to_end(settings, settings.topics.prefix + logical))

    return records


def test_help_lists_every_command_without_importing_it():
    started = time.monotonic()
    shown = subprocess.run(
        [*DECIBEL[:1], "-X", "importtime", *DECIBEL[1:], "--help"],
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        check=True,
    )
    assert time.monotonic() - started < 5
    assert all(name in shown.stdout for name in COMMANDS)
    assert not [
        line for line in shown.stderr.splitlines() if line.split("|")[-1].strip() in {"kafka", "faust"}
    ]


@pytest.mark.parametrize("name", ["topics", "ingest", "profiles", "tail", "doctor", "dead-letters", "view"])
def test_each_help_has_an_example(name):
    def commands(command, path):
        if isinstance(command, click.Group):
            for inner in command.commands.values():
                yield from commands(inner, [*path, inner.name])
        else:
            yield path

    for path in commands(main.get_command(None, name), [name]):
        shown = CliRunner().invoke(main, [*path, "--help"])
        assert "Example" in shown.output, path
        assert f"decibel {' '.join(path)}" in shown.output or "decibel --settings" in shown.output, path


def test_a_mistyped_command_is_told_the_nearest_one():
    shown = CliRunner().invoke(main, ["ingets"])
    assert shown.exit_code == 2
    assert "Did you mean 'ingest'?" in shown.stderr


def test_broken_settings_stop_commands_but_not_their_help(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[kafka")
    assert CliRunner().invoke(main, ["--settings", str(path), "ingest", "--help"]).exit_code == 0
    stopped = CliRunner().invoke(main, ["--settings", str(path), "topics", "list"])
    assert stopped.exit_code == 1
    assert stopped.stderr.startswith(f"decibel: {path}: not TOML")
    assert stopped.stderr.count("\n") == 1


def test_items_are_sent_in_order_under_their_incident(decibel, on, tmp_path):
    path = tmp_path / "items.jsonl.gz"
    sent = [item(number) for number in range(500)]
    path.write_bytes(gzip.compress(lines(*sent)))
    done = decibel("ingest", str(path), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["accepted"] == 500
    found = on(SOURCE_ITEMS)
    assert {record.key for record in found} == {b"log4shell"}
    assert [json.loads(record.value) for record in found] == sent


def test_items_come_from_standard_input_and_csv(decibel, on, tmp_path):
    assert decibel("ingest", "-", stdin=lines(item(1))).exit_code == 0
    path = tmp_path / "posts.csv"
    path.write_text("id,score,when\n2,12,2021-12-10 01:05\n")
    columns = "item_id=id,likes=score,published_at=when,incident_id==log4shell,platform==reddit"
    assert decibel("ingest", str(path), "--map", columns).exit_code == 0
    assert json.loads(on(SOURCE_ITEMS)[1].value)["engagement"] == {"likes": 12}


def test_a_bad_line_is_told_kept_and_counted_and_the_others_are_sent(decibel, on, tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(lines(item(1), b"{nope\n", item(2, engagement={"likes": "x"}), b"\xff\n", item(3)))
    done = decibel("ingest", str(path))
    assert done.exit_code == 3
    assert f"{path}:2: the value is not JSON" in done.stderr
    assert f"{path}:3: engagement.likes: expected int, got str" in done.stderr
    assert [json.loads(record.value)["item_id"][-1] for record in on(SOURCE_ITEMS)] == ["1", "3"]
    letters = [msgspec.json.decode(record.value, type=DeadLetter) for record in on(DEAD_LETTERS)]
    kept = {letter.origin.offset: letter for letter in letters}
    assert kept[2].value == b"{nope"
    assert kept[3].key == b"log4shell"
    assert kept[4].value == b"\xff"
    assert {letter.origin.topic for letter in letters} == {str(path)}


def test_raw_sends_every_line_untouched(decibel, on):
    done = decibel("ingest", "-", "--raw", stdin=lines(item(1, engagement=7), b"{nope\n"))
    assert done.exit_code == 0
    assert {record.key: record.value for record in on(SOURCE_ITEMS)} == {
        b"log4shell": msgspec.json.encode(item(1, engagement=7)),
        None: b"{nope",
    }


def test_the_pace_is_kept(decibel):
    done = decibel("ingest", "-", "--rate", "100", "--json", stdin=lines(*map(item, range(51))))
    assert json.loads(done.stdout)["seconds"] >= 0.5


@pytest.mark.parametrize(
    "arguments", [["--map", "like=x"], ["--rate", "0"], ["--rate", "fast"], ["--unknown"], ["one", "two"]]
)
def test_wrong_usage_is_code_2(arguments):
    assert CliRunner().invoke(main, ["ingest", "file", *arguments]).exit_code == 2


def test_a_file_that_is_not_there_is_one_line_and_code_1(decibel):
    done = decibel("ingest", "gone.jsonl")
    assert done.exit_code == 1
    assert done.stderr == "decibel: gone.jsonl: cannot be read: No such file or directory\n"


PROFILE = {"incident_id": "log4shell", "title": "Log4Shell", "category": "Safety"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.jsonl", lines(PROFILE, PROFILE | {"incident_id": "other"})),
        ("p.json", msgspec.json.encode([PROFILE, PROFILE | {"incident_id": "other"}])),
        ("p.toml", b'[[profile]]\nincident_id = "log4shell"\n[[profile]]\nincident_id = "other"\n'),
        ("p.jsonl.gz", gzip.compress(lines(PROFILE, PROFILE | {"incident_id": "other"}))),
    ],
)
def test_profiles_are_sent_under_their_incident(decibel, on, tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text)
    assert decibel("profiles", "put", str(path)).exit_code == 0
    assert {record.key for record in on(INCIDENT_PROFILES)} == {b"log4shell", b"other"}


def test_a_profile_that_is_wrong_goes_back_to_its_own_topic_when_requeued(decibel, on, tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_bytes(lines(PROFILE | {"category": "Gossip"}))
    done = decibel("profiles", "put", str(path))
    assert done.exit_code == 3
    assert f"{path}:1: category:" in done.stderr
    assert decibel("dead-letters", "requeue", "--all").exit_code == 0
    [record] = on(INCIDENT_PROFILES)
    assert json.loads(record.value)["category"] == "Gossip"
    assert dict(record.headers)[REQUEUED_FROM]


def test_tail_prints_one_line_for_people_and_json_for_programs(decibel):
    decibel("ingest", "-", stdin=lines(item(1, title="red\x1b[31m")))
    people = decibel("tail", "source-items", "--from", "beginning", "--limit", "1").stdout
    assert "log4shell" in people
    assert "\x1b" not in people
    line = decibel("tail", "source-items", "--from", "beginning", "--timeout", "1", "--json").stdout
    event = json.loads(line)
    assert list(event) == ["topic", "key", "timestamp", "id", "value"]
    assert (event["topic"], event["key"], event["value"]["item_id"]) == (
        SOURCE_ITEMS,
        "log4shell",
        "hackernews:1",
    )


def test_tail_ends_quietly_when_its_reader_goes(decibel, environ):
    decibel("ingest", "-", stdin=lines(*map(item, range(2000))))
    with subprocess.Popen(
        [*DECIBEL, "tail", "source-items", "--from", "beginning"],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tail:
        assert tail.stdout.readline()
        tail.stdout.close()
        complaint = tail.stderr.read()
        assert tail.wait(ENOUGH_S) == 0
    assert complaint == b""


def test_ctrl_c_ends_tail_with_130(decibel, environ):
    decibel("ingest", "-", stdin=lines(item(1)))
    with subprocess.Popen(
        [*DECIBEL, "tail", "source-items", "--from", "beginning"],
        env=os.environ | environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tail:
        assert tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, complaint = tail.communicate(timeout=ENOUGH_S)
    assert tail.returncode == 130
    assert complaint == b"decibel: stopped\n"


@pytest.fixture
def rejected(decibel):
    decibel("ingest", "-", stdin=lines(b"{nope\n", item(1, stance=7), b"\xff\n"))


def listed(decibel, *arguments):
    return [
        json.loads(line) for line in decibel("dead-letters", "list", "--json", *arguments).stdout.splitlines()
    ]


def test_dead_letters_are_listed_by_reason_and_age(rejected, decibel):
    assert [letter["origin"]["offset"] for letter in listed(decibel)] == [1, 2, 3]
    assert [letter["origin"]["offset"] for letter in listed(decibel, "--limit", "2")] == [2, 3]
    assert [letter["reason"] for letter in listed(decibel, "--reason", "invalid")] == ["invalid"]
    assert "stdin/0/2" in decibel("dead-letters", "list").stdout


def test_a_dead_letter_is_shown_in_full(rejected, decibel):
    [place] = [letter["n"] for letter in listed(decibel, "--reason", "invalid")]
    shown = decibel("dead-letters", "show", place).stdout
    assert msgspec.json.encode(item(1, stance=7)).decode() in shown
    assert "stance: expected" in shown


def test_requeued_records_are_the_bytes_they_were(rejected, decibel, on):
    assert decibel("dead-letters", "requeue", "--all", "--dry-run").stdout.endswith("3 would be sent again\n")
    assert on(SOURCE_ITEMS) == []
    places = [letter["n"] for letter in listed(decibel, "--reason", "not-json")]
    assert decibel("dead-letters", "requeue", *places).exit_code == 0
    assert {record.value for record in on(SOURCE_ITEMS)} == {b"{nope", b"\xff"}
    assert {dict(record.headers)[REQUEUED_FROM].decode() for record in on(SOURCE_ITEMS)} == set(places)


@pytest.mark.parametrize("place", ["9:9", "0:99", "nonsense", "0:-1"])
def test_a_place_without_a_dead_letter_is_told_and_nothing_is_sent(rejected, decibel, on, place):
    first = listed(decibel)[0]["n"]
    done = decibel("dead-letters", "requeue", first, place)
    assert done.exit_code == 1
    assert "dead-letters list" in done.stderr
    assert on(SOURCE_ITEMS) == []


def test_requeue_wants_exactly_one_choice(decibel):
    assert decibel("dead-letters", "requeue").exit_code == 2
    assert decibel("dead-letters", "requeue", "0:0", "--all").exit_code == 2


def test_doctor_tells_settings_that_cannot_be_read(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("[topics]\npartitions = 0\n")
    done = CliRunner().invoke(main, ["--settings", str(path), "doctor", "--json"])
    assert done.exit_code == 1
    [check] = json.loads(done.stdout)
    assert check["status"] == "fail"
    assert "topics.partitions" in check["detail"]


def test_doctor_goes_on_where_view_and_policy_fail(decibel, environ, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("nonsense = 1\n")
    environ |= {"DECIBEL_POLICY": str(policy), "DECIBEL_VIEW_URL": "redis://:hunter2@127.0.0.1:1/0"}
    done = decibel("doctor", "--json")
    assert done.exit_code == 1
    found = {check["name"]: check["status"] for check in json.loads(done.stdout)}
    assert found == {"settings": "ok", "policy": "fail", "broker": "warn", "view": "fail"}
    assert "hunter2" not in done.output


@pytest.mark.parametrize("arguments", [["run"], ["rebuild"], ["show"]])
def test_a_view_that_nobody_else_could_see_is_refused(decibel, arguments):
    done = decibel("view", *arguments)
    assert done.exit_code == 1
    assert "view.url: embedded://" in done.stderr
