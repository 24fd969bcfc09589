"""The README's commands, run as they are written, one after the other, on a real Kafka.

In a folder with the samples and the policy; one that ends in ` &` stays in the background until the end. The variables
say only what differs from machine to machine: where Kafka is, names and a port that no other test has. Each line of
output that the README shows must come out. `make …` is what .ci/run runs: see tests/docs/test_readme.py.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.test_readme import README, ROOT, fenced, steps
from tests.real.redis_server import RealRedis

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
]  # a broker and a worker start, and `tail` waits for the last event

BIN = Path(sys.executable).parent
ENOUGH_S = 60
WORKS = {" worker": "incidents recovered", " view run": "is continued", " gateway run": "serving at"}
"""What a command that stays says when it works."""
STOP_S = 30


def settled(text):
    """Lines without their alignment."""
    return [" ".join(line.split()) for line in text.splitlines()]


def example_settings(folder):
    for block in fenced(README, "toml"):
        name = re.match(r"# (\S+)\n", block)
        assert name, "the first line of a settings file says its name"
        (folder / name[1]).write_text(block)


@pytest.fixture
def redis():
    with RealRedis() as running:
        yield running


def test_every_other_command_does_what_the_readme_says(kafka, redis, prefix, tmp_path):
    for name in ("samples", "scoring"):
        shutil.copytree(ROOT / name, tmp_path / name)
    example_settings(tmp_path)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DECIBEL_")} | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "DECIBEL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "DECIBEL_TOPICS_PREFIX": prefix,
        "DECIBEL_APP_ID": f"{prefix}app",
        "DECIBEL_WORKER_HTTP_PORT": "0",
        "DECIBEL_VIEW_URL": redis.url,
        "DECIBEL_VIEW_HTTP_PORT": "0",
        "DECIBEL_GATEWAY_PORT": "0",
        "DECIBEL_GATEWAY_HTTP_PORT": "0",
    }
    running = []
    try:
        for command, shown in steps():
            if command.startswith("make "):
                continue
            if command.endswith(" &"):
                running.append(started(command.removesuffix(" &"), tmp_path, environ))
                continue
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environ,
                capture_output=True,
                text=True,
                timeout=ENOUGH_S,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            out = settled(done.stdout + done.stderr)
            for line in settled("\n".join(shown)):
                assert line in out, f"{command}\nshown: {line}\n{done.stdout}{done.stderr}"
            if " tail " in command:
                assert done.stdout.strip(), f"{command} gave nothing"
        for process, log in running:
            assert process.poll() is None, log.read_text()
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) == 0, log.read_text()
    finally:
        for process, _ in running:
            process.kill()


def started(command, folder, environ):
    """Start a command in the background and wait until it works, as a reader waits before typing on."""
    [sign] = [said for words, said in WORKS.items() if command.endswith(words)]
    log = folder / f"{sign}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=folder, env=environ, stdout=file, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + ENOUGH_S
    while sign not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)  # the condition is another process's
    return process, log
