"""`decibel demo` as a stranger runs it: a process of its own, ended by time, by Ctrl-C, by SIGTERM, or by a fault."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a broker and a worker start, and some seconds are played

DECIBEL = str(Path(sys.executable).with_name("decibel"))
ENOUGH_S = 60.0


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


def test_a_headless_demo_scores_and_leaves_nothing_behind() -> None:
    """Given eight seconds; when the demo has played them; then every kind of event came out and nothing still runs."""
    running = demo("--seconds", "8", "--json")
    out, err = running.communicate(timeout=ENOUGH_S)
    assert running.returncode == 0, err
    summary = json.loads(out)
    assert min(summary[name] for name in ("items", "updates", "state_changes", "peaks", "trend_changes")) > 0
    assert summary["dead_letters"] == 0
    assert children_of(running.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_ends_with_its_summary(number: signal.Signals) -> None:
    """Given an endless demo; when it is interrupted or told to end; then it sums up and exits with 0."""
    running = demo("--seconds", "600")
    assert running.stdout is not None
    deadline = time.monotonic() + ENOUGH_S
    for line in running.stdout:
        assert time.monotonic() < deadline
        if "updates" in line and " 0 updates" not in line and "waiting" not in line:
            break
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
