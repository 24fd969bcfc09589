"""The agents of the two source topics: each takes a partition batch and has its partition apply it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import faust

from agents.batch import Record


class Partition(Protocol):
    """A partition that scores: it takes batches in order and says when one is safe."""

    async def room(self) -> None:
        """Wait until another batch may be applied."""

    def apply(self, topic: str, records: list[Record], done: Callable[[], None]) -> None:
        """Apply a batch; `done` is called when everything it changed is safe."""


class Partitions(Protocol):
    """The partitions of this worker by number."""

    def __getitem__(self, number: int) -> Partition:
        """Return a partition that is assigned here."""


def source_agent(
    app: faust.App,
    topic: faust.TopicT,
    logical: str,
    partitions: Partitions,
    taken: Callable[[Any], None],
    done: Callable[[Any, int], None],
) -> faust.Agent:
    """Return the agent of a source topic.

    `taken` is told the topic partition when its batch has come, so that the next one may be fetched; `done` is told it
    with the next offset once the batch is safe. The agent never acknowledges by itself and never raises for a record:
    what cannot be accepted goes to the dead letters, and anything else ends the worker.
    """

    async def apply(stream: faust.Stream[Any]) -> None:
        async for event in stream.noack().events():
            message = event.message
            taken(message.tp)
            partition = await _with_room(app, partitions, message)
            if partition is None:
                continue
            partition.apply(logical, event.value, partial(done, message.tp, message.offset + 1))
            event.ack()

    return app.agent(topic, name=f"decibel.{logical}")(apply)


async def _with_room(app: faust.App, partitions: Partitions, message: Any) -> Partition | None:
    """Return the partition of a message once it has room, or None when a rebalance has made the message stale.

    A stale one is read again by whoever has the partition then, from its committed offset on.
    """
    if _stale(app, message):
        return None
    partition = partitions[message.partition]
    await partition.room()
    return None if _stale(app, message) else partition


def _stale(app: faust.App, message: Any) -> bool:
    return bool(message.generation_id != app.consumer_generation_id or not app.flow_control.is_active())
