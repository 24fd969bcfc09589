"""The physical topics of a deployment follow from its settings."""

import pytest

from schemas.topics import DEAD_LETTERS, EVENT_OF, INDEX_SHARES, NOISE_INDEX, SOURCE_ITEMS, STATE_CHANGES
from stream.provisioning import Standing, plan
from stream.settings import Settings, TopicSettings
from stream.topics import CHANGELOGS, INCIDENTS_CHANGELOG, physical, specs

COMPACTED = {"incident-profiles", "noise-scores", "incident-merges", "noise-index", "index-shares"}


def by_logical(settings):
    named = {spec.name: spec for spec in specs(settings)}
    return {logical: named[physical(settings, logical)] for logical in (*EVENT_OF, *CHANGELOGS)}


def standing(settings, **changes):
    return {
        spec.name: Standing(spec.name, spec.partitions, spec.replication, spec.config | changes)
        for spec in specs(settings)
    }


def test_every_event_and_both_tables_have_a_topic():
    assert len(specs(Settings())) == len(EVENT_OF) + 2


def test_the_prefix_stands_before_every_name_and_the_app_id_before_changelogs():
    settings = Settings(app_id="app", topics=TopicSettings(prefix="staging."))
    assert physical(settings, SOURCE_ITEMS) == "staging.source-items"
    assert physical(settings, INCIDENTS_CHANGELOG) == "staging.app-incidents-changelog"


@pytest.mark.parametrize("logical", [*EVENT_OF, *CHANGELOGS])
def test_what_is_kept_by_key_is_compacted_and_the_rest_by_time(logical):
    policy = by_logical(Settings())[logical].config["cleanup.policy"]
    assert policy == ("compact" if logical in COMPACTED or logical in CHANGELOGS else "delete")


def test_kafka_stamps_every_record_with_its_own_time():
    assert {spec.config["message.timestamp.type"] for spec in specs(Settings())} == {"LogAppendTime"}


def test_what_lines_up_has_the_same_partitions():
    topics = by_logical(Settings(topics=TopicSettings(partitions=24)))
    assert {name for name, spec in topics.items() if spec.partitions == 1} == {NOISE_INDEX, INDEX_SHARES}
    assert {spec.partitions for spec in topics.values()} == {1, 24}


def test_each_kind_has_its_own_retention():
    hours = TopicSettings(retention_hours=2, source_retention_hours=3, dead_letter_retention_hours=4)
    topics = by_logical(Settings(topics=hours))
    kept = [topics[name].config["retention.ms"] for name in (STATE_CHANGES, SOURCE_ITEMS, DEAD_LETTERS)]
    assert kept == ["7200000", "10800000", "14400000"]


def test_a_dead_letter_may_be_larger_than_its_record():
    topics = by_logical(Settings())
    largest = int(topics[SOURCE_ITEMS].config["max.message.bytes"])
    assert int(topics[DEAD_LETTERS].config["max.message.bytes"]) > largest * 4 / 3


def test_an_acknowledged_record_outlives_one_broker_where_there_are_several():
    wanted = {1: "1", 2: "1", 3: "2"}
    for replication, kept in wanted.items():
        settings = Settings(topics=TopicSettings(replication=replication))
        assert {spec.config["min.insync.replicas"] for spec in specs(settings)} == {kept}


def test_a_changelog_keeps_two_rows_of_a_key_long_enough_to_compare_them():
    assert by_logical(Settings())[INCIDENTS_CHANGELOG].config["min.compaction.lag.ms"] == "600000"


def test_nothing_is_planned_for_topics_that_are_as_set():
    report = plan(Settings(), standing(Settings()))
    assert {topic.action for topic in report.topics} == {"unchanged"}


def test_a_different_replication_is_noted_and_left_alone():
    wanted = Settings(topics=TopicSettings(replication=3))
    as_it_is = standing(Settings(), **{"min.insync.replicas": "2"})
    report = plan(wanted, as_it_is)
    assert {topic.action for topic in report.topics} == {"unchanged"}
    assert all("replication is 1, the settings say 3" in topic.note for topic in report.topics)
