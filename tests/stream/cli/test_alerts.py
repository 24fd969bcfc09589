"""`decibel alerts`: what it prints, and how it ends."""

import asyncio
import json
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.alerts.outbox import Outbox
from stream.cli import main
from tests.alerting import changed, desk, rule, rule_file, scored
from tests.builders import hours
from tests.receiver import Receiver

SAMPLES = Path(__file__).parents[3] / "samples"
RULES = ("--rules", str(SAMPLES / "alerts.toml"))
DATA = ("--data", str(SAMPLES / "items.jsonl"), "--profiles", str(SAMPLES / "profiles.jsonl"))


def run(*arguments, code=0, **environ):
    result = CliRunner().invoke(main, ["alerts", *map(str, arguments)], env=environ)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@contextmanager
def listening():
    """A receiver beside the command, which has an event loop of its own."""
    receiver, loop, ended = Receiver(), asyncio.new_event_loop(), asyncio.Event()
    begun = threading.Event()

    async def serve():
        async with receiver:
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert begun.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def channels(port, dead=9):
    return f"""
[[channel]]
name = "duty"
kind = "alertmanager"
url = "http://127.0.0.1:{port}"
[[channel]]
name = "newsroom"
kind = "apprise"
url = "json://user:hush@127.0.0.1:{port}/hush"
[[channel]]
name = "archive"
kind = "webhook"
url = "http://127.0.0.1:{dead}/hush"
"""


# -- simulate -----------------------------------------------------------------------------------------------


def test_simulate_tells_when_what_and_to_whom_in_the_time_of_the_recording():
    lines = run("simulate", *DATA, *RULES).stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[:2] for line in heads] == sorted(line.split()[:2] for line in heads)
    [major] = [line for line in heads if "major → " in line and "  alert " in line]
    assert major.startswith("2026-03-08 01:18:28  alert     major → duty, archive: Halcyon Labs")
    [repeat] = [line for line in heads if "  repeat  " in line]
    assert repeat.startswith("2026-03-08 13:18:28")
    daily = [line for line in heads if "peaks → newsroom" in line]
    assert {line.split()[1] for line in daily} == {"07:00:00"}, "08:00 in Berlin"


def test_simulate_tells_each_event_of_a_rule_once_and_sends_nothing(tmp_path):
    everything = rule_file(
        tmp_path,
        channels(9) + '[[rule]]\nname = "all"\nchannels = ["duty"]\nwhen = { states = {}, peaks = {} }\n',
    )
    printed = run("simulate", *DATA, "--rules", everything, "--json").stdout.splitlines()
    told = [alert["event_id"] for line in printed for alert in json.loads(line)["notice"]["alerts"]]
    replayed = CliRunner().invoke(main, ["replay", DATA[1], "--profiles", DATA[3], "--out", "-"]).stdout
    events = [json.loads(line) for line in replayed.splitlines()]
    wanted = [event["id"] for event in events if event["topic"] in {"state-changes", "peak-crossings"}]
    assert sorted(told) == sorted(wanted)


def test_simulate_wants_rules():
    assert "alerts.rules: there are no rules" in run("simulate", *DATA, code=1).stderr


# -- test ---------------------------------------------------------------------------------------------------


def test_test_says_what_each_channel_answered_and_shows_no_secret(tmp_path):
    with listening() as receiver:
        done = run("test", "--rules", rule_file(tmp_path, channels(receiver.port)), code=1)
        rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert "delivered" in rows["duty"]
    assert "delivered" in rows["newsroom"]
    assert "FAILED" in rows["archive"]
    assert "cannot be reached" in rows["archive"]
    assert "hush" not in done.output
    assert {posted.path for posted in receiver.posted} == {"/api/v2/alerts", "/hush"}
    assert "Nothing has happened" in receiver.posted[0].body.decode()


def test_test_ends_well_where_all_take_it(tmp_path):
    with listening() as receiver:
        file = rule_file(tmp_path, channels(receiver.port, receiver.port))
        answers = [json.loads(line) for line in run("test", "--rules", file, "--json").stdout.splitlines()]
    assert [each["outcome"] for each in answers] == ["taken"] * 3
    assert [each["kind"] for each in answers] == ["alertmanager", "apprise", "webhook"]


# -- list and retry -----------------------------------------------------------------------------------------


def test_list_says_what_rules_tell_and_of_whom():
    rows = {line.split()[0]: line for line in run("list", *RULES).stdout.splitlines()[1:]}
    assert "→ Major Controversy" in rows["major"]
    assert "trend Surging; spike (balanced)" in rows["outbreak"]
    assert "from Chatter" in rows["peaks"]
    assert "choir-001, Quillmark" in rows["watched"]
    assert [
        json.loads(line)["rule"]["name"] for line in run("list", *RULES, "--json").stdout.splitlines()
    ] == [
        "major",
        "outbreak",
        "peaks",
        "watched",
    ]


@pytest.fixture
def undelivered(tmp_path):
    """A folder whose outbox holds a notice that waits for one channel and has failed for another."""
    at = desk(rule())
    at.hear(scored(), hours(0))
    notices = at.hear(changed(), hours(0))
    with Outbox(tmp_path) as outbox:
        outbox.commit({}, (), [(each, ("hook", "duty")) for each in notices], hours(0))
        outbox.failed(outbox.next_for("duty", hours(0)).number, hours(0), "HTTP 400: \x1b[31mno")
    return {"DECIBEL_ALERTS_DATADIR": str(tmp_path)}


def test_what_is_undelivered_is_listed_with_what_was_answered(undelivered):
    done = run("list", "--pending", **undelivered)
    assert "HTTP 400:  [31mno" in done.stdout, "control characters are taken out"
    listed = [
        json.loads(line) for line in run("list", "--pending", "--json", **undelivered).stdout.splitlines()
    ]
    assert [(each["channel"], each["state"]) for each in listed] == [("hook", "pending"), ("duty", "failed")]


def test_what_failed_is_tried_again_on_request(undelivered):
    assert run("retry", **undelivered).stdout.startswith("1 to be tried again")
    listed = [
        json.loads(line) for line in run("list", "--pending", "--json", **undelivered).stdout.splitlines()
    ]
    assert {each["state"] for each in listed} == {"pending"}


def test_nothing_undelivered_is_said(tmp_path):
    done = run("list", "--pending", DECIBEL_ALERTS_DATADIR=str(tmp_path))
    assert done.stdout == "Everything is delivered.\n"


def test_run_says_what_is_missing_before_it_looks_for_kafka(tmp_path):
    assert "alerts.rules" in run("run", code=1).stderr
    file = rule_file(tmp_path, "")
    assert "alerts.datadir" in run("run", code=1, DECIBEL_ALERTS_RULES=str(file)).stderr


# -- doctor -------------------------------------------------------------------------------------------------


def examined(**environ):
    """What `decibel doctor` finds of alerting."""
    kafka = {"DECIBEL_KAFKA_API_VERSION": "2.3"}  # it looks at no broker then
    done = CliRunner().invoke(main, ["doctor", "--json"], env=kafka | environ)
    return [each for each in json.loads(done.stdout) if each["name"] == "alerts"]


def test_doctor_looks_at_alerts_where_there_are_rules(tmp_path, undelivered):
    assert examined() == []
    wrong = rule_file(tmp_path, "[[rule]]\n")
    [failed] = examined(DECIBEL_ALERTS_RULES=str(wrong))
    assert (failed["status"], "rule 1: name" in failed["detail"]) == ("fail", True)
    sample = {"DECIBEL_ALERTS_RULES": RULES[1]}
    [waits] = examined(**sample, **undelivered)
    assert (waits["status"], waits["detail"]) == ("warn", "1 notices wait and 1 have failed: duty, hook")
    [good] = examined(**sample, DECIBEL_ALERTS_DATADIR=str(tmp_path / "new"))
    assert good["detail"] == "4 rules, 3 channels, everything delivered"
