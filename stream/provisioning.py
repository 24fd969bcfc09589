"""Making Kafka's topics what the settings say, as often as one likes: what is right already is left alone.

Never changed: the number of partitions of a topic that exists (the keys would move to other partitions, away
from their tables) and its replication (that is a move of data, for Kafka's own tools).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BrokerError
from stream.kafka_clients import CONNECT_TIMEOUT_S, admin, broker_errors, explain
from stream.settings import Settings
from stream.topics import LOGICAL, TopicSpec, physical, specs

READY_TIMEOUT_S: Final = 30.0
"""How long new topics may take to have leaders; a busy cluster of three needs a few seconds."""


class Change(Struct, frozen=True):
    """One configuration key that differs: what Kafka has, what the settings ask for."""

    key: str
    old: str
    new: str


class Standing(Struct, frozen=True):
    """A topic as Kafka has it, 0 partitions if it has not; of its `config` the keys that the settings set."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


class TopicReport(Struct, frozen=True):
    """What was done to a topic, or would be; `note` says what is not as set but was left alone."""

    name: str
    action: Literal["created", "changed", "unchanged"]
    partitions: int
    replication: int
    changes: tuple[Change, ...] = ()
    note: str = ""


class Report(Struct, frozen=True):
    """What was done to each topic; with `dry_run`, what would be."""

    dry_run: bool
    topics: tuple[TopicReport, ...]


class ListedTopic(Struct, frozen=True):
    """A topic of the deployment as it stands; `records` is the span of its offsets."""

    logical: str
    name: str
    partitions: int
    replication: int
    cleanup: str
    records: int


def apply(settings: Settings, *, dry_run: bool = False) -> Report:
    """Create the topics that are missing and set the configuration that differs; return what was done to
    each.

    Raises BrokerError, before anything is changed, if a topic has another number of partitions than the
    settings say; and if Kafka cannot be reached or refuses.
    """
    with _admin(settings, "cannot provision the topics") as client:
        standing = _standing(client, specs(settings))
        report = plan(settings, standing)
        if not dry_run:
            created = [spec for spec in specs(settings) if not standing[spec.name].partitions]
            _create(settings, client, created)
            if changed := [topic for topic in report.topics if topic.action == "changed"]:
                _alter(client, changed)
                _await_shown(settings, client)
    return replace(report, dry_run=dry_run)


def plan(settings: Settings, standing: Mapping[str, Standing]) -> Report:
    """Return what `apply` would do to topics that stand so. Raises BrokerError on another number of
    partitions.
    """
    wanted = specs(settings)
    if wrong := [
        topic for spec in wanted if (topic := standing[spec.name]).partitions not in {0, spec.partitions}
    ]:
        raise BrokerError(partition_mismatch(settings, wrong) + "; nothing was changed")
    return Report(dry_run=True, topics=tuple(_difference(spec, standing[spec.name]) for spec in wanted))


def standing_topics(
    settings: Settings, *, connect_timeout_s: float = CONNECT_TIMEOUT_S
) -> dict[str, Standing]:
    """Return how each topic of the deployment stands in Kafka, by its name there. Raises BrokerError."""
    with _admin(settings, "cannot look at the topics", connect_timeout_s) as client:
        return _standing(client, specs(settings))


def list_topics(settings: Settings) -> tuple[ListedTopic, ...]:
    """Return the topics as they stand, missing ones with 0 partitions. Raises BrokerError."""
    with _admin(settings, "cannot list the topics") as client:
        standing = _standing(client, specs(settings))
        counts = _record_counts(client, standing.values())
    listed = []
    for logical in LOGICAL:
        name = physical(settings, logical)
        topic = standing[name]
        cleanup = topic.config.get("cleanup.policy", "")
        listed.append(
            ListedTopic(logical, name, topic.partitions, topic.replication, cleanup, counts.get(name, 0))
        )
    return tuple(listed)


def partition_mismatch(settings: Settings, wrong: Collection[Standing]) -> str:
    """Return what to do about topics that have another number of partitions than the settings say."""
    named = ", ".join(f"{topic.name} has {topic.partitions}" for topic in wrong)
    return (
        f"topics.partitions is {settings.topics.partitions}, but {named}; "
        "set it to what the topics have, or start anew under another topics.prefix"
    )


def _difference(spec: TopicSpec, topic: Standing) -> TopicReport:
    if not topic.partitions:
        return TopicReport(spec.name, "created", spec.partitions, spec.replication)
    changes = tuple(
        Change(key, topic.config.get(key, ""), value)
        for key, value in spec.config.items()
        if topic.config.get(key) != value
    )
    note = ""
    if topic.replication != spec.replication:
        note = (
            f"replication is {topic.replication}, the settings say {spec.replication}: "
            "move the replicas by kafka-reassign-partitions"
        )
    action: Literal["changed", "unchanged"] = "changed" if changes else "unchanged"
    return TopicReport(spec.name, action, topic.partitions, topic.replication, changes, note)


@contextmanager
def _admin(
    settings: Settings, doing: str, connect_timeout_s: float = CONNECT_TIMEOUT_S
) -> Iterator[KafkaAdminClient]:
    with broker_errors(settings, doing):
        client = admin(settings, connect_timeout_s=connect_timeout_s)
        try:
            yield client
        finally:
            client.close()


def _standing(client: KafkaAdminClient, wanted: Iterable[TopicSpec]) -> dict[str, Standing]:
    keys = {spec.name: spec.config.keys() for spec in wanted}
    found = {}
    for topic in client.describe_topics(list(keys)):
        error = for_code(topic["error_code"])
        if error not in {NoError, UnknownTopicOrPartitionError}:
            raise error(f"topic {topic['name']}")
        if error is NoError:
            found[topic["name"]] = topic["partitions"]
    configs = _configs(client, list(found))
    return {
        name: Standing(
            name=name,
            partitions=len(found.get(name, ())),
            replication=min((len(part["replica_nodes"]) for part in found.get(name, ())), default=0),
            config={key: value for key, value in configs.get(name, {}).items() if key in keys[name]},
        )
        for name in keys
    }


def _configs(client: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = client.describe_configs(resources, config_filter="all").get("topic", {})
    return {
        name: {key: str(entry["value"]) for key, entry in entries.items()}
        for name, entries in described.items()
    }


def _create(settings: Settings, client: KafkaAdminClient, missing: list[TopicSpec]) -> None:
    if not missing:
        return
    request: dict[str, dict[str, Any]] = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": spec.config,
        }
        for spec in missing
    }
    answer = client.create_topics(request, timeout_ms=int(READY_TIMEOUT_S * 1000), raise_errors=False)
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        # Existing now: somebody else provisions at the same time, by the same settings.
        if error not in {NoError, TopicAlreadyExistsError}:
            reason = explain(settings, error(topic.get("error_message") or ""))
            raise BrokerError(f"cannot create topic {topic['name']}: {reason}")
    client.wait_for_topics(list(request), timeout_ms=int(READY_TIMEOUT_S * 1000))


def _alter(client: KafkaAdminClient, changed: list[TopicReport]) -> None:
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC, topic.name, {change.key: change.new for change in topic.changes}
        )
        for topic in changed
    ]
    answers = client.alter_configs(resources, raise_on_unknown=False, incremental=True).get("topic", {})
    for name, answer in answers.items():
        if answer != "OK":
            raise BrokerError(f"cannot change the configuration of topic {name}: {answer}")


def _await_shown(settings: Settings, client: KafkaAdminClient) -> None:
    """Return when Kafka shows what was set: its controller takes a change before its brokers know of it."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while any(topic.changes for topic in plan(settings, _standing(client, specs(settings))).topics):
        if time.monotonic() > deadline:
            raise BrokerError(
                f"Kafka took the changes but does not show them after {READY_TIMEOUT_S:g} s; "
                "look at them by `decibel topics apply --dry-run`"
            )
        time.sleep(0.05)  # between two questions: Kafka gives no sign when it is ready


def _record_counts(client: KafkaAdminClient, topics: Iterable[Standing]) -> dict[str, int]:
    parts = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
    if not parts:
        return {}
    first = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
    last = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.topic] = counts.get(part.topic, 0) + last[part].offset - first[part].offset
    return counts
