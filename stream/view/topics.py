"""The consumer of the view: every partition of its topics, outside of any group, for the view keeps the offsets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
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
"""Each partition of the view's topics, with the logical name of its topic."""

REQUEST_TIMEOUT_MS: Final = 30_000
"""How long one request to Kafka may take; Kafka's own default."""


def partitions_of(settings: Settings) -> Partitions:
    """Return every partition of the view's topics. Raises BrokerError where a topic is missing."""
    found: dict[TopicPartition, str] = {}
    with broker_errors(settings, "the view cannot be read"), closing(consumer(settings)) as client:
        present = client.topics()
        for logical in TOPICS:
            name = physical(settings, logical)
            numbers = client.partitions_for_topic(name) if name in present else None
            if not numbers:
                raise BrokerError(f"topic {name} does not exist; run `decibel topics apply`")
            found |= {TopicPartition(name, number): logical for number in sorted(numbers)}
    return found


@asynccontextmanager
async def reading(settings: Settings, partitions: Partitions) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer to which `partitions` are assigned. Raises BrokerError where it cannot connect."""
    client = AIOKafkaConsumer(**_arguments(settings))
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await client.stop()
        raise BrokerError(
            f"the view cannot be read: {error}; check that Kafka runs, and kafka.bootstrap"
        ) from error
    try:
        client.assign(list(partitions))
        yield client
    finally:
        await client.stop()


def _arguments(settings: Settings) -> dict[str, Any]:
    kafka = settings.kafka
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.servers,
        "client_id": f"{settings.app_id}-view",
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
