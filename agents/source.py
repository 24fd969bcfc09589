"""The agents of the two source topics: each takes a partition batch and has its partition apply it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import faust

from agents.batch import Record

IN_ONE_GO_S: Final = 0.01
"""About how long (seconds of processor time) records are applied without a break. In between comes what waits for the
event loop: acknowledgements above all, of which each step of a commit needs a dozen rounds."""

SHORTEST_S: Final = 1e-6
"""A thread's clock may stand still for so short a time."""

FEWEST: Final = 20
MOST: Final = 1000
"""Records applied without a break; a break costs as much as some ten of them."""


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
    applied: Callable[[Any], None],
    done: Callable[[Any, int], None],
) -> faust.Agent:
    """Return the agent of a source topic.

    `taken` is told the topic partition when its batch has come, so that the next one may be fetched, and `applied` when
    all of it is in the ledger; `done` is told it with the next offset once what was applied is safe. The agent never
    acknowledges by itself and never raises for a record: what cannot be accepted goes to the dead letters, and anything
    else ends the worker.
    """

    async def apply(stream: faust.Stream[Any]) -> None:
        in_one_go = FEWEST
        async for event in stream.noack().events():
            message, records = event.message, event.value
            taken(message.tp)
            start = 0
            while start < len(records):
                partition = await _with_room(app, partitions, message)
                if partition is None:
                    break
                part = records[start : start + in_one_go]
                began = time.thread_time()
                partition.apply(logical, part, partial(done, message.tp, part[-1].offset + 1))
                took_s = time.thread_time() - began
                start += len(part)
                if len(part) == in_one_go:
                    in_one_go = max(FEWEST, min(MOST, int(in_one_go * IN_ONE_GO_S / max(took_s, SHORTEST_S))))
                await asyncio.sleep(0)
            else:
                applied(message.tp)
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
