"""The harness itself: a real Kafka starts, keeps what it was given, and comes back after an outage."""

import itertools
import time
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from tests.real.kafka import LARGEST_RECORD, MIB, RealKafka, fetched_jars

pytestmark = pytest.mark.real

ENOUGH_S = 30


@pytest.fixture(scope="module")
def own_kafka():
    """Not the shared one: these tests stop it."""
    with RealKafka() as started:
        yield started


def make_topic(bootstrap, topic, partitions=1):
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])


def produce(bootstrap, topic, *values):
    producer = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=2 * LARGEST_RECORD, acks="all")
    with closing(producer):
        for value in values:
            producer.send(topic, value).get(timeout=ENOUGH_S)


def consume(bootstrap, topic, count):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=ENOUGH_S * 1000,
    )
    with closing(consumer):
        return [record.value for record in itertools.islice(consumer, count)]


def test_a_record_of_two_mebibytes_comes_back_whole(kafka, prefix):
    topic, large = prefix + "large", bytes(range(256)) * (2 * MIB // 256)
    make_topic(kafka.bootstrap, topic)
    produce(kafka.bootstrap, topic, large)
    assert consume(kafka.bootstrap, topic, 1) == [large]


def test_topics_are_made_on_purpose_only(kafka, prefix):
    make_topic(kafka.bootstrap, prefix + "wanted", partitions=3)
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap)) as consumer:
        assert consumer.partitions_for_topic(prefix + "wanted") == {0, 1, 2}
        assert not consumer.partitions_for_topic(prefix + "mistyped")


@pytest.mark.slow  # two more starts of a JVM
def test_records_outlive_a_shut_down_and_a_kill(own_kafka, prefix):
    topic = prefix + "kept"
    make_topic(own_kafka.bootstrap, topic)
    produce(own_kafka.bootstrap, topic, b"one")

    own_kafka.restart()
    produce(own_kafka.bootstrap, topic, b"two")
    own_kafka.kill()
    own_kafka.start()

    assert consume(own_kafka.bootstrap, topic, 2) == [b"one", b"two"]


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(own_kafka):
    own_kafka.shut_down()
    good = own_kafka._settings.read_text()
    own_kafka._settings.write_text(good + "\nnode.id=nonsense\n")
    started = time.monotonic()
    try:
        with pytest.raises(RuntimeError, match="nonsense"):
            own_kafka.start()
    finally:
        own_kafka._settings.write_text(good)
    assert time.monotonic() - started < ENOUGH_S


def test_jars_are_fetched_once(own_kafka):
    assert fetched_jars() == own_kafka._jars
    assert list(own_kafka._jars.glob("kafka_2.13-*.jar"))


def test_stopping_removes_everything_it_wrote():
    kafka = RealKafka()
    folder = kafka._folder
    kafka.stop()
    kafka.stop()
    assert not folder.exists()
