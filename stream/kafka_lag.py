"""How far the workers' group is behind its source topics, and how many dead letters are kept: asked of Kafka itself."""

from __future__ import annotations

import time
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError
from msgspec import Struct

from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, SOURCE_ITEMS
from stream.kafka_clients import admin, broker_errors
from stream.settings import Settings
from stream.topics import physical

TIMEOUT_S: Final = 5.0
"""How long Kafka may take: who asks is a person who waits."""


class Lag(Struct, frozen=True):
    """Records not yet committed by the group, in all and by partition of `source-items`; whether it has committed any;
    and how many dead letters are kept, None where they were not asked for.
    """

    records: int
    by_partition: dict[int, int]
    committed: bool
    dead_letters: int | None


def lag(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> Lag:
    """Return the lag of the workers' group. Raises BrokerError."""
    items, profiles, letters = (
        physical(settings, logical) for logical in (SOURCE_ITEMS, INCIDENT_PROFILES, DEAD_LETTERS)
    )
    parts = {
        name: [TopicPartition(name, number) for number in range(settings.topics.partitions)]
        for name in (items, profiles, letters)
    }
    asked = [part for each in parts.values() for part in each]
    with broker_errors(settings, "cannot ask for the lag"):
        client = admin(settings, connect_timeout_s=timeout_s)
        try:
            committed = _committed(client, settings.app_id, [*parts[items], *parts[profiles]], timeout_s)
            first = client.list_partition_offsets(dict.fromkeys(asked, OffsetSpec.EARLIEST))
            last = client.list_partition_offsets(dict.fromkeys(asked, OffsetSpec.LATEST))
        finally:
            client.close()
    # A partition without a commit is read from its first record.
    behind = {
        part: last[part].offset - (committed[part].offset if part in committed else first[part].offset)
        for part in [*parts[items], *parts[profiles]]
    }
    return Lag(
        sum(behind.values()),
        {part.partition: behind[part] for part in parts[items]},
        bool(committed),
        sum(last[part].offset - first[part].offset for part in parts[letters]),
    )


def _committed(
    client: KafkaAdminClient, group: str, parts: list[TopicPartition], timeout_s: float
) -> dict[TopicPartition, Any]:
    """The group's committed offsets of `parts`. A cluster that never had a group first makes a topic for them."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            # By name: the embedded broker does not know the question for all there are.
            found = client.list_group_offsets({group: parts}).get(group, {})
        except (CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # between two questions: the broker gives no sign when it is ready
        else:
            return {part: each for part, each in found.items() if each.offset >= 0}
