"""The embedded broker serves the clients we use, and fails on demand."""

import asyncio
import ctypes.util
import importlib.util
import time

import kafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from stream import embedded_broker
from stream.embedded_broker import ApiKey, BrokerError, EmbeddedBroker, EmbeddedBrokerError

MIB = 1024 * 1024
ENOUGH_S = 20
LARGE = bytes(range(256)) * (2 * MIB // 256)


@pytest.fixture
def broker():
    with EmbeddedBroker({"items": 3}) as running:
        yield running


def producing(broker, **settings):
    return AIOKafkaProducer(bootstrap_servers=broker.bootstrap, **settings)


def consuming(broker, topic, **settings):
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
        **settings,
    )


async def read(broker, topic, count):
    async with asyncio.timeout(ENOUGH_S), consuming(broker, topic) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_topics_have_the_partitions_asked_for(broker):
    broker.create_topic("late", 7)
    async with producing(broker) as producer:
        assert await producer.partitions_for("items") == {0, 1, 2}
        assert await producer.partitions_for("late") == set(range(7))


async def test_a_group_reads_what_was_produced_and_goes_on_where_it_committed(broker):
    async with producing(broker) as producer:
        await producer.send_and_wait("items", b"one", partition=0)
        await producer.send_and_wait("items", b"two", partition=0)
    # The broker lets the second one wait for its session timeout less a second.
    group = {
        "group_id": "readers",
        "enable_auto_commit": False,
        "session_timeout_ms": 1500,
        "heartbeat_interval_ms": 300,
    }

    async with asyncio.timeout(ENOUGH_S), consuming(broker, "items", **group) as consumer:
        first = await consumer.getone()
        await consumer.commit()
    async with asyncio.timeout(ENOUGH_S), consuming(broker, "items", **group) as consumer:
        second = await consumer.getone()

    assert (first.value, second.value) == (b"one", b"two")


@pytest.mark.parametrize("compression", [None, "gzip", "lz4", "snappy", "zstd"])
async def test_a_record_of_two_mebibytes_passes_under_every_codec(broker, compression):
    async with producing(broker, max_request_size=4 * MIB, compression_type=compression) as producer:
        await producer.send_and_wait("items", LARGE)
    assert await read(broker, "items", 1) == [LARGE]


@pytest.mark.parametrize("compression", [None, "lz4"])
def test_kafka_python_produces_and_consumes_with_its_api_version_given(broker, compression):
    common = {"bootstrap_servers": broker.bootstrap, "api_version": (2, 3)}
    producer = kafka.KafkaProducer(**common, max_request_size=4 * MIB, compression_type=compression)
    consumer = kafka.KafkaConsumer(
        "items",
        **common,
        group_id="readers",
        auto_offset_reset="earliest",
        consumer_timeout_ms=ENOUGH_S * 1000,
    )
    try:
        producer.send("items", LARGE, key=b"log4shell").get(timeout=ENOUGH_S)
        record = next(iter(consumer))
        consumer.commit()
        committed = consumer.committed(kafka.TopicPartition("items", record.partition))
    finally:
        producer.close(timeout=ENOUGH_S)
        consumer.close(autocommit=False)
    assert (record.key, record.value) == (b"log4shell", LARGE)
    assert committed == record.offset + 1


async def test_a_refused_produce_fails_once_and_then_succeeds(broker):
    async with producing(broker) as producer:
        await producer.send_and_wait("items", b"before", partition=0)
        broker.refuse_produce(1)
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("items", b"refused", partition=0)
        await producer.send_and_wait("items", b"after", partition=0)
    assert await read(broker, "items", 2) == [b"before", b"after"]


async def test_a_passing_error_is_retried_by_the_client(broker):
    async with producing(broker, retry_backoff_ms=10) as producer:
        broker.refuse_produce(2, BrokerError.REQUEST_TIMED_OUT)
        await producer.send_and_wait("items", b"patient", partition=0)
    assert await read(broker, "items", 1) == [b"patient"]


async def test_errors_not_yet_met_can_be_cleared(broker):
    broker.push_errors(ApiKey.PRODUCE, [BrokerError.TOPIC_AUTHORIZATION_FAILED] * 5)
    broker.clear_errors(ApiKey.PRODUCE)
    async with producing(broker) as producer:
        await producer.send_and_wait("items", b"fine")


async def test_an_outage_loses_nothing_that_was_written_before(broker):
    async with producing(broker, retry_backoff_ms=10) as producer:
        await producer.send_and_wait("items", b"before", partition=0)
        broker.broker_down()
        late = producing(broker)
        with pytest.raises(KafkaConnectionError):
            await late.start()
        await late.stop()
        broker.broker_up()
        async with asyncio.timeout(ENOUGH_S):
            await producer.send_and_wait("items", b"after", partition=0)
    assert await read(broker, "items", 2) == [b"before", b"after"]


async def test_answers_can_be_slowed_down(broker):
    async with producing(broker) as producer:
        await producer.send_and_wait("items", b"warm", partition=0)
        broker.slow_down(300)
        started = time.monotonic()
        await producer.send_and_wait("items", b"slow", partition=0)
        took_s = time.monotonic() - started
        broker.slow_down(0)
    assert took_s >= 0.3


async def test_stopping_does_not_wait_for_clients_that_are_still_connected():
    broker = EmbeddedBroker({"items": 1})
    async with producing(broker) as producer:
        await producer.send_and_wait("items", b"connected")
        async with asyncio.timeout(ENOUGH_S):
            await asyncio.to_thread(broker.stop)


def test_a_stopped_broker_says_so_instead_of_crashing():
    broker = EmbeddedBroker({})
    broker.stop()
    broker.stop()
    with pytest.raises(EmbeddedBrokerError, match="stopped"):
        broker.create_topic("items", 1)


def test_two_brokers_live_side_by_side():
    with EmbeddedBroker({"items": 1}) as one, EmbeddedBroker({"items": 1}) as other:
        assert one.bootstrap != other.bootstrap


@pytest.mark.parametrize(("name", "partitions"), [("items", 0), ("items", -1), ("twice", 1)])
def test_a_topic_the_broker_refuses_is_named(name, partitions):
    with EmbeddedBroker({"twice": 1}) as broker, pytest.raises(EmbeddedBrokerError, match=repr(name)):
        broker.create_topic(name, partitions)


def test_a_missing_library_is_explained(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(EmbeddedBrokerError, match="pip install confluent-kafka"):
        embedded_broker._library_path()
