"""A consumer outside of any group: every partition of some topics, for a reader that keeps the offsets itself.

So do the view and the alerts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError
from stream.kafka_clients import broker_errors, consumer, tls_context
from stream.settings import Settings
from stream.topics import physical
from stream.view.entries import TOPICS

Partitions = Mapping[TopicPartition, str]
"""Each partition of the topics that are read, with the logical name of its topic."""

REQUEST_TIMEOUT_MS: Final = 30_000
"""How long one request to Kafka may take; Kafka's own default."""


def partitions_of(settings: Settings, topics: Iterable[str] = TOPICS, reader: str = "the view") -> Partitions:
    """Return every partition of `topics` (logical). Raises BrokerError where one is missing."""
    found: dict[TopicPartition, str] = {}
    with broker_errors(settings, f"{reader} cannot read"), closing(consumer(settings)) as client:
        present = client.topics()
        for logical in topics:
            name = physical(settings, logical)
            numbers = client.partitions_for_topic(name) if name in present else None
            if not numbers:
                raise BrokerError(f"topic {name} does not exist; run `decibel topics apply`")
            found |= {TopicPartition(name, number): logical for number in sorted(numbers)}
    return found


@asynccontextmanager
async def reading(
    settings: Settings, partitions: Partitions, reader: str = "view"
) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer to which `partitions` are assigned. Raises BrokerError where it cannot connect."""
    client = AIOKafkaConsumer(**_arguments(settings, reader))
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await client.stop()
        raise BrokerError(
            f"the {reader} cannot read: {error}; check that Kafka runs, and kafka.bootstrap"
        ) from error
    try:
        client.assign(list(partitions))
        yield client
    finally:
        await client.stop()


def _arguments(settings: Settings, reader: str) -> dict[str, Any]:
    kafka = settings.kafka
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.servers,
        "client_id": f"{settings.app_id}-{reader}",
        "group_id": None,
        "enable_auto_commit": False,
        # Where what was to be read next is no longer kept, what is left is read.
        "auto_offset_reset": "earliest",
        "fetch_max_wait_ms": settings.worker.fetch_wait_ms,
        "max_partition_fetch_bytes": max(1024 * 1024, settings.topics.max_record_bytes),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "security_protocol": kafka.security_protocol,
    }
    if kafka.uses_sasl:
        arguments |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password.reveal(),
        }
    if kafka.uses_tls:
        arguments["ssl_context"] = tls_context(kafka)
    return arguments
