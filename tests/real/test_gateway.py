"""The gateway on a real Redis: held against its own document by Schemathesis, fed with what attackers write, with many
readers at once, without its Redis, and as a process.
"""

import asyncio
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest

from bench.sse import Load, measure, report
from schemas.incident_profile import Party
from schemas.topics import DEAD_LETTERS, SOURCE_ITEMS
from stream.gateway.incidents import quoted
from stream.gateway.kafka_state import KafkaWatch
from stream.gateway.openapi import ROUTES
from stream.provisioning import apply
from stream.settings import Settings
from tests.gateway import everything, listening, scored, served
from tests.real.redis_server import RealRedis
from tests.stream.gateway.test_live import *  # noqa: F403 - its tests run here too
from tests.view import until
from tests.wire import Deployment
from tests.workers import ROOT

pytestmark = [pytest.mark.real, pytest.mark.slow]  # a Redis starts, and Schemathesis asks for a minute

BIN = Path(sys.executable).parent
ENOUGH_S = 100
WITHOUT_END = ("/live", "/live/ws")


@pytest.fixture(scope="module")
def server():
    with RealRedis() as running:
        yield running


@pytest.fixture
def base(server):
    default = Settings(clock="stream")
    return msgspec.structs.replace(default, view=msgspec.structs.replace(default.view, url=server.url))


async def test_schemathesis_finds_no_failure_and_no_undocumented_answer(gateway):
    """Given the document that is served; when Schemathesis asks what it allows and what it does not; then nothing
    fails, and every answer is as documented."""
    process = await asyncio.create_subprocess_exec(
        str(BIN / "schemathesis"),
        "--config-file",
        str(Path(__file__).with_name("schemathesis.toml")),
        "run",
        f"http://127.0.0.1:{gateway.port}/openapi.json",
        *(part for path in WITHOUT_END for part in ("--exclude-path", path)),
        *("--max-examples", "25", "--seed", "7", "--generation-deterministic", "--no-color"),
        # A busy machine is no failure.
        *("--request-timeout", "30", "--suppress-health-check", "all"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(ENOUGH_S):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()[-6000:]
    asked = len(ROUTES) - len(WITHOUT_END) - 1  # and the address from which it has the document
    assert re.search(rf"Tested: +{asked}\b", out.decode()), out.decode()[-3000:]


PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "</title></svg><script>alert(1)</script>",
    "<![CDATA[x]]> <!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]> &b;",
    "{{7*7}} ${7*7} #{7*7} %s%n",
    "'; DROP TABLE incidents; --",
    "\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "event: noise-scores\ndata: {}\n\n",
    "../../../../etc/passwd",
    "\u202e\u2066\u2028\u2029\ufeff",
    "\u0000",
    "\x1b[31m\x07",
    "a" * 200,
    "😀👩‍👩‍👧 ﷽ Z̷a̸l̵g̶o̷",
    "\ud7ff\ue000\uffff",
)


async def test_what_attackers_write_stays_text_everywhere(base):
    """Given titles, names, positions and ids of an attack corpus; then every answer is whole, and says them
    as text."""
    told = []
    for number, text in enumerate(PAYLOADS):
        incident = f"{number} {text}"[:256].replace("\u0000", "")
        party = Party(f"{number} {text}"[:128], position=text)
        told += scored(incident, title=text, summary=text, key_points=(text,), parties=(party,))
    async with served(base, *told) as gateway:
        listed = (await gateway.json("/api/v1/incidents?limit=200"))["incidents"]
        assert {each["title"] for each in listed} == set(PAYLOADS)
        for each in listed:
            ident = quoted(each["incident_id"])
            page = await gateway.json(f"/api/v1/incidents/{ident}")
            assert page["profile"]["summary"] == page["title"]
            async with gateway.http.get(f"/badge/{ident}.svg") as badge:
                assert b"<script" not in await badge.read()
        async with gateway.http.get("/feed.atom") as answer:
            body = await answer.text()
            assert "<script" not in body
            assert "<!ENTITY" not in body
            assert "Set-Cookie" not in answer.headers
        assert len((await gateway.json("/api/v1/figures?limit=500"))["figures"]) == len(PAYLOADS)
        async with listening(gateway, "?after=0-0&topic=incident-profiles") as reader:
            found = [(await reader.next()).event["title"] for _ in PAYLOADS]
            assert sorted(found) == sorted(PAYLOADS)
        async with gateway.http.get("/api/v1/export") as answer:
            assert len((await answer.read()).splitlines()) == len(PAYLOADS)


@pytest.mark.parametrize("place", ["path", "query", "header"])
async def test_no_request_of_an_attacker_is_answered_with_a_failure(gateway, place):
    for text in PAYLOADS:
        for path in (
            "/api/v1/incidents",
            "/api/v1/figures",
            "/api/v1/recap",
            "/badge",
            "/incident",
            "/assets",
        ):
            if place == "path":
                answer = gateway.http.get(f"{path}/{quoted(text)}")
            elif place == "query":
                answer = gateway.http.get(f"{path}/x", params={text: text, "cursor": text})
            else:
                headers = {
                    "If-None-Match": text,
                    "Accept-Encoding": text,
                    "Authorization": text,
                    "Origin": text,
                }
                clean = {name: re.sub(r"[^\x20-\x7e]", "?", value) for name, value in headers.items()}
                answer = gateway.http.get(f"{path}/x", headers={**clean, "Accept-Encoding": "identity"})
            async with answer as got:
                assert got.status < 500, (path, text)
                assert got.content_type in {"application/json", "application/problem+json", "text/html"}
                assert "Set-Cookie" not in got.headers


async def test_while_redis_is_away_readers_are_told_so_and_go_on_when_it_is_back():
    """Given a Redis that is killed and comes back empty; then answers are 503 with when to come again, live readers
    stay and are told to begin anew."""
    with RealRedis() as own:
        default = Settings(clock="stream")
        base = msgspec.structs.replace(
            default, view=msgspec.structs.replace(default.view, url=own.url, timeout_s=1.0)
        )
        async with served(base, *everything()) as gateway, listening(gateway) as reader:

            async def level():
                return (await gateway.json("/api/v1/pulse"))["latest_event_at"] is not None

            await until(level, "the view is there")
            own.kill()
            for path in (
                "/api/v1/incidents",
                "/api/v1/operations",
                "/live?after=99999999999999-0",
                "/feed.atom",
                "/badge/a.svg",
            ):
                async with gateway.http.get(path) as answer:
                    assert answer.status == 503, path
                    assert int(answer.headers["Retry-After"]) >= 1
                    assert answer.content_type == "application/problem+json"
            assert (await gateway.json("/openapi.json"))["openapi"] == "3.1.0"
            own.start()
            while (await reader.next()).topic != "snapshot":  # before it, what was there when the reader came
                pass

            async def answers():
                async with gateway.http.get("/api/v1/incidents") as answer:
                    return answer.status == 200

            await until(answers, "the gateway answers again")


@pytest.mark.timeout(180)
def test_every_one_of_many_readers_gets_every_update():
    """Given 200 readers, plain and compressed; when 2,000 updates come in two seconds; then each has all of them, in
    order, and nobody is cut off."""
    for encoding in ("gzip", "identity"):
        with RealRedis() as own:
            load = Load(200, 1000, 2.0, "full", encoding=encoding, slow=False)
            measured = measure(load, own.url)
        assert measured.updates == 2000
        assert measured.complete == 200, report(load, measured)
        assert measured.in_order
        assert measured.delivered == 200 * 2000
        assert measured.others_cut_off == 0


async def test_the_lag_and_the_dead_letters_are_those_that_kafka_has(kafka, prefix):
    """Given records that no worker has read, and dead letters; then operations count them, and once more only later."""
    deployment = Deployment(kafka.bootstrap, prefix)
    await asyncio.to_thread(apply, deployment.settings)
    await deployment.produce(SOURCE_ITEMS, [(b"leak", b"{}"), (b"leak", b"{}"), (b"fire", b"{}")])
    await deployment.produce(DEAD_LETTERS, [(b"leak", b"{}")] * 2)
    watch = KafkaWatch(deployment.settings)
    told = await watch.state()
    assert (told.lag_records, told.dead_letters, told.error) == (3, 2, None)
    assert sum(each.lag_records for each in told.partitions) == 3
    assert len(told.partitions) == deployment.settings.topics.partitions
    assert await watch.state() is told


# -- as a process -------------------------------------------------------------------------------------------


@pytest.fixture
def process(server):
    """A gateway's process and what it has said until it served."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DECIBEL_")}
    environ = inherited | {
        "DECIBEL_VIEW_URL": server.url,
        "DECIBEL_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "DECIBEL_GATEWAY_PORT": "0",
        "DECIBEL_GATEWAY_HTTP_PORT": "0",
    }
    command = [str(BIN / "decibel"), "gateway", "run"]
    with subprocess.Popen(command, env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            ports: dict[str, int] = {}
            while len(ports) < 2:
                line = running.stderr.readline()
                assert line, "it ended"
                for kind, number in re.findall(r"(serving|metrics) at http://[^:]+:(\d+)", line):
                    ports[kind] = int(number)
            yield running, ports
        finally:
            running.kill()


def got(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body


def test_the_process_serves_measures_and_ends_when_told(process):
    running, ports = process
    assert got(ports["serving"], "/healthz") == b"ok\n"
    assert got(ports["metrics"], "/readyz") == b"ready\n"
    told = json.loads(got(ports["serving"], "/api/v1/operations"))
    assert told["kafka"]["lag_records"] is None
    assert "kafka" in told["kafka"]["error"].lower()
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['serving']}/live", timeout=30) as live:
        assert live.read(5) == b"retry"
        metrics = got(ports["metrics"], "/metrics").decode()
        assert 'decibel_gateway_live_clients{form="sse"} 1.0' in metrics
        assert 'decibel_gateway_requests_total{route="/api/v1/operations",status="200"} 1.0' in metrics
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    with pytest.raises(urllib.error.URLError):
        got(ports["serving"], "/healthz")


def test_an_embedded_view_is_refused_by_the_command():
    done = subprocess.run(
        [str(BIN / "decibel"), "gateway", "run"],
        env={name: value for name, value in os.environ.items() if not name.startswith("DECIBEL_")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "view.url" in done.stderr
