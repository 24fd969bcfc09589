"""Topics on a real Kafka become what the settings say, again and again, and nothing else is touched."""

import json
import threading
import time
from contextlib import closing

import pytest
from click.testing import CliRunner
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from schemas.errors import BrokerError
from schemas.topics import SOURCE_ITEMS, STATE_CHANGES
from stream.cli import main
from stream.kafka_clients import open_producer
from stream.log_reader import read_to_end
from stream.provisioning import apply, list_topics, standing_topics
from stream.settings import KafkaSettings, Settings, TopicSettings
from stream.topics import LOGICAL, physical, specs

pytestmark = pytest.mark.real

ENOUGH_S = 30


@pytest.fixture
def settings(kafka, prefix):
    kafka_settings = KafkaSettings(bootstrap=kafka.bootstrap)
    return Settings(app_id="app", kafka=kafka_settings, topics=TopicSettings(prefix=prefix, partitions=2))


@pytest.fixture
def decibel(settings):
    environ = {
        "DECIBEL_KAFKA_BOOTSTRAP": settings.kafka.bootstrap,
        "DECIBEL_TOPICS_PREFIX": settings.topics.prefix,
        "DECIBEL_TOPICS_PARTITIONS": "2",
        "DECIBEL_APP_ID": "app",
    }

    def run(*arguments, **changes):
        return CliRunner().invoke(main, arguments, env=environ | changes, catch_exceptions=False)

    return run


def actions(report):
    return {topic.action for topic in report.topics}


def alter(settings, logical, **config):
    resource = ConfigResource(
        ConfigResourceType.TOPIC,
        physical(settings, logical),
        {key.replace("_", "."): value for key, value in config.items()},
    )
    with closing(KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)) as admin:
        assert "OK" in str(admin.alter_configs([resource]))
        deadline = time.monotonic() + ENOUGH_S
        while not shown(admin, resource).items() >= resource.configs.items():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def shown(admin, resource):
    """A topic's configuration as the broker has it: it follows the controller with a delay."""
    asked = ConfigResource(ConfigResourceType.TOPIC, resource.name)
    config = admin.describe_configs([asked], config_filter="all")["topic"][resource.name]
    return {key: entry["value"] for key, entry in config.items()}


def test_what_is_missing_is_created_as_specified_and_the_second_time_nothing_is_done(settings):
    assert actions(apply(settings)) == {"created"}
    standing = standing_topics(settings)
    for spec in specs(settings):
        topic = standing[spec.name]
        assert (topic.partitions, topic.replication, topic.config) == (spec.partitions, 1, spec.config)
    assert actions(apply(settings)) == {"unchanged"}


def test_a_topic_that_was_deleted_is_created_again(settings):
    apply(settings)
    lost = physical(settings, STATE_CHANGES)
    with closing(KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)) as admin:
        admin.delete_topics([lost])
    deadline = time.monotonic() + ENOUGH_S
    while standing_topics(settings)[lost].partitions:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [topic.name for topic in apply(settings).topics if topic.action == "created"] == [lost]


def test_configuration_that_differs_is_set_and_other_keys_stay(settings):
    apply(settings)
    alter(settings, STATE_CHANGES, retention_ms="1000", flush_messages="12345")
    [changed] = [topic for topic in apply(settings).topics if topic.action == "changed"]
    assert changed.name == physical(settings, STATE_CHANGES)
    assert [(change.key, change.old) for change in changed.changes] == [("retention.ms", "1000")]
    with closing(KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, changed.name)
        assert shown(admin, resource)["flush.messages"] == "12345"
    assert actions(apply(settings)) == {"unchanged"}


def test_another_number_of_partitions_is_an_error_before_anything_is_changed(settings):
    apply(settings)
    alter(settings, STATE_CHANGES, retention_ms="1000")
    wider = replace(settings, topics=replace(settings.topics, partitions=4))
    with pytest.raises(BrokerError, match=r"topics\.partitions is 4, but .*source-items has 2") as caught:
        apply(wider)
    assert "nothing was changed" in str(caught.value)
    assert standing_topics(settings)[physical(settings, STATE_CHANGES)].config["retention.ms"] == "1000"


def test_a_dry_run_does_nothing(settings):
    assert actions(apply(settings, dry_run=True)) == {"created"}
    assert {topic.partitions for topic in standing_topics(settings).values()} == {0}


def test_more_replicas_than_brokers_are_refused_with_what_to_do(settings):
    with pytest.raises(BrokerError, match=r"fewer brokers than topics\.replication asks for; lower it"):
        apply(replace(settings, topics=replace(settings.topics, replication=9)))


def test_several_may_apply_at_once(settings):
    failures = []

    def run():
        try:
            apply(settings)
        except BrokerError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENOUGH_S)
    assert failures == []
    assert actions(apply(settings)) == {"unchanged"}


def test_an_old_event_time_is_replaced_by_kafkas_own(settings):
    apply(settings)
    topic = physical(settings, SOURCE_ITEMS)
    with open_producer(settings) as producer:
        sent = producer.send(topic, b"{}", key=b"k", timestamp_ms=1_000).get(ENOUGH_S)
    [record] = read_to_end(settings, topic)
    assert record.timestamp == sent.timestamp > 1_600_000_000_000


def test_the_list_counts_records(settings):
    apply(settings)
    topic = physical(settings, SOURCE_ITEMS)
    with open_producer(settings) as producer:
        for number in range(7):
            producer.send(topic, b"{}", partition=number % 2)
    assert {found.name: found.records for found in list_topics(settings) if found.records} == {topic: 7}


def test_the_commands_say_what_is_done(decibel):
    created = decibel("topics", "apply").stdout
    assert created.count("created") == len(LOGICAL)
    changed = decibel("topics", "apply", DECIBEL_TOPICS_RETENTION_HOURS="24").stdout
    assert "retention.ms: 604800000 → 86400000" in changed
    report = json.loads(decibel("topics", "apply", "--json", "--dry-run").stdout)
    assert {topic["action"] for topic in report["topics"]} == {"changed", "unchanged"}
    assert "source-items" in decibel("topics", "list").stdout
    assert len(json.loads(decibel("topics", "list", "--json").stdout)) == len(LOGICAL)


def checks(done):
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_doctor_fails_until_the_topics_are_there(decibel):
    before = decibel("doctor", "--json")
    assert before.exit_code == 1
    assert checks(before)["topics"]["todo"] == "Run `decibel topics apply`."
    decibel("topics", "apply")
    after = decibel("doctor", "--json")
    assert after.exit_code == 0
    assert {check["status"] for check in checks(after).values()} == {"ok"}


def test_doctor_tells_drift_and_partitions_that_differ(decibel, settings):
    apply(settings)
    alter(settings, STATE_CHANGES, retention_ms="1000")
    assert "retention.ms is 1000" in checks(decibel("doctor", "--json"))["topic settings"]["detail"]
    other = decibel("doctor", "--json", DECIBEL_TOPICS_PARTITIONS="3")
    assert other.exit_code == 1
    assert "topics.partitions is 3" in checks(other)["partitions"]["detail"]


def test_doctor_counts_what_the_workers_have_not_read(decibel, settings, prefix):
    apply(settings)
    topic = physical(settings, SOURCE_ITEMS)
    with open_producer(settings) as producer:
        for _ in range(10):
            producer.send(topic, b"{}", partition=0)
    group = prefix + "group"
    waiting = checks(decibel("doctor", "--json", DECIBEL_APP_ID=group))
    assert waiting["topics"]["status"] == "fail"  # the changelogs of another app
    apply(replace(settings, app_id=group))
    waiting = checks(decibel("doctor", "--json", DECIBEL_APP_ID=group))
    assert "10 records wait" in waiting["lag"]["detail"]
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap, group_id=group, enable_auto_commit=False
    )
    with closing(consumer):
        part = TopicPartition(topic, 0)
        consumer.assign([part])
        consumer.seek(part, 4)
        consumer.commit()
    assert "6 records behind" in checks(decibel("doctor", "--json", DECIBEL_APP_ID=group))["lag"]["detail"]
