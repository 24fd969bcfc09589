"""From a worker's outputs on the embedded broker through the sink into the embedded view."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest

from schemas.topics import (
    INCIDENT_PROFILES,
    NOISE_INDEX,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from stream.embedded_broker import EmbeddedBroker
from stream.settings import Settings
from stream.view.connection import connect
from stream.view.keys import Keys
from stream.view.reader import ViewReader
from stream.view.run import run_rebuild, run_sink
from stream.view.topics import partitions_of
from tests.agreement import Expected
from tests.recordings import keyed, recording
from tests.view import fresh, put, seen, until_caught_up, world
from tests.wire import Deployment
from tests.workers import WorkerProcess

FIRST = 900
"""So many observations of tech-2021 are enough to meet every kind of event, and leave the run short."""
TOLD = (STATE_CHANGES, TREND_UPDATES, PEAK_CROSSINGS)


@pytest.fixture
def deployment():
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        yield Deployment(broker.bootstrap, embedded=True)


@pytest.fixture
def settings(deployment) -> Settings:
    """The deployment's, with a view of this test alone that forgets nothing."""
    mine = fresh(deployment.settings)
    view = msgspec.structs.replace(mine.view, live_most=1_000_000, changes_most=100_000)
    return msgspec.structs.replace(mine, view=view)


@asynccontextmanager
async def sinking(settings):
    """A sink while it is entered."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_sink(settings, partitions_of(settings), stop, listen=False))
        yield
        stop.set()


@pytest.mark.slow  # a worker starts and scores
async def test_the_view_shows_what_a_worker_scored(deployment, settings):
    """Given a recording; when a worker scores it and a sink reads along; then the view shows what a replay gives."""
    items, profiles = recording("tech-2021")
    items = items[:FIRST]
    async with aclosing(connect(settings)) as client:
        keys = Keys(settings.view.prefix)
        with WorkerProcess(deployment) as worker:
            worker.until_ready()
            async with sinking(settings):
                await deployment.produce(INCIDENT_PROFILES, keyed(profiles))
                await deployment.until_committed((INCIDENT_PROFILES,))
                await deployment.produce(SOURCE_ITEMS, keyed(items))
                await deployment.until_committed()
                await until_caught_up(deployment, client, keys)
        want, reader = Expected(items, profiles), ViewReader(client, settings.view.prefix, None)
        for incident_id, ident in want.last_score.items():
            found = await reader.incident(incident_id)
            assert bytes(found.standing.score) == want.events[ident][2]
        board = await reader.board(limit=1000)
        assert len(board.standings) == len(want.last_score)
        noise = [standing.noise for standing in board.standings]
        assert noise == sorted(noise, reverse=True)
        told = {ident for ident, (topic, _, _) in want.events.items() if topic in TOLD}
        live = [event.id for event in await reader.live("0", most=1_000_000) if event.topic in TOLD]
        assert sorted(live) == sorted(told), "each change once"
        for incident_id in want.last_score:
            for change in await reader.changes(incident_id):
                assert bytes(change.event) == want.events[change.id][2]
                told.discard(change.id)
        assert not told
        assert {each.category for each in await reader.index()} == set(want.index)


@pytest.mark.slow  # the old view stays for five seconds
async def test_a_rebuilt_view_equals_the_one_it_replaces(deployment, settings):
    """Given a view written live; when it is rebuilt; then the new one is the same, and the stream as it was."""
    async with aclosing(connect(settings)) as client:
        keys, reader = Keys(settings.view.prefix), ViewReader(client, settings.view.prefix, None)
        async with sinking(settings):
            for first in range(0, len(world()), 25):
                await put(deployment, world()[first : first + 25])
            await until_caught_up(deployment, client, keys)
        before, stream = await seen(client, keys), await reader.live("0", most=10_000)
        rebuilt = await run_rebuild(settings, partitions_of(settings))
        assert (rebuilt.generation, await reader.generation()) == (2, 2)
        assert rebuilt.incidents == await reader.incidents()
        assert await seen(client, keys) == before
        assert await reader.live("0", most=10_000) == stream
        assert not [key async for key in client.scan_iter(f"{keys.of(1).root}*")]


async def test_what_cannot_be_read_is_left_out_and_the_rest_is_shown(deployment, settings):
    """Given records that are no events among those that are; when a sink reads them; then the view has the others."""
    rubbish = [
        (b"leak", b"{half"),
        (b"leak", None),
        (None, b"[]"),
        (b"leak", b'{"incident_id":"leak","revision":"x"}'),
    ]
    for topic in (NOISE_INDEX, *TOLD, INCIDENT_PROFILES, "noise-scores"):
        await deployment.produce(topic, rubbish)
    await put(deployment, world())
    await deployment.produce(
        INCIDENT_PROFILES, [(b"other", b'{"incident_id":"leak","title":"of another key"}')]
    )
    async with aclosing(connect(settings)) as client:
        keys, reader = Keys(settings.view.prefix), ViewReader(client, settings.view.prefix, None)
        async with sinking(settings):
            await until_caught_up(deployment, client, keys)
        assert await reader.incidents() == len({o.key for o in world() if o.topic == "noise-scores"})
        assert b"of another key" not in (await reader.profile("leak") or b"")


async def test_two_sinks_write_one_view(deployment, settings):
    """Given two sinks at once; when events come; then each event is in the view and in the stream once."""
    async with aclosing(connect(settings)) as client:
        keys, reader = Keys(settings.view.prefix), ViewReader(client, settings.view.prefix, None)
        async with sinking(settings), sinking(settings):
            await put(deployment, world())
            await until_caught_up(deployment, client, keys)
        ids = [event.id for event in await reader.live("0", most=10_000)]
        assert len(ids) == len(set(ids))
        assert {o.id for o in world() if o.topic in TOLD} <= set(ids)
