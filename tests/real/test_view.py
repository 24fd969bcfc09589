"""The view's contract on a real Redis; and its processes killed, cut off, locked out and rebuilt."""

import asyncio
import json
import random
import socket
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from schemas.errors import ViewError
from schemas.topics import NOISE_SCORES
from stream.embedded_broker import EmbeddedBroker
from stream.settings import Secret, Settings
from stream.view.connection import PASSING, connect
from stream.view.keys import Keys
from stream.view.reader import ViewReader, opened
from stream.view.writer import ViewWriter
from tests.real.redis_server import RealRedis, certificate
from tests.view import (
    contents,
    entries_of,
    fresh,
    heard,
    laid_out,
    put,
    seen,
    slices,
    until,
    until_caught_up,
    world,
)
from tests.view_contract import *  # noqa: F403 - its tests run here too
from tests.view_contract import filled
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = [pytest.mark.real, pytest.mark.slow]  # a Redis starts, and processes that are killed start again

DECIBEL = str(Path(sys.executable).with_name("decibel"))
ENOUGH_S = 60


@pytest.fixture(scope="module")
def server():
    with RealRedis() as running:
        yield running


@pytest.fixture(scope="module")
def base(server):
    default = Settings()
    return msgspec.structs.replace(default, view=msgspec.structs.replace(default.view, url=server.url))


@pytest.fixture
def own():
    """A Redis of this test alone, to be killed."""
    with RealRedis() as running:
        yield running


@pytest.fixture
def deployment(own):
    """Topics on a broker of this test alone, a view in its Redis."""
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        changes = {"DECIBEL_VIEW_URL": own.url, "DECIBEL_VIEW_HTTP_PORT": "0", "DECIBEL_VIEW_TIMEOUT_S": "2"}
        yield Deployment(broker.bootstrap, embedded=True, changes=changes)


@pytest.fixture
async def client(deployment):
    """A client of the deployment's view."""
    async with aclosing(connect(deployment.settings)) as connected:
        yield connected


def sink(deployment):
    return WorkerProcess(deployment, (DECIBEL, "view", "run"))


def decibel(deployment, *arguments):
    return subprocess.run(
        [DECIBEL, *arguments],
        env=deployment.environ,
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        check=False,
    )


async def expected(settings):
    """The view and the live stream that these events make when nothing goes wrong."""
    mine = fresh(settings)
    async with aclosing(connect(mine)) as connected:
        writer = ViewWriter(connected, mine.view)
        await writer.begin(entries_of(mine).half_life_s)
        await filled(mine, writer)
        return await seen(connected, writer.keys), await heard(ViewReader(connected, mine.view.prefix, None))


async def test_killed_sinks_and_a_redis_that_forgets_leave_the_view_right(deployment, own, client):
    """Given a sink that is killed, and a Redis that comes back as it was some events ago; when both are started again;
    then view and live stream are as if nothing had happened."""
    outputs, keys = world(), Keys("decibel")
    third = len(outputs) // 3
    await put(deployment, outputs[:third])
    with sink(deployment) as process:
        process.until_ready()
        await until_caught_up(deployment, client, keys)
        process.kill()
    own.asked("SAVE")
    await put(deployment, outputs[third : 2 * third])
    with sink(deployment) as process:
        process.until_ready()
        await until_caught_up(deployment, client, keys)
        own.kill()
        await until(lambda: _says(process, "decibel_view_ready 0.0"), "the sink has seen that Redis is away")
        await put(deployment, outputs[2 * third :])
        own.start()
        await client.connection_pool.disconnect()  # those to the one that was killed
        await until_caught_up(deployment, client, keys)
        page = process.metrics()
        process.kill()
    assert 'decibel_view_errors_total{kind="displaced"} 1.0' in page
    assert 'decibel_view_lag_records{topic="noise-scores"}' in page
    view, stream = await expected(deployment.settings)
    assert await seen(client, keys) == view
    assert await heard(ViewReader(client, "decibel", None)) == stream


async def _says(process, line):
    return line in process.metrics()


async def test_a_rebuild_is_switched_at_once_while_events_come(deployment, client):
    """Given a running sink; when the view is rebuilt while events come; then readers see no half of one, and view and
    live stream are as without it."""
    outputs, keys = world(), Keys("decibel")
    half = len(outputs) // 2
    await put(deployment, outputs[:half])
    with sink(deployment) as process:
        process.until_ready()
        await until_caught_up(deployment, client, keys)
        reader = ViewReader(client, "decibel", None)
        before = await reader.incidents()
        counts, done = [], asyncio.Event()

        async def look():
            while not done.is_set():
                counts.append((await reader.incidents(), len((await reader.board(limit=100)).standings)))
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        rebuilding = asyncio.to_thread(decibel, deployment, "view", "rebuild", "--json")
        _, finished = await asyncio.gather(put_slowly(deployment, outputs[half:]), rebuilding)
        done.set()
        await looking
        assert finished.returncode == 0, finished.stderr
        assert json.loads(finished.stdout)["generation"] == 2
        await until_caught_up(deployment, client, keys)
    assert await client.get(keys.current) == b"2"
    assert min(count for count, _ in counts) >= before
    assert all(on_board >= before - 1 for _, on_board in counts)
    view, stream = await expected(deployment.settings)
    assert await seen(client, keys) == view
    assert await heard(reader) == stream
    assert not [key async for key in client.scan_iter("decibel:1:*")], "the old generation is removed"


async def put_slowly(deployment, outputs):
    for first in range(0, len(outputs), 10):
        await put(deployment, outputs[first : first + 10])


async def test_a_lost_redis_is_made_anew_by_one_command_and_shown(deployment, own, client):
    """Given topics and an empty Redis; when the view is rebuilt; then `show` and `doctor` know it."""
    await put(deployment, world())
    assert "holds no view" in decibel(deployment, "doctor").stdout
    done = decibel(deployment, "view", "rebuild")
    assert done.returncode == 0, done.stderr
    assert "generation 1: 7 incidents" in done.stdout
    view, _ = await expected(deployment.settings)
    assert await seen(client, Keys("decibel")) == view
    board = json.loads(decibel(deployment, "view", "show", "--json", "--limit", "3").stdout)
    assert [len(board["standings"]), bool(board["cursor"])] == [3, True]
    loudest = board["standings"][0]["incident_id"]
    assert loudest in decibel(deployment, "view", "show", "board").stdout
    shown = json.loads(decibel(deployment, "view", "show", loudest, "--json").stdout)
    assert shown["incident"]["rank"] == 1
    assert shown["history"]
    assert shown["changes"]
    assert "number 1 on the board" in decibel(deployment, "view", "show", loudest).stdout
    missing = decibel(deployment, "view", "show", "nobody")
    assert (missing.returncode, "holds no incident 'nobody'" in missing.stderr) == (1, True)
    assert "generation 1 with 7 incidents" in decibel(deployment, "doctor").stdout
    own.asked("CONFIG SET", "maxmemory-policy", "allkeys-lru")
    own.asked("CONFIG SET", "maxmemory", 10**9)
    assert "noeviction" in decibel(deployment, "doctor").stdout


async def test_a_topic_that_was_made_anew_asks_for_a_rebuild(deployment, own, client):
    """Given a view of topics that are gone; when a sink starts on new ones; then it says so, and a rebuild mends it."""
    await put(deployment, world())
    with sink(deployment) as process:
        process.until_ready()
        await until_caught_up(deployment, client, Keys("decibel"))
    with EmbeddedBroker(deployment.topics) as broker:
        anew = Deployment(broker.bootstrap, embedded=True, changes=deployment.changes)
        few = [output for output in world() if output.topic == NOISE_SCORES][:4]
        await put(anew, few)
        refused = decibel(anew, "view", "run")
        assert refused.returncode == 1
        assert "decibel view rebuild" in refused.stderr
        assert decibel(anew, "view", "rebuild").returncode == 0
        heard_before = len(await ViewReader(client, "decibel", None).live("0", most=10_000))
        with sink(anew) as process:
            process.until_ready()
            more = [output for output in world() if output.topic == NOISE_SCORES][4:6]
            await put(anew, more)
            await until_caught_up(anew, client, Keys("decibel"))
        assert len(await ViewReader(client, "decibel", None).live("0", most=10_000)) == heard_before + 2


PASSWORD = "hunter2-in-redis"


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    files = certificate(tmp_path_factory.mktemp("certificates"), "redis")
    with RealRedis(PASSWORD, files) as running:
        yield running, files[0]


async def test_tls_and_password_let_in_who_has_them(secure, tmp_path):
    running, ca = secure
    (tmp_path / "password").write_text(PASSWORD + "\n")
    deployment = Deployment(
        "127.0.0.1:1",
        changes={
            "DECIBEL_VIEW_URL": running.url,
            "DECIBEL_VIEW_CA_FILE": str(ca),
            "DECIBEL_VIEW_PASSWORD_FILE": str(tmp_path / "password"),
        },
    )
    async with opened(deployment.settings) as reader:
        assert await reader.generation() is None
    done = decibel(deployment, "doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["view"]["status"] == "warn"
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": Secret("wrong")}, "view.password"),
        ({"password": Secret("")}, "view.password"),
        ({"ca_file": ""}, "view.ca_file"),
        ({"url": "redis", "ca_file": ""}, "check that Redis runs"),
    ],
)
async def test_who_has_not_is_told_which_setting_to_look_at(secure, changes, told):
    running, ca = secure
    view = msgspec.structs.replace(
        Settings().view, url=running.url, password=Secret(PASSWORD), ca_file=str(ca), timeout_s=2.0
    )
    if changes.get("url"):
        changes = {**changes, "url": running.url.replace("rediss", "redis")}
    settings = msgspec.structs.replace(Settings(), view=msgspec.structs.replace(view, **changes))
    with pytest.raises(ViewError, match=told) as refused:
        async with opened(settings) as reader:
            await reader.generation()
    await asyncio.sleep(0.1)  # asyncio closes the socket of a refused handshake in a later turn of the loop
    assert PASSWORD not in str(refused.value)


async def test_a_wait_for_news_outlasts_the_time_an_answer_may_take(base):
    """Given a limit of half a second for an answer; when nobody says anything for longer; then that is no error."""
    view = msgspec.structs.replace(fresh(base).view, timeout_s=0.5)
    async with opened(msgspec.structs.replace(base, view=view)) as reader:
        assert await reader.live("$", wait_s=1.2) == []


async def test_a_redis_that_is_full_takes_all_of_a_slice_or_nothing(own):
    """Given a Redis without room; when a slice is written; then it is refused whole, and taken once there is room."""
    settings = msgspec.structs.replace(Settings(), view=msgspec.structs.replace(Settings().view, url=own.url))
    view, stream = await expected(settings)
    async with aclosing(connect(settings)) as client:
        writer, log = ViewWriter(client, settings.view), laid_out(world())
        await writer.begin(entries_of(settings).half_life_s)
        before = await contents(client, "decibel:")
        pieces = list(slices(log, entries_of(settings), random.Random(5)))
        own.asked("CONFIG SET", "maxmemory", 1)
        with pytest.raises(PASSING):
            await writer.write(1, pieces[:5])
        assert await contents(client, "decibel:") == before
        own.asked("CONFIG SET", "maxmemory", 0)
        for each in pieces:
            await writer.write(1, [each])
        assert await seen(client, writer.keys) == view
        assert await heard(ViewReader(client, "decibel", None)) == stream


async def test_a_sink_ends_when_told_although_redis_is_away(deployment, own):
    with sink(deployment) as process:
        process.until_ready()
        own.kill()
        await until(lambda: _says(process, "decibel_view_ready 0.0"), "the sink has seen that Redis is away")
        assert process.stop() == 0


def test_a_sink_without_redis_or_port_says_so_and_ends(deployment, own):
    own.kill()
    refused = decibel(deployment, "view", "run")
    assert refused.returncode == 1
    assert "check that Redis runs and view.url" in refused.stderr
    own.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        deployment.changes["DECIBEL_VIEW_HTTP_PORT"] = str(taken.getsockname()[1])
        refused = decibel(deployment, "view", "run")
    assert refused.returncode == 1
    assert "view.http_port" in refused.stderr


async def test_the_view_can_be_reached_by_a_socket_file(own):
    view = msgspec.structs.replace(Settings().view, url=f"unix://{own.socket}")
    async with opened(msgspec.structs.replace(Settings(), view=view)) as reader:
        assert await reader.generation() is None
        assert await reader.live("$", wait_s=0.1) == []
