"""From the topics on the embedded broker through rules and outbox to local receivers."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.cloudevents import TYPE_OF
from schemas.codec import encode
from schemas.errors import BrokerError, SettingsError, StateError
from schemas.topics import NOISE_SCORES, STATE_CHANGES
from stream.alerts.follower import in_order
from stream.alerts.heard import TOPICS
from stream.alerts.outbox import FILE, undelivered
from stream.alerts.run import run_alerts
from stream.embedded_broker import EmbeddedBroker
from stream.topics import physical
from stream.view.topics import partitions_of
from tests.alerting import rule_file
from tests.receiver import Receiver
from tests.view import put, until, world
from tests.wire import Deployment

RULES = """
[[channel]]
name = "duty"
kind = "alertmanager"
url = "{url}/am"

[[channel]]
name = "newsroom"
kind = "apprise"
url = "json://127.0.0.1:{port}/room"

[[channel]]
name = "hook"
kind = "webhook"
url = "{url}/hook"

[[rule]]
name = "states"
channels = ["duty", "newsroom", "hook"]
when.states = {{}}
"""


@pytest.fixture
def deployment(tmp_path):
    changes = {
        "DECIBEL_ALERTS_RULES": str(rule_file(tmp_path, "")),
        "DECIBEL_ALERTS_DATADIR": str(tmp_path / "outbox"),
        "DECIBEL_ALERTS_FIRST_RETRY_S": "0.05",
        "DECIBEL_ALERTS_LONGEST_RETRY_S": "0.2",
        "DECIBEL_ALERTS_HTTP_PORT": "0",
        "DECIBEL_ALERTS_FIRST": "beginning",
    }
    with EmbeddedBroker(Deployment("127.0.0.1:1", embedded=True).topics) as broker:
        yield Deployment(broker.bootstrap, embedded=True, changes=changes)


@pytest.fixture
async def receiver(tmp_path):
    async with Receiver() as listening:
        rule_file(tmp_path, RULES.format(url=listening.url, port=listening.port))
        yield listening


@asynccontextmanager
async def alerting(deployment):
    """The alerts while it is entered."""
    stop = asyncio.Event()
    settings = deployment.settings
    async with asyncio.TaskGroup() as group:
        group.create_task(run_alerts(settings, partitions_of(settings, TOPICS, "the alerts"), stop))
        yield
        stop.set()


def events():
    """The state changes of a small world."""
    return [output for output in world() if output.topic == STATE_CHANGES]


async def until_delivered(deployment, receiver, count):
    await receiver.until(lambda: len(receiver.event_ids()) >= count, f"{count} events at the webhook")

    async def all_noted():
        return not undelivered(outbox_of(deployment))

    await until(all_noted, "what was delivered is noted")


def outbox_of(deployment):
    return Path(deployment.settings.alerts.datadir)


async def until_begun(deployment):
    """Wait until it has written where it begins."""

    async def begun():
        file = outbox_of(deployment) / FILE
        with closing(sqlite3.connect(file)) as db:
            return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = 'offsets'").fetchone()) and bool(
                db.execute("SELECT 1 FROM offsets").fetchone()
            )

    outbox_of(deployment).mkdir(exist_ok=True)
    await until(begun, "it has begun")


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_every_channel_is_told_of_every_event_that_a_rule_asks_for(deployment, receiver, clock):
    deployment.changes["DECIBEL_CLOCK"] = clock
    await put(deployment, [output for output in world() if output.topic in TOPICS])
    async with alerting(deployment):
        await until_delivered(deployment, receiver, len(events()))
    wanted = sorted(output.id for output in events())
    assert sorted(receiver.event_ids()) == wanted
    at_duty = [
        each["annotations"]["event_id"]
        for posted in receiver.posted
        if posted.path == "/am/api/v2/alerts"
        for each in posted.said
    ]
    assert sorted(at_duty) == wanted
    assert len([posted for posted in receiver.posted if posted.path == "/room"]) == len(wanted)


async def test_it_goes_on_where_it_was_and_repeats_of_a_worker_are_not_told(deployment, receiver):
    """Given alerts that end; when events come meanwhile, some of them again; then they are told by the next, once."""
    told = [output for output in world() if output.topic in TOPICS]
    half = len(told) // 2
    await put(deployment, told[:half])
    before = len([output for output in told[:half] if output.topic == STATE_CHANGES])
    async with alerting(deployment):
        await until_delivered(deployment, receiver, before)
    await put(deployment, told[half - half // 2 :])
    async with alerting(deployment):
        await until_delivered(deployment, receiver, len(events()))
    assert sorted(receiver.event_ids()) == sorted(output.id for output in events())


async def test_on_an_empty_outbox_it_begins_with_what_comes_from_then_on(deployment, receiver):
    deployment.changes["DECIBEL_ALERTS_FIRST"] = "end"
    told = [output for output in world() if output.topic in TOPICS]
    await put(deployment, told[:-40])
    async with alerting(deployment):
        await until_begun(deployment)
        await put(deployment, told[-40:])
        late = [output.id for output in told[-40:] if output.topic == STATE_CHANGES]
        await until_delivered(deployment, receiver, len(late))
    assert late
    assert sorted(receiver.event_ids()) == sorted(late)


async def test_a_record_that_cannot_be_read_is_left_out(deployment, receiver):
    first, *_ = events()
    name = physical(deployment.settings, STATE_CHANGES)
    producer = AIOKafkaProducer(bootstrap_servers=deployment.bootstrap)
    await producer.start()
    for value in (b"no JSON", b'{"incident_id": 7}', b"[" * 100_000, None):
        await producer.send_and_wait(name, value, key=first.key.encode())
    await producer.stop()
    await put(deployment, [first])
    async with alerting(deployment):
        await until_delivered(deployment, receiver, 1)
    assert receiver.event_ids() == [first.id]


async def test_an_event_without_headers_is_told_under_its_place(deployment, receiver):
    first, *_ = events()
    assert TYPE_OF[first.topic]
    await deployment.produce(STATE_CHANGES, [(first.key.encode(), encode(first.event))])
    async with alerting(deployment):
        await until_delivered(deployment, receiver, 1)
    [ident] = receiver.event_ids()
    assert ident.startswith("state-changes/")


async def test_it_ends_at_once_where_it_cannot_work(deployment, receiver, tmp_path):
    settings = deployment.settings
    partitions = partitions_of(settings, TOPICS, "the alerts")

    def changed(**fields):
        return msgspec.structs.replace(settings, alerts=msgspec.structs.replace(settings.alerts, **fields))

    with pytest.raises(SettingsError, match=r"alerts\.rules: there are no rules"):
        await run_alerts(changed(rules=""), partitions, asyncio.Event())
    with pytest.raises(SettingsError, match=r"alerts\.datadir"):
        await run_alerts(changed(datadir=""), partitions, asyncio.Event())
    with pytest.raises(SettingsError, match=r"alerts\.http_port: .* cannot be listened on"):
        await run_alerts(changed(http_port=receiver.port), partitions, asyncio.Event())
    async with alerting(deployment):
        await until_begun(deployment)
        with pytest.raises(StateError, match="another `decibel alerts run`"):
            await run_alerts(settings, partitions, asyncio.Event())


def test_topics_that_are_missing_are_named(deployment):
    settings = deployment.settings
    elsewhere = msgspec.structs.replace(
        settings, topics=msgspec.structs.replace(settings.topics, prefix="no-")
    )
    with pytest.raises(BrokerError, match="topic no-incident-profiles does not exist"):
        partitions_of(elsewhere, TOPICS, "the alerts")


def test_records_are_judged_in_the_order_in_which_the_broker_took_them():
    def records(logical, *stamps):
        return [SimpleNamespace(topic=logical, timestamp=stamp) for stamp in stamps]

    scores, states = TopicPartition("scores", 0), TopicPartition("states", 0)
    polled = {states: records("s", 1, 3, 3), scores: records("n", 2, 3)}
    found = in_order(polled, {scores: NOISE_SCORES, states: STATE_CHANGES})
    assert [(topic, record.timestamp) for topic, record in found] == [
        (STATE_CHANGES, 1),
        (NOISE_SCORES, 2),
        (NOISE_SCORES, 3),
        (STATE_CHANGES, 3),
        (STATE_CHANGES, 3),
    ]
