"""The topics of a benchmark: made, filled, watched, measured and read back. Works for every peer alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Self

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from kafka import KafkaAdminClient
from kafka import TopicPartition as KafkaTopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    NotCoordinatorError,
)

from bench.throughput.loads import Record

PARTITIONS: Final = 8
ANSWER_S: Final = 30.0
PAUSE_S: Final = 0.02
"""Between two questions to the broker: short against any run, and no load on it."""

_LOG_APPEND: Final = {"message.timestamp.type": "LogAppendTime"}


_NO_GROUP_YET: Final = (
    GroupIdNotFoundError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)
"""What a broker answers while a group, or the topic that holds the groups, is only being made."""


class Logged(NamedTuple):
    """What a topic holds: records, bytes of their keys, of their values with headers, of its logs on disk."""

    records: int
    keys: int
    values: int
    on_disk: int

    @property
    def payload(self) -> int:
        """Bytes of records as they are read back."""
        return self.keys + self.values

    @property
    def value(self) -> int:
        """Bytes of a value with its headers on average; 0 if there is none."""
        return round(self.values / self.records) if self.records else 0


NOTHING: Final = Logged(0, 0, 0, 0)


def together(logged: Sequence[Logged]) -> Logged:
    """Return what several topics hold in all.

    >>> together([Logged(1, 2, 3, 4), Logged(10, 20, 30, 40)])
    Logged(records=11, keys=22, values=33, on_disk=44)
    """
    return Logged(*(sum(each) for each in zip(NOTHING, *logged, strict=True)))


class Wire:
    """One broker, as the harness sees it."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open: the clients close with the process."""

    # -- topics ------------------------------------------------------------------------------------------------------

    def create(self, *names: str, partitions: int = PARTITIONS) -> None:
        """Make topics whose records are stamped by the broker."""
        made = self._admin.create_topics(
            [NewTopic(name, partitions, 1, config=_LOG_APPEND) for name in names], operation_timeout=ANSWER_S
        )
        for future in made.values():
            future.result(ANSWER_S)
        until(lambda: all(map(self._is_there, names)), f"topics {names} to appear", ANSWER_S)

    def delete(self, names: Iterable[str]) -> None:
        """Delete those of the topics that are there, and wait until they are gone."""
        present = sorted(set(names) & self.topics())
        if present:
            for future in self._admin.delete_topics(present, operation_timeout=ANSWER_S).values():
                future.result(ANSWER_S)
            until(lambda: not set(present) & self.topics(), f"topics {present} to go", ANSWER_S)

    def topics(self) -> set[str]:
        """Return the names of all topics."""
        return set(self._admin.list_topics(timeout=ANSWER_S).topics)

    def _is_there(self, topic: str) -> bool:
        """Whether all partitions of a topic have leaders that answer."""
        try:
            return topic in self.topics() and bool(self.ends(topic))
        except KafkaException:
            return False

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end offset of each partition."""
        numbers = self._admin.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
        asked = self._admin.list_offsets(
            {TopicPartition(topic, number): OffsetSpec.latest() for number in numbers}
        )
        return {tp.partition: future.result(ANSWER_S).offset for tp, future in asked.items()}

    def total(self, topic: str) -> int:
        """Return how many records were ever written to a topic; 0 if it is not there."""
        return sum(self.ends(topic).values()) if topic in self.topics() else 0

    # -- groups ------------------------------------------------------------------------------------------------------

    def committed(self, group: str, topic: str) -> int:
        """Return how many records of a topic a group has committed, all partitions together."""
        parts = [KafkaTopicPartition(topic, number) for number in range(PARTITIONS)]
        with self._group_admin() as admin:
            try:
                found = admin.list_group_offsets({group: parts}).get(group, {})
            except _NO_GROUP_YET:
                return 0
        return sum(max(0, each.offset) for each in found.values())

    def members(self, group: str) -> int:
        """Return how many members a group has; -1 while they agree on who reads what."""
        described = self._described(group)
        settled = described is not None and described["group_state"] in ("Stable", "Empty", "Dead")
        return len(described["members"]) if described is not None and settled else -1

    def expel(self, group: str) -> None:
        """Let a group know that its members are gone: it would wait for who was killed until the session ends."""
        described = self._described(group)
        gone = [MemberToRemove(member_id=each["member_id"]) for each in (described or {}).get("members", ())]
        if gone:
            with self._group_admin() as admin:
                admin.remove_group_members(group, gone)
        until(lambda: self.members(group) == 0, f"{group} to be without members", ANSWER_S)

    def _described(self, group: str) -> dict[str, Any] | None:
        """What the broker says of a group; None while it cannot say."""
        with self._group_admin() as admin:
            try:
                found: dict[str, Any] = admin.describe_groups([group])[group]
            except _NO_GROUP_YET:
                return None
        return found

    @contextmanager
    def _group_admin(self) -> Iterator[KafkaAdminClient]:
        """A client for what groups say: confluent-kafka 2.16 dies of some answers of a coordinator that loads."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            yield admin
        finally:
            admin.close()

    # -- records -----------------------------------------------------------------------------------------------------

    def produce(self, topic: str, records: Iterable[Record]) -> int:
        """Write records in order, each to the partition of its key (murmur2, as Java does); return how many."""
        producer = self.producer(linger_ms=20)
        number = 0
        for number, record in enumerate(records, 1):
            while True:
                try:
                    producer.produce(topic, record.value, record.key)
                except BufferError:
                    producer.poll(0.1)
                    continue
                break
            if number % 1000 == 0:
                producer.poll(0)
        flushed(producer)
        return number

    def producer(self, linger_ms: int) -> Producer:
        """Return a client that writes to the partitions that Java's client would choose."""
        return Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": linger_ms,
                "queue.buffering.max.messages": 500_000,
                "compression.type": "lz4",
                "acks": "all",
            }
        )

    def read(self, topic: str, partitions: Sequence[int] | None = None) -> Iterator[Message]:
        """Yield the records of a topic from its start to its present end, partition by partition in order."""
        ends = {
            number: end
            for number, end in self.ends(topic).items()
            if end and (partitions is None or number in partitions)
        }
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "bench-reader",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": 65536,
            }
        )
        consumer.assign([TopicPartition(topic, number, 0) for number in ends])
        deadline = time.monotonic() + 20 * ANSWER_S
        try:
            while ends:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic} could not be read to its end; left: {ends}")
                for message in consumer.consume(10_000, timeout=1.0):
                    if message.error() is None:
                        yield message
                    elif message.error().code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                        ends.pop(message.partition(), None)
        finally:
            consumer.close()

    def logged(self, topic: str) -> Logged:
        """Return what a topic holds."""
        records = keys = values = 0
        for message in self.read(topic):
            records += 1
            keys += len(message.key() or b"")
            values += len(message.value() or b"")
            values += sum(len(name) + len(value) for name, value in message.headers() or ())
        return Logged(records, keys, values, self._on_disk({topic}))

    def _on_disk(self, topics: set[str]) -> int:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            return sum(_partition_bytes(admin.describe_log_dirs(), topics))
        finally:
            admin.close()


def _partition_bytes(described: object, topics: set[str]) -> Iterator[int]:
    """Yield the size of each partition of `topics` in what a broker says of its log folders."""
    if isinstance(described, Mapping):
        if described.get("topic", described.get("name")) in topics and "partitions" in described:
            yield from (partition["partition_size"] for partition in described["partitions"])
            return
        described = list(described.values())
    if isinstance(described, list | tuple):
        for each in described:
            yield from _partition_bytes(each, topics)


def flushed(producer: Producer) -> None:
    """Wait until the broker has all; TimeoutError if it has not."""
    if left := producer.flush(ANSWER_S * 4):
        raise TimeoutError(f"{left} records were not acknowledged")


def until(holds: Callable[[], bool], what: str, within_s: float, pause_s: float = PAUSE_S) -> None:
    """Ask until `holds`; TimeoutError says what was waited for."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within_s:.0f} s for {what}")
        time.sleep(pause_s)
