"""Deployments for tests of the commands: each with topics nobody has used, all on one embedded broker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stream.embedded_broker import EmbeddedBroker


@contextmanager
def deployments(number: int, topics: Sequence[str]) -> Iterator[Iterator[dict[str, str]]]:
    """The variables of so many deployments, one after the other; each has these topics (their logical names).

    All are made at once: librdkafka's mock cluster often takes a second to hear of a new topic.
    """
    prefixes = [f"test-{each}." for each in range(number)]
    with EmbeddedBroker({prefix + logical: 2 for prefix in prefixes for logical in topics}) as broker:
        yield iter(
            {
                "DECIBEL_KAFKA_BOOTSTRAP": broker.bootstrap,
                "DECIBEL_KAFKA_API_VERSION": "2.3",
                "DECIBEL_TOPICS_PREFIX": prefix,
                "DECIBEL_TOPICS_PARTITIONS": "2",
            }
            for prefix in prefixes
        )
