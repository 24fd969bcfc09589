"""Live events: all of them once, from any place that is kept, by filters, on every wire; who is slow is cut off."""

import asyncio
import copy
import socket
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from schemas.cloudevents import Output
from schemas.codec import encode
from schemas.noise_score import NoiseScore
from schemas.times import from_epoch
from schemas.topics import INCIDENT_MERGES, INCIDENT_PROFILES, NOISE_INDEX, NOISE_SCORES, STATE_CHANGES
from stream.gateway import hub as hub_module
from stream.gateway import turns
from stream.gateway.run import serve
from stream.view.reader import ViewReader
from tests.builders import hours
from tests.gateway import WAIT_S, everything, listening, scored, served, streaming
from tests.view import until, world


@pytest.fixture
def base():
    """The embedded view; a module that runs these tests on another has a fixture of this name."""
    return streaming()


@pytest.fixture
async def gateway(base):
    async with served(base, *everything()) as running:
        yield running


async def kept(gateway):
    """Every event of the live stream."""
    return await ViewReader(gateway.client, gateway.settings.view.prefix, None).live("0", most=10_000)


async def caught_up(gateway):
    """Wait until the hub has read all there is: what is told next is news."""
    last = (await kept(gateway))[-1].place

    async def at_the_end():
        return (await gateway.json("/api/v1/pulse"))["place"] == last

    await until(at_the_end, "the hub is at the end of the stream", WAIT_S)


def as_told(events):
    return [(event.place, event.topic, msgspec.json.decode(event.event)) for event in events]


def scores(incident, count, **fields):
    """So many scores of an incident, one revision after the other."""
    last = next(o.event for o in reversed(world()) if o.topic == NOISE_SCORES and o.key == "leak")
    assert isinstance(last, NoiseScore)
    return [
        Output(
            NOISE_SCORES,
            incident,
            f"{incident}/{number}/noise",
            hours(200.0 + number / 100),
            replace(
                last,
                incident_id=incident,
                revision=1000 + number,
                as_of=from_epoch(hours(200.0 + number / 100)),
                **fields,
            ),
        )
        for number in range(count)
    ]


async def test_from_the_beginning_every_event_is_told_as_it_was(gateway):
    events = await kept(gateway)
    async with listening(gateway, "?after=0-0") as reader:
        found = [msgspec.structs.astuple(each) for each in await reader.take(len(events))]
    assert found == as_told(events)


async def test_news_come_as_they_are_written(gateway):
    await caught_up(gateway)
    async with listening(gateway) as reader:
        await gateway.tell(*scores("leak", 5))
        found = await reader.take(5)
    assert [each.event["revision"] for each in found] == [1000, 1001, 1002, 1003, 1004]


async def test_a_reader_goes_on_where_it_was_and_joins_without_gap_or_repeat(gateway):
    """Given readers that come again and again with the last place they saw; when events flow all the while; then each
    reader has seen all of them, in order, once."""
    events = await kept(gateway)
    news = scores("leak", 400)

    async def write():
        for first in range(0, len(news), 7):
            await gateway.tell(*news[first : first + 7])
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    seen, turn = [], 0
    while len(seen) < len(events) + len(news):
        turn += 1
        where = {"Last_Event_ID": seen[-1].place} if seen else {}
        async with listening(gateway, "" if seen else "?after=0-0", **where) as reader:
            left = len(events) + len(news) - len(seen)
            seen += await reader.take(min(left, 50 + 31 * turn))
    await writing
    assert turn > 3
    assert [each.place for each in seen] == [event.place for event in await kept(gateway)]


@pytest.mark.parametrize("remembered", [1, 50, 2000])
async def test_who_comes_back_gets_the_same_whether_it_is_remembered_or_read(
    gateway, monkeypatch, remembered
):
    """Given a hub that remembers little or much; when readers come back at any place and by any filter; then each gets
    what the stream has after it."""
    monkeypatch.setattr(turns, "REMEMBERED", remembered)
    monkeypatch.setattr(turns, "PIECE", 7)
    for each in scores("leak", 20):
        await gateway.tell(each)
        await caught_up(gateway)
    events = await kept(gateway)
    for at in (0, len(events) // 2, len(events) - 25, len(events) - 7, len(events) - 2):
        for query, wants in (("", lambda e: True), ("?incident=leak", lambda e: e.key == "leak")):
            want = [e.place for e in events[at + 1 :] if e.topic != INCIDENT_MERGES and wants(e)]
            async with listening(gateway, query, Last_Event_ID=events[at].place) as reader:
                found = []
                while len(found) < len(want):
                    told = await reader.next()
                    found += [told.place] if told.topic != INCIDENT_MERGES else []
                assert found == want


async def test_a_gateway_that_was_started_again_remembers_the_latest(base):
    """Given a view with events; when a gateway starts on it; then who comes back is told the rest."""
    async with served(base, *everything()) as first:
        events = await kept(first)
        async with again(first) as gateway, listening(gateway, Last_Event_ID=events[40].place) as reader:
            found = [each.place for each in await reader.take(len(events) - 41)]
        assert found == [event.place for event in events[41:]]


@asynccontextmanager
async def again(gateway):
    """Another gateway on the same view."""
    stop, bound = asyncio.Event(), asyncio.get_running_loop().create_future()

    def took(host, port):
        bound.set_result(port)

    serving = asyncio.create_task(serve(gateway.settings, stop, bound=took, with_kafka=False, listen=False))
    try:
        port = await asyncio.wait_for(bound, WAIT_S)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            other = copy.copy(gateway)
            other.http, other.port = http, port
            yield other
    finally:
        stop.set()
        await serving


async def test_a_place_that_is_gone_is_told_as_a_snapshot_and_then_all_is_told_that_comes(
    gateway, monkeypatch
):
    monkeypatch.setattr(turns, "REMEMBERED", 1)
    await gateway.tell(*scores("leak", 5))
    await caught_up(gateway)
    await gateway.client.xtrim(gateway.writer.keys.live, maxlen=3, approximate=False)
    for gone in ("1-0", "99999999999999-0"):
        async with listening(gateway, Last_Event_ID=gone) as reader:
            told = await reader.next()
            assert told.topic == "snapshot"
            assert "read the answers anew" in told.event["reason"]
            await gateway.tell(*scores(f"new {gone}", 1))
            while (news := await reader.next()).event.get("incident_id") != f"new {gone}":
                assert news.place > told.place
        # And from the place that the snapshot had, one can go on.
        async with listening(gateway, Last_Event_ID=told.place) as reader:
            assert (await reader.next()).topic == NOISE_SCORES


@pytest.mark.parametrize(
    ("query", "header", "parameter"),
    [
        ("after=now", None, "after"),
        ("after=1-0&after=2-0", None, "after"),
        ("", "now", "Last-Event-ID"),
        ("topic=source-items", None, "topic"),
        ("form=short", None, "form"),
        ("incident=", None, "incident"),
        ("since=1", None, "since"),
    ],
)
async def test_a_wrong_wish_is_refused_by_its_name(gateway, query, header, parameter):
    headers = {"Last-Event-ID": header} if header else {}
    for path in ("/live", "/live/ws"):
        asked = headers if path == "/live" else {**headers, "Connection": "Upgrade", "Upgrade": "websocket"}
        problem = await gateway.json(f"{path}?{query}", 400, headers=asked)
        if path == "/live":
            assert problem["parameter"] == parameter


@pytest.mark.parametrize(
    ("query", "tells"),
    [
        ("incident=leak", lambda topic, key, event: key == "leak"),
        (
            "incident=vote",
            lambda topic, key, event: key == "vote" or (topic == INCIDENT_MERGES and event["into"] == "vote"),
        ),
        (
            "topic=state-changes&topic=noise-index",
            lambda topic, key, event: topic in {STATE_CHANGES, NOISE_INDEX},
        ),
        (
            "topic=state-changes&incident=leak",
            lambda topic, key, event: (topic, key) == (STATE_CHANGES, "leak"),
        ),
    ],
)
async def test_filters_by_name_let_through_what_they_name_and_nothing_else(gateway, query, tells):
    want = [e.place for e in await kept(gateway) if tells(e.topic, e.key, msgspec.json.decode(e.event))]
    async with listening(gateway, f"?after=0-0&{query}") as reader:
        assert [each.place for each in await reader.take(len(want))] == want


async def test_who_asks_for_a_state_is_told_when_an_incident_enters_and_when_it_leaves_it(gateway):
    """Given an incident known to be Debated; when it becomes Growing and moves on; then who asks for Growing hears both
    ends of it, and nothing before or after."""
    await gateway.tell(*scores("leak", 1, state="Debated"))
    await caught_up(gateway)
    stages = [("Debated", 1), ("Growing", 2), ("Growing", 3), ("Debated", 4), ("Debated", 5), ("Growing", 6)]
    async with listening(gateway, "?state=Growing&topic=noise-scores") as reader:
        for state, revision in stages:
            [output] = scores("leak", 1, state=state)
            event = replace(output.event, revision=2000 + revision)
            await gateway.tell(replace(output, event=event, id=f"leak/{revision}"))
        assert [(await reader.next()).event["revision"] for _ in range(4)] == [2002, 2003, 2004, 2006]


async def test_a_minimum_of_noise_tells_of_what_falls_below_it_once(gateway):
    await gateway.tell(*scores("leak", 1, noise=55.0, composite=55.0, anchor=from_epoch(hours(200.0))))
    await caught_up(gateway)
    async with listening(gateway, "?min_noise=50&incident=leak") as reader:
        for revision, noise in ((1, 20.0), (2, 60.0), (3, 30.0), (4, 20.0), (5, 70.0)):
            [output] = scores("leak", 1, noise=noise, composite=noise, anchor=from_epoch(hours(200.0)))
            await gateway.tell(
                replace(output, event=replace(output.event, revision=3000 + revision), id=f"leak/{revision}")
            )
        found = [(await reader.next()).event["revision"] for _ in range(4)]
        assert found == [3001, 3002, 3003, 3005], "3001 took it out: it was louder before"


async def test_of_a_category_come_its_index_and_the_changes_of_its_incidents(gateway):
    told = await kept(gateway)
    category = next(
        msgspec.json.decode(e.event)["category"] for e in reversed(told) if e.topic == NOISE_SCORES
    )
    of = {}
    want = []
    for each in told:
        event = msgspec.json.decode(each.event)
        if each.topic == NOISE_SCORES:
            if category in {event["category"], of.get(each.key)}:
                want.append(each.place)
            of[each.key] = event["category"]
    async with listening(gateway, f"?after=0-0&topic=noise-scores&category={category}") as reader:
        assert [each.place for each in await reader.take(len(want))] == want


async def test_brief_events_are_the_same_with_fewer_fields(gateway):
    events = await kept(gateway)
    async with listening(gateway, "?after=0-0&form=brief") as reader:
        for whole in events:
            told = await reader.next()
            assert told.place == whole.place
            event = msgspec.json.decode(whole.event)
            assert {name: event.get(name) for name in told.event} == told.event
            if whole.topic == NOISE_SCORES:
                assert len(encode_size(told.event)) < len(whole.event) / 3


def encode_size(event):
    return msgspec.json.encode(event)


async def test_an_event_on_many_lines_stays_one_event(base):
    """Given a profile that an editor's tool has written on many lines; then it is one event, and the same JSON."""
    async with served(base, *scored("leak")) as gateway:
        said = msgspec.json.format(b'{"incident_id":"leak","title":"a\\nb","summary":"x"}', indent=2).replace(
            b"\n", b"\r\n"
        )
        await gateway.client.xadd(
            gateway.writer.keys.live,
            {"topic": INCIDENT_PROFILES, "id": "p", "key": "leak", "at": 0, "event": said},
        )
        async with listening(gateway, "?after=0-0&topic=incident-profiles") as reader:
            assert [each.event["title"] for each in await reader.take(2)] == ["", "a\nb"]


async def test_an_event_that_cannot_be_read_is_told_as_it_is_and_stops_nobody(gateway):
    """Given an entry that is no state change; then it goes to those who ask for its incident or for all, and the next
    one follows."""
    await caught_up(gateway)
    fields = {"topic": STATE_CHANGES, "id": "x", "key": "leak", "at": 0, "event": b'{"odd":true}'}
    async with listening(gateway, "?form=brief&incident=leak&state=Growing") as reader:
        await gateway.client.xadd(gateway.writer.keys.live, fields)
        await gateway.client.xadd(gateway.writer.keys.live, {**fields, "topic": NOISE_SCORES})
        assert [each.event for each in await reader.take(2)] == [{"odd": True}] * 2
        await gateway.tell(*scores("leak", 1, state="Growing"))
        assert (await reader.next()).event["state"] == "Growing"


async def test_a_compressed_stream_says_the_same(gateway):
    events = await kept(gateway)
    async with listening(gateway, "?after=0-0", Accept_Encoding="gzip") as reader:
        assert reader.answer.headers["Content-Encoding"] == "gzip"
        found = [each.place for each in await reader.take(len(events))]
        await gateway.tell(*scores("leak", 3))
        assert [(await reader.next()).event["revision"] for _ in range(3)] == [1000, 1001, 1002]
    assert found == [event.place for event in events]


async def test_a_proxy_that_speaks_http_1_0_is_served_too(gateway):
    reading, writing = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1 << 24)
    writing.write(b"GET /live?after=0-0 HTTP/1.0\r\nHost: x\r\n\r\n")
    head = await asyncio.wait_for(reading.readuntil(b"\r\n\r\n"), WAIT_S)
    assert b"chunked" not in head
    await gateway.tell(*scores("leak", 1))
    body = await asyncio.wait_for(reading.readuntil(b'"revision":1000,'), WAIT_S)
    assert body.startswith(b"retry:1000\n\nid:")
    writing.close()
    await writing.wait_closed()


async def test_websockets_get_the_same_as_text_frames(gateway):
    events = await kept(gateway)
    async with gateway.http.ws_connect("/live/ws?after=0-0&topic=state-changes") as socket_:
        want = [event for event in events if event.topic == STATE_CHANGES]
        for event in want:
            told = msgspec.json.decode((await socket_.receive(WAIT_S)).data)
            assert told == {
                "id": event.place,
                "topic": STATE_CHANGES,
                "event": msgspec.json.decode(event.event),
            }
    async with gateway.http.ws_connect("/live/ws") as socket_:
        await caught_up(gateway)
        await gateway.tell(*scores("leak", 1), *scores("x" * 100, 1))
        for _ in range(2):
            assert msgspec.json.decode((await socket_.receive(WAIT_S)).data)["topic"] == NOISE_SCORES


async def test_a_plain_request_is_told_that_this_is_a_websocket(gateway):
    assert "WebSocket" in (await gateway.json("/live/ws", 400))["detail"]


async def test_who_does_not_read_is_cut_off_and_nobody_else_notices(base):
    """Given a reader that reads nothing and one that does; when more comes than may be kept for one; then the first is
    cut off and counted, and the other has all."""
    async with served(base, *scored("leak"), buffer_kb=64) as gateway:
        await caught_up(gateway)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", gateway.port))
            slow.sendall(b"GET /live HTTP/1.1\r\nHost: slow\r\n\r\n")
            await listeners(gateway, 1)
            async with listening(gateway) as reader:
                await listeners(gateway, 2)
                revisions = []
                for number in range(60):  # together more than the buffers of any kernel
                    reading = asyncio.create_task(reader.take(10))
                    long = scores("leak", 10, verdict="x" * 30_000)
                    await gateway.tell(*(renumbered(output, number * 10) for output in long))
                    revisions += [each.event["revision"] for each in await reading]
                await until(lambda: dropped(gateway, 1), "the slow one is cut off", WAIT_S)
                assert revisions == list(range(1000, 1600))
                await listeners(gateway, 1)


def renumbered(output, more):
    revision = output.event.revision + more
    return replace(output, event=replace(output.event, revision=revision), id=f"leak/{revision}/noise")


async def dropped(gateway, count):
    return (await gateway.json("/api/v1/operations"))["gateway"]["dropped"] == count


async def listeners(gateway, count):
    """Wait until so many listen."""

    async def so_many():
        clients = (await gateway.json("/api/v1/operations"))["gateway"]["clients"]
        return clients["sse"] + clients["websocket"] == count

    await until(so_many, f"{count} listen", WAIT_S)


async def test_a_reader_who_leaves_is_forgotten(gateway):
    async with listening(gateway):
        await listeners(gateway, 1)
    await listeners(gateway, 0)
    async with gateway.http.ws_connect("/live/ws"):
        await listeners(gateway, 1)
    await listeners(gateway, 0)


async def test_there_are_not_more_readers_than_may_be(base):
    async with (
        served(base, clients_most=2, clients_each_most=1) as gateway,
        listening(gateway),
        gateway.http.get("/live") as answer,
    ):
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_quiet_stream_is_kept_alive_by_comments(base):
    async with served(base, heartbeat_s=0.1) as gateway, listening(gateway) as reader:
        text = b""
        while text.count(b":\n\n") < 2:
            text += await asyncio.wait_for(reader.answer.content.readany(), WAIT_S)


async def test_events_that_were_let_go_of_unread_are_told_as_a_gap(gateway, monkeypatch):
    """Given a hub that cannot keep up; when the stream is cut before it has read it; then readers are told to begin
    anew."""
    monkeypatch.setattr(hub_module, "MOST_AT_ONCE", 10)
    await caught_up(gateway)
    async with listening(gateway) as reader:
        async with gateway.client.pipeline(transaction=True) as pipeline:
            event = encode(scores("leak", 1)[0].event)
            fields = {"topic": NOISE_SCORES, "id": "x", "key": "leak", "at": 0, "event": event}
            for _ in range(40):
                pipeline.xadd(gateway.writer.keys.live, fields)
            pipeline.xtrim(gateway.writer.keys.live, maxlen=20, approximate=False)
            await pipeline.execute()
        found = [(await reader.next()).topic for _ in range(21)]
    assert found == ["snapshot", *[NOISE_SCORES] * 20]


async def test_a_stream_that_was_lost_is_told_as_a_gap(gateway, monkeypatch):
    monkeypatch.setattr(turns, "REMEMBERED", 1)
    await gateway.tell(*scores("leak", 5))
    await caught_up(gateway)
    async with listening(gateway, Last_Event_ID="99999999999999-0") as reader:
        assert (await reader.next()).topic == "snapshot"
    await gateway.client.delete(gateway.writer.keys.live)
    async with listening(gateway, Last_Event_ID="1-1") as reader:
        assert (await reader.next()).topic == "snapshot"


async def test_at_the_end_streams_end_cleanly(base):
    async with served(base, *scored("leak")) as gateway, listening(gateway) as reader:
        await listeners(gateway, 1)
        ended = asyncio.create_task(reader.answer.content.read())
        gateway.stop.set()
        assert isinstance(await asyncio.wait_for(ended, WAIT_S), bytes)
    with pytest.raises(aiohttp.ClientConnectorError):
        async with aiohttp.ClientSession() as http:
            await http.get(f"http://127.0.0.1:{gateway.port}/healthz")
