"""`decibel replay --jobs`: several processes give what one gives, to the byte and in its order."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import chain
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.errors import DecibelError
from schemas.source_item import Moved
from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from scoring.incident import Incident
from stream.cli import main
from stream.replay.jobs import AHEAD, sharing
from stream.replay.run import Replay
from stream.replay.share import PART, Plan
from tests.builders import hours, item, merged, profile
from tests.driver import SHIPPED_POLICY
from tests.recordings import recording

SAMPLES = Path(__file__).parents[3] / "samples"
INCIDENTS = ("leak", "fire", "walkout", "quake", "strike", "log4shell", "Ünïcode")

BAD = (
    b"{",
    b'{"incident_id": "leak"}',
    b'{"incident_id": "fire", "item_id": "x", "platform": "news", "published_at": "1970-01-01T00:00:00Z"}',
    b'{"incident_id": ""}',
    b'{"incident_id": "\\ud800"}',
    b'"' + b"x" * SHIPPED_POLICY.limits.record_bytes + b'"',
    encode(item("a\0b", "quake")),
)
"""No JSON, no item, an absurd time, no incident, no text, too long, a forbidden id."""


def run(*arguments, code=0, stdin=None):
    result = CliRunner().invoke(main, ["replay", *map(str, arguments)], input=stdin)
    assert result.exit_code == code, (result.stderr, result.exception)
    assert active_children() == []
    return result


def summary(text):
    """The summary of a run, but for how long it took."""
    return {
        name: value
        for name, value in json.loads(text.splitlines()[-1]).items()
        if name not in ("seconds", "items_per_second")
    }


def named(text):
    """What stands on stderr before the summary as JSON."""
    return text.splitlines()[:-1]


def assert_the_same(jobs, *arguments):
    """Whatever is written where: as with one process."""
    one, many = (run(*arguments, "--json", "--out", "-", "--jobs", number) for number in (1, jobs))
    assert many.stdout_bytes == one.stdout_bytes
    assert (summary(many.stderr), named(many.stderr)) == (summary(one.stderr), named(one.stderr))
    lean = run(*arguments, "--json", "--jobs", jobs)
    assert summary(lean.stdout) == summary(one.stderr)
    assert lean.stderr.splitlines() == named(one.stderr)
    return one


@pytest.fixture(autouse=True)
def one_moment(monkeypatch):
    """All runs of a test receive their records at one moment: it stands in the dead letters."""
    stopped = SimpleNamespace(time=lambda: hours(9e4), perf_counter=time.perf_counter)
    monkeypatch.setattr("stream.cli.replay.time", stopped)


@pytest.fixture
def mixed(tmp_path):
    """Two files with all kinds of records, and their profiles, one of which is wrong."""
    files = []
    for name, begin in (("one", 0), ("two", 300)):
        lines = []
        for number in range(240):
            incident = INCIDENTS[number * number % len(INCIDENTS)]
            late = 30 if number % 11 == 0 else 0
            lines.append(
                encode(item(f"i{number % 60}", incident, h=begin + number - late, likes=7**5 * number))
            )
            if number % 17 == 0:
                lines.append(BAD[number // 17 % len(BAD)])
        file = tmp_path / f"{name}.jsonl"
        file.write_bytes(b"\n".join(lines) + b"\n")
        files.append(file)
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_bytes(
        b"\n".join([encode(profile("fire", impact=90.0)), b'{"incident_id": "leak", "impact', b"{}"])
    )
    return [*files, "--profiles", profiles]


@settings(
    max_examples=6,  # each is three replays, and nothing smaller would say more
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    jobs=st.integers(2, 5),
    partitions=st.integers(1, 9),
    until=st.none() | st.floats(0.0, 700.0),
)
def test_any_number_of_processes_gives_what_one_gives(mixed, jobs, partitions, until):
    stop = [] if until is None else ["--until", from_epoch(hours(until)).isoformat()]
    assert_the_same(jobs, *mixed, "--partitions", partitions, *stop)


def test_dead_letters_come_once_and_the_first_are_named(mixed):
    one = assert_the_same(3, *mixed)
    assert len(named(one.stderr)) == 5
    assert summary(one.stderr)["rejected"] == summary(one.stderr)["events"]["dead-letters"] == 32


def test_a_folder_holds_the_same_files(mixed, tmp_path):
    for jobs in (1, 2):
        run(*mixed, "--jobs", jobs, "--out", tmp_path / str(jobs))
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / jobs).iterdir()} for jobs in ("1", "2"))
    assert one == two
    assert one["noise-scores.jsonl"]


def test_csv_gzip_and_the_samples_too(tmp_path):
    columns = (
        "item_id=id,incident_id=story,platform=site,published_at=created,observed_at=seen,audience=followers"
    )
    assert_the_same(2, SAMPLES / "items.csv", "--columns", columns)
    packed = tmp_path / "items.jsonl.gz"
    packed.write_bytes(gzip.compress((SAMPLES / "items.jsonl").read_bytes()))
    assert_the_same(2, packed, "--profiles", SAMPLES / "profiles.jsonl")


def test_a_part_of_a_recording_that_fills_many_parts_is_the_same(tmp_path):
    items, _ = recording("frontpage-2021")
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(items[: PART * 3 + 7]))
    assert_the_same(2, file)


def test_an_item_that_says_it_was_moved_stays_where_it_is_without_a_merge(tmp_path):
    """Given what only the engine writes in a file; then no partition sends anything, and all is as with one process."""
    moved = Moved(("fire", "leak"), from_epoch(hours(3)))
    file = tmp_path / "items.jsonl"
    file.write_bytes(
        b"\n".join(encode(item(str(h), "leak", h=h, moved=moved if h else None)) for h in range(3))
    )
    assert_the_same(2, file)


def test_where_profiles_merge_one_process_does_it_and_says_why(tmp_path):
    # given
    items, profiles = tmp_path / "items.jsonl", tmp_path / "profiles.jsonl"
    items.write_bytes(b"\n".join(encode(item(name, name, h=1)) for name in INCIDENTS))
    profiles.write_bytes(encode(merged("leak", "fire")))
    arguments = [items, "--profiles", profiles, "--out", "-"]

    # when
    one, two = (run(*arguments, "--jobs", jobs) for jobs in (1, 2))

    # then
    assert two.stdout_bytes == one.stdout_bytes
    assert f"--jobs 2 becomes 1: {profiles}:1 merges 'leak' into 'fire'" in two.stderr
    assert "becomes" not in one.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-"], 2, "standard input can be read but once"),
        (["."], 2, ". can be read but once"),
        ([SAMPLES / "items.jsonl", "--compare", "x.toml"], 2, "--jobs and --compare"),
        ([SAMPLES / "items.jsonl", "--jobs", "65"], 2, "--jobs"),
        (["missing.jsonl"], 1, "missing.jsonl: cannot be read"),
    ],
)
def test_trouble_is_told_in_a_line(arguments, code, said):
    result = run("--jobs", 2, *arguments, code=code)
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_breaks_off_is_told_after_all_that_came_before(tmp_path):
    packed = tmp_path / "items.jsonl.gz"
    packed.write_bytes(gzip.compress((SAMPLES / "items.jsonl").read_bytes())[:-9])
    one, two = (run(packed, "--out", "-", "--jobs", jobs, code=1) for jobs in (1, 2))
    assert two.stdout_bytes == one.stdout_bytes
    assert "break off after line" in two.stderr
    assert two.stderr == one.stderr


def test_a_process_that_is_killed_ends_the_whole_with_an_error(tmp_path):
    """Given processes that wait for theirs to be taken; when one is killed; then an error says so, and none is left."""
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(encode(item(str(n), str(n % 50), h=n)) for n in range(PART * (AHEAD + 8))))
    plan = Plan(SHIPPED_POLICY, 8, hours(9e4), float("inf"), True, ("", []), (str(file),), None, 5)

    def lose_one():
        with sharing(plan, 2) as shared:
            parts = shared.parts()
            next(parts)
            os.kill(sorted(process.pid for process in active_children())[1], signal.SIGKILL)
            list(parts)

    with pytest.raises(DecibelError, match=r"process . of --jobs 2 has ended"):
        lose_one()
    assert active_children() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_was_told_to_end(tmp_path, number):
    """Given a replay whose reader reads nothing; when its first process ends; then the pipe it shared closes."""
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join(encode(item(str(n), str(n % 50), h=n)) for n in range(4000)))
    command = [sys.executable, "-c", "from stream.cli import main; main()", "replay", str(file)]
    with subprocess.Popen(
        [*command, "--jobs", "2", "--out", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=SAMPLES.parent,
    ) as process:
        assert process.stdout.read(1)
        process.send_signal(number)
        # Only when nobody holds its other end does a pipe end: the processes have it from their parent.
        _, told = process.communicate(timeout=60)

    assert process.returncode != 0
    assert b"Traceback" not in told


def test_without_out_what_happens_is_counted_and_no_event_of_it_is_made(mixed):
    file = mixed[0].read_bytes().splitlines()
    whole, lean = (
        Replay(SHIPPED_POLICY, received_at=hours(9e4), is_read=is_read) for is_read in (True, False)
    )
    place = ("items.jsonl", 1)

    every, less = (
        [*chain.from_iterable(run.item(value, place) for value in file), *run.finish()]
        for run in (whole, lean)
    )

    of_incidents = (NOISE_SCORES, TREND_UPDATES, STATE_CHANGES, PEAK_CROSSINGS)
    happened = Counter(each.topic for each in every if each.topic in of_incidents)
    assert less == [each for each in every if each.topic not in of_incidents]
    assert happened == lean.reached(5).untold
    assert all(happened[topic] for topic in of_incidents)
    for _, incident in whole.incidents():
        incident.due, incident.due_by = Incident().due, Incident().due_by  # put there with the score
    assert whole.reached(5)._replace(untold=happened) == lean.reached(5)
