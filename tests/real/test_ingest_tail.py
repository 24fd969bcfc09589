"""Files to a real Kafka and back: nothing lost, in order, at full size; what is missing is told."""

import itertools
import json
import os
import random
import subprocess
import sys
from contextlib import closing

import msgspec
import pytest
from aiokafka.partitioner import murmur2
from click.testing import CliRunner
from kafka import KafkaConsumer

from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD_LETTERS, SOURCE_ITEMS
from stream.cli import main
from stream.log_reader import follow, read_one, read_to_end
from stream.provisioning import apply
from stream.settings import load_settings
from stream.topics import physical
from tests.real.kafka import MIB, RealKafka

pytestmark = pytest.mark.real

ENOUGH_S = 60


@pytest.fixture
def environ(kafka, prefix):
    variables = {
        "DECIBEL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "DECIBEL_TOPICS_PREFIX": prefix,
        "DECIBEL_TOPICS_PARTITIONS": "3",
    }
    apply(load_settings(None, variables))
    return variables


@pytest.fixture
def settings(environ):
    return load_settings(None, environ)


@pytest.fixture
def decibel(environ):
    def run(*arguments, stdin=None, **changes):
        return CliRunner().invoke(main, arguments, input=stdin, env=environ | changes, catch_exceptions=False)

    return run


def item(number, **fields):
    return {
        "item_id": f"p:{number}",
        "incident_id": f"incident-{number % 7}",
        "platform": "p",
        "published_at": "2021-12-10T01:05:00Z",
    } | fields


def lines(*values):
    return b"\n".join(msgspec.json.encode(value) for value in values)


def noise_of(size):
    """Text that does not compress to nothing."""
    return random.Random(7).randbytes(size // 2).hex()


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4", "zstd", "snappy"])
def test_what_is_ingested_is_tailed_in_order_within_each_incident(decibel, compression):
    sent = [item(number) for number in range(1000)]
    done = decibel("ingest", "-", "--json", stdin=lines(*sent), DECIBEL_WORKER_COMPRESSION=compression)
    assert json.loads(done.stdout)["accepted"] == 1000
    tail = decibel(
        "tail", "source-items", "--from", "beginning", "--limit", "1000", "--timeout", "10", "--json"
    )
    events = [json.loads(line) for line in tail.stdout.splitlines()]
    for incident in {one["incident_id"] for one in sent}:
        found = [event["value"] for event in events if event["key"] == incident]
        assert found == [one for one in sent if one["incident_id"] == incident]


def test_a_key_goes_to_the_partition_every_other_kafka_client_would_choose(decibel, settings):
    """Java's murmur2: what crawlers in other languages send must meet what `ingest` sends."""
    decibel("ingest", "-", stdin=lines(item(1, incident_id="log4shell")))
    [record] = read_to_end(settings, physical(settings, SOURCE_ITEMS))
    assert record.partition == (murmur2(b"log4shell") & 0x7FFFFFFF) % 3


def test_a_line_too_large_for_the_topic_is_a_dead_letter_with_its_bytes(decibel, settings):
    limit = {"DECIBEL_TOPICS_MAX_RECORD_BYTES": str(MIB)}
    apply(load_settings(None, {**environ_of(settings), **limit}))
    large = msgspec.json.encode(item(1, padding=noise_of(MIB)))
    done = decibel("ingest", "-", stdin=large, **limit)
    assert done.exit_code == 3
    assert f"stdin:1: the record has {len(large)} bytes, the topic takes {MIB}" in done.stderr
    [record] = read_to_end(settings, physical(settings, DEAD_LETTERS))
    letter = msgspec.json.decode(record.value, type=DeadLetter)
    assert (letter.reason, letter.value) == ("oversized", large)


def environ_of(settings):
    return {
        "DECIBEL_KAFKA_BOOTSTRAP": settings.kafka.bootstrap,
        "DECIBEL_TOPICS_PREFIX": settings.topics.prefix,
        "DECIBEL_TOPICS_PARTITIONS": "3",
    }


def test_a_topic_that_does_not_exist_is_told_with_what_to_do(decibel):
    for command in (["tail", "noise-scores", "--timeout", "1"], ["dead-letters", "list"]):
        done = decibel(*command, DECIBEL_TOPICS_PREFIX="nowhere.")
        assert done.exit_code == 1
        assert "does not exist; run `decibel topics apply`" in done.stderr
        assert done.stderr.count("\n") == 1


def test_ingest_into_no_topic_sends_nothing_and_makes_none(decibel, settings):
    done = decibel("ingest", "-", stdin=lines(item(1)), DECIBEL_TOPICS_PREFIX="nowhere.")
    assert done.exit_code == 1
    assert "nowhere.source-items does not exist" in done.stderr
    with closing(KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)) as consumer:
        assert "nowhere.source-items" not in consumer.topics()


def test_an_empty_topic_has_an_end_at_once(settings):
    topic = physical(settings, SOURCE_ITEMS)
    assert list(read_to_end(settings, topic)) == []
    assert read_one(settings, topic, 0, 0) is None


@pytest.mark.slow  # starts a broker of its own, to take it away
def test_a_broker_that_is_away_for_a_moment_loses_nothing(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(lines(*map(item, range(3000))))
    with RealKafka() as broker:
        variables = {"DECIBEL_KAFKA_BOOTSTRAP": broker.bootstrap, "DECIBEL_TOPICS_PARTITIONS": "2"}
        settings = load_settings(None, variables)
        apply(settings)
        # A process of its own: kafka-python forgets to close the sockets of refused connections.
        command = "from stream.cli import main; main(['ingest', *__import__('sys').argv[1:]])"
        with subprocess.Popen(
            [sys.executable, "-c", command, str(path), "--rate", "1000", "--json"],
            env=os.environ | variables,
            stdout=subprocess.PIPE,
        ) as ingest:
            await_records(settings, 500)
            broker.kill()
            broker.start()
            output, _ = ingest.communicate(timeout=ENOUGH_S)
        assert json.loads(output)["accepted"] == 3000
        found = [json.loads(record.value) for record in read_to_end(settings, SOURCE_ITEMS)]
    for incident in range(7):
        mine = [one["item_id"] for one in found if one["incident_id"] == f"incident-{incident}"]
        assert mine == [f"p:{number}" for number in range(3000) if number % 7 == incident]


def await_records(settings, count):
    arrived = itertools.islice(
        follow(settings, SOURCE_ITEMS, from_beginning=True, idle_timeout_s=ENOUGH_S), count
    )
    assert len(list(arrived)) == count
