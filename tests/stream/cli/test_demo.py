"""`decibel demo` as a stranger runs it: a process of its own, ended by time, by Ctrl-C, by SIGTERM, or by a fault."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from schemas.codec import encode
from stream.demo.latency import Latency, Stopwatch
from stream.demo.story import LONGEST_PAUSE_S, MOST_PER_S, Observation, Pace
from tests.builders import item

pytestmark = pytest.mark.slow  # a broker and a worker start, and some seconds are played

DECIBEL = str(Path(sys.executable).with_name("decibel"))
ENOUGH_S = 60.0

IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
"""A program that runs its arguments on a terminal of their own and passes on what is typed and shown."""
ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
TABLE_HEAD = b"Incident"
"""Stands above the first incident that has a score."""


def demo(*arguments: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [DECIBEL, "demo", *arguments],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children_of(session: int) -> list[str]:
    """Processes of a session that still run."""
    found = subprocess.run(
        ["ps", "-o", "args=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if "defunct" not in line]


def child_of(parent: int, part: str) -> int:
    """The process id of the child of a demo that does this part of it; Faust gives the worker a name of its own."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    [chosen] = [line for line in lines if line.endswith(" pages") == (part == "pages")]
    return int(chosen.split()[0])


def address_of(running: "subprocess.Popen[str]") -> str:
    """Where a demo says that its pages are: the first thing it says."""
    assert running.stdout is not None
    found = re.search(r"pages at (http://\S+)", running.stdout.readline())
    assert found is not None
    return found[1]


def until_it_scores(running: "subprocess.Popen[str]") -> None:
    """Read its lines until one tells of updates."""
    assert running.stdout is not None
    deadline = time.monotonic() + ENOUGH_S
    for line in running.stdout:
        assert time.monotonic() < deadline
        if "updates" in line and " 0 updates" not in line:
            return
    raise AssertionError(f"it ended before it scored: {running.communicate()[1]}")


def test_a_headless_demo_scores_and_leaves_nothing_behind() -> None:
    """Given eight seconds; when the demo has played them; then every kind of event came out and nothing still runs."""
    running = demo("--seconds", "8", "--json")
    out, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 0, err
    summary = json.loads(out)
    assert summary["pages"]["incidents"] == summary["incidents"]
    assert summary["pages"]["address"] in err
    assert min(summary[name] for name in ("items", "updates", "state_changes", "peaks", "trend_changes")) > 0
    assert summary["dead_letters"] == 0
    assert children_of(running.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_ends_with_its_summary(number: signal.Signals) -> None:
    """Given an endless demo; when it is interrupted or told to end; then it sums up and exits with 0."""
    running = demo("--seconds", "600")
    until_it_scores(running)
    running.send_signal(number)
    out, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 0, err
    assert "score updates" in out
    assert children_of(running.pid) == []


def test_a_demo_whose_policy_is_wrong_says_so(tmp_path: Path) -> None:
    """Given a policy that is none; when the demo starts; then it ends with 1 and names file and fault."""
    policy = tmp_path / "policy.toml"
    policy.write_text("version = 1\n", encoding="utf-8")
    running = demo("--headless", DECIBEL_POLICY=str(policy))
    _, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 1
    assert str(policy) in err


@pytest.mark.parametrize(
    ("part", "name", "logged"),
    [
        ("worker", "worker 1", "metrics at http://127.0.0.1:"),
        ("pages", "the process that serves the pages", "serving at http://127.0.0.1:"),
    ],
)
def test_a_demo_of_which_a_part_dies_shows_why(part: str, name: str, logged: str) -> None:
    """Given an endless demo; when a part is killed; then it ends with 1, the reason and the end of the part's log."""
    running = demo("--seconds", "600", "--port", "0")
    until_it_scores(running)
    os.kill(child_of(running.pid, part), signal.SIGKILL)
    _, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 1
    assert f"{name} ended by signal 9; the end of its log:" in err
    assert logged in err


def test_a_demo_whose_port_is_taken_takes_another_and_says_so() -> None:
    """Given somebody who listens where the pages would be; when a demo is started; then they are elsewhere, it says
    where, and the board and what it asks for are there."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        running = demo("--seconds", "600", "--port", str(taken))
        address = address_of(running)
        assert address != f"http://127.0.0.1:{taken}"
        until_it_scores(running)
        with urllib.request.urlopen(f"{address}/", timeout=5) as answer:
            assert b"The loudest controversies" in answer.read()
        with urllib.request.urlopen(f"{address}/api/v1/incidents", timeout=5) as answer:
            assert "incidents" in json.load(answer)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=ENOUGH_S)
        assert running.returncode == 0, err
        assert f"{address}/ showed the board" in out


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere nothing tells a worker of its parent's end"
)
def test_a_demo_that_is_killed_takes_its_worker_with_it() -> None:
    """Given a demo; when it is killed with no last word; then its worker ends too."""
    running = demo("--seconds", "600")
    until_it_scores(running)
    assert children_of(running.pid) != []
    running.kill()
    running.communicate(timeout=ENOUGH_S)
    deadline = time.monotonic() + 5.0
    while children_of(running.pid):
        assert time.monotonic() < deadline, children_of(running.pid)
        time.sleep(0.05)  # the condition is another process's


def test_ctrl_c_in_a_terminal_gives_the_terminal_back_and_sums_up() -> None:
    """Given a demo that draws on a terminal; when Ctrl-C is typed there; then the screen is restored, the code 0."""
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, DECIBEL, "demo"],
        env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        shown = b""
        while TABLE_HEAD not in shown:
            part = os.read(terminal.stdout.fileno(), 65536)
            assert part, shown[-2000:]
            shown += part
        terminal.stdin.write(b"\x03")
        terminal.stdin.flush()
        rest = terminal.stdout.read()
        assert terminal.wait(ENOUGH_S) == 0, rest[-2000:]
    assert ENTER_SCREEN in shown
    assert b"score updates" in rest.partition(LEAVE_SCREEN)[2]


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--data", "nowhere.jsonl"), "nowhere.jsonl: cannot be read", 1),
        (("--data", os.devnull), "has no items", 1),
        (("--profiles", "profiles.jsonl"), "--profiles goes with --data", 2),
    ],
)
def test_what_cannot_be_played_is_told_before_anything_starts(
    arguments: tuple[str, ...], said: str, code: int
) -> None:
    """Given a file that is missing, empty, or without its items; when it is to be played; then the fault is named."""
    running = demo("--headless", *arguments)
    _, err = running.communicate(timeout=ENOUGH_S)
    assert (running.returncode, said in err) == (code, True), err


def test_a_recording_is_played_to_its_end_and_what_is_no_item_goes_to_the_dead_letters(
    tmp_path: Path,
) -> None:
    """Given three items and a broken line; when they are played; then the demo ends by itself, all counted."""
    path = tmp_path / "items.jsonl"
    lines = [encode(item(name, h=hour)) for hour, name in enumerate("abc")]
    path.write_bytes(b"\n".join([*lines, b'{"incident_id": "leak"}']))
    running = demo("--json", "--data", str(path), "--speed", "7200")
    out, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 0, err
    summary = json.loads(out)
    assert (summary["sent"], summary["items"], summary["dead_letters"]) == (4, 3, 1)
    assert summary["seconds"] < 10.0


def test_a_pace_shortens_silence_and_never_hurries_beyond_what_the_broker_keeps() -> None:
    """Given a burst, then a year of silence; when it is paced; then the burst is spread out, the silence is short."""
    burst = [Observation(1000.0, "one", b"") for _ in range(2 * int(MOST_PER_S))]
    pace = Pace([*burst, Observation(4e7, "one", b"")], speed=1.0)
    assert len(list(pace.due(0.0))) <= MOST_PER_S / 10
    assert len(list(pace.due(0.5))) <= MOST_PER_S
    assert sum(len(list(pace.due(0.5 + tenth / 10))) for tenth in range(1, 20)) <= 2 * MOST_PER_S
    assert not pace.told
    assert len(list(pace.due(2.4 + LONGEST_PAUSE_S))) == 1
    assert pace.told


def test_a_score_answers_for_all_that_were_sent_before_it() -> None:
    """Given three observations; when the score of the second is back; then two are measured, one waits."""
    watch = Stopwatch()
    for at, now_s in ((100.0, 1.0), (160.0, 1.2), (200.0, 1.4)):
        watch.sent("one", at, now_s)
    watch.scored("one", 130.0, 1.9)  # a deadline's
    watch.scored("two", 160.0, 1.9)
    assert watch.latency() is None
    watch.scored("one", 160.0, 2.0)
    assert watch.latency() == Latency(p50=800.0, p99=1000.0)
