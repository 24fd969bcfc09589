"""How many live readers one gateway serves: `python -m bench.sse [--clients 1000] [--rate 2000] [--seconds 10]`.

A Redis, a gateway, a writer of score updates and the readers, each a process of its own on this machine. Every reader
must get every update. One more connects and reads nothing: it must be cut off, and nobody else may notice. On a machine
with other work `chrt -r 1` before the command gives it the processors when it wants them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

START_S: Final = 30.0
FORMS: Final = ("full", "brief")
ENCODINGS: Final = ("gzip", "identity")
DECODED: Final = 5
"""Readers of each process that read every event's place; the others are cheaper (see bench.listeners)."""


class Load(NamedTuple):
    """What is asked of the gateway: readers, updates a second, for how long, and of which form."""

    clients: int
    rate: int
    seconds: float
    form: str
    readers: int = 2
    tick_ms: int = 50
    slow: bool = True
    encoding: str = "gzip"


class Measured(NamedTuple):
    """What came of it: times in seconds, memory in bytes."""

    updates: int
    delivered: int
    complete: int
    in_order: bool
    write_s: float
    read_s: float
    bytes: int
    ages: list[float]
    cpu_s: float
    memory: int
    slow_cut_off: int
    others_cut_off: int


def measure(load: Load, redis_url: str) -> Measured:
    """Run a load against a gateway on the Redis at `redis_url`; its view must be empty."""
    environ = _environment(load, redis_url)
    with contextlib.ExitStack() as stack:
        port, metrics_port, pid = stack.enter_context(_gateway(environ))
        readers = [
            stack.enter_context(_process("bench.listeners", *arguments, environ=environ))
            for arguments in _shares(load, port)
        ]
        for reader in readers:
            assert _line(reader) == "ready\n"
        slow = stack.enter_context(_mute(port)) if load.slow else None
        before = _cpu_s(pid)
        writer = stack.enter_context(
            _process("bench.updates", str(load.rate), str(load.seconds), environ=environ)
        )
        wrote = json.loads(_line(writer))
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write(f"{wrote['events']}\n")
            reader.stdin.flush()
        told = [json.loads(_line(reader)) for reader in readers]
        spent, memory = _cpu_s(pid) - before, _memory(pid)
        metrics = _metrics(metrics_port)
        assert slow is None or slow.fileno() >= 0
    return _measured(load, wrote, told, metrics, spent, memory)


def _measured(load: Load, wrote: Any, told: list[Any], metrics: str, spent: float, memory: int) -> Measured:
    counts = [count for each in told for count in each["events"]]
    places = [place for each in told for place in each["places"]]
    in_order = all(
        each == sorted(map(tuple, each)) == sorted(set(map(tuple, each))) for each in _tuples(places)
    )
    slow = _ended(metrics, "slow")
    return Measured(
        wrote["events"],
        sum(counts),
        sum(count == wrote["events"] for count in counts),
        in_order,
        wrote["seconds"],
        max(each["seconds"] for each in told),
        sum(each["bytes"] for each in told),
        sorted(age for each in told for age in each["ages"]),
        spent,
        memory,
        slow,
        sum(each["closed"] for each in told),
    )


def _tuples(places: list[list[list[int]]]) -> Iterator[list[tuple[int, ...]]]:
    for each in places:
        yield [tuple(place) for place in each]


def _shares(load: Load, port: int) -> list[tuple[str, ...]]:
    path = f"/live?form={load.form}"
    counts = [load.clients // load.readers] * load.readers
    counts[0] += load.clients - sum(counts)
    return [
        ("127.0.0.1", str(port), path, load.encoding, str(count), str(min(DECODED, count)))
        for count in counts
    ]


def _environment(load: Load, redis_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DECIBEL_")}
    return inherited | {
        "DECIBEL_VIEW_URL": redis_url,
        "DECIBEL_VIEW_LIVE_MOST": "200000",
        "DECIBEL_GATEWAY_PORT": "0",
        "DECIBEL_GATEWAY_HTTP_PORT": "0",
        "DECIBEL_GATEWAY_CLIENTS_MOST": str(load.clients + 10),
        "DECIBEL_GATEWAY_CLIENTS_EACH_MOST": str(load.clients + 10),
        "DECIBEL_GATEWAY_RATE_PER_S": "0",
        "DECIBEL_GATEWAY_TICK_MS": str(load.tick_ms),
    }


@contextlib.contextmanager
def _gateway(environ: Mapping[str, str]) -> Iterator[tuple[int, int, int]]:
    """A gateway's port, its metrics' port, and its process."""
    command = [str(Path(sys.executable).with_name("decibel")), "gateway", "run"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            ports: dict[str, int] = {}
            said = ""
            while len(ports) < 2:
                said += (line := process.stderr.readline())
                assert line, f"the gateway ended: {said}"
                for kind, number in re.findall(r"(serving|metrics) at http://[^:]+:(\d+)", line):
                    ports[kind] = int(number)
            yield ports["serving"], ports["metrics"], process.pid
        finally:
            process.terminate()
            process.wait(START_S)


@contextlib.contextmanager
def _process(module: str, *arguments: str, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def _mute(port: int) -> Iterator[socket.socket]:
    """A reader that asks for everything and reads nothing."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /live HTTP/1.1\r\nHost: slow\r\n\r\n")
        yield connection


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args} ended"
    return line


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def _ended(metrics: str, how: str) -> int:
    found = re.search(rf'^decibel_gateway_live_ended_total{{how="{how}"}} (\S+)$', metrics, re.MULTILINE)
    assert found is not None
    return round(float(found[1]))


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - the kernel's, not a file
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """The most it has used so far (VmHWM)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123 - as above
        found = re.search(r"VmHWM:\s+(\d+) kB", file.read())
    assert found is not None
    return int(found[1]) * 1024


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of its own, without persistence; its address."""
    program = shutil.which("redis-server")
    assert program, "redis-server is needed: apt-get install redis-server"
    with tempfile.TemporaryDirectory(prefix="decibel-bench-") as folder:
        path = f"{folder}/socket"
        command = [program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                deadline = time.monotonic() + START_S
                while not os.path.exists(path):  # noqa: PTH110 - a socket
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                yield f"unix://{path}"
            finally:
                process.terminate()


def quantile(ordered: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def report(load: Load, measured: Measured) -> str:
    """Return what came of it, as a table."""
    ages, delivered = measured.ages, measured.delivered
    rows = [
        ("readers", f"{load.clients:,}, form {load.form}, {load.encoding}"),
        (
            "updates",
            f"{measured.updates:,} in {measured.write_s:.1f} s ({measured.updates / measured.write_s:,.0f}/s)",
        ),
        ("got all of them, in order", f"{measured.complete:,} of {load.clients:,}; {measured.in_order}"),
        ("events delivered", f"{delivered:,} ({delivered / measured.write_s:,.0f}/s)"),
        ("bytes", f"{measured.bytes / 1e6:,.0f} MB ({measured.bytes / measured.write_s / 1e6:,.0f} MB/s)"),
        ("delivery, median", f"{1000 * statistics.median(ages):.0f} ms"),
        ("delivery, p99", f"{1000 * quantile(ages, 0.99):.0f} ms; longest {1000 * ages[-1]:.0f} ms"),
        ("gateway's processor time", f"{measured.cpu_s:.1f} s"),
        ("gateway's memory, most", f"{measured.memory / 1e6:.0f} MB"),
        (
            "cut off",
            f"{measured.slow_cut_off} (the one that reads nothing), others {measured.others_cut_off}",
        ),
    ]
    return "\n".join(f"{name:<28}{value}" for name, value in rows)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sse", description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--form", choices=FORMS, default="full")
    parser.add_argument("--encoding", choices=ENCODINGS, default="gzip")
    parser.add_argument("--tick-ms", type=int, default=50)
    given = parser.parse_args()
    load = Load(
        given.clients, given.rate, given.seconds, given.form, tick_ms=given.tick_ms, encoding=given.encoding
    )
    with redis_server() as url:
        print(report(load, measure(load, url)))


if __name__ == "__main__":
    main()
