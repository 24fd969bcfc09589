"""The agent of the index: adds the partitions' shares up to one number for each category.

It keeps no table. The topic of the shares is compacted and small, its offsets are never committed, so the worker that
is given its one partition reads all of it again and has the latest share of everybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import faust
import msgspec

from schemas.cloudevents import Output
from schemas.noise_index import IndexShare
from scoring.index import IndexBoard

_SHARE = msgspec.json.Decoder(IndexShare)

Send = Callable[[Iterable[Output]], Awaitable[None]]


def index_agent(
    app: faust.App, shares: faust.TopicT, board: IndexBoard, taken: Callable[[Any], None], send: Send
) -> faust.Agent:
    """Return the agent that reads `shares` and sends the index whenever a batch of them has changed it.

    `taken` is told the topic partition when its batch has come, so that the next one may be fetched.
    """

    async def add_up(stream: faust.Stream[Any]) -> None:
        async for event in stream.noack().events():
            taken(event.message.tp)
            for record in event.value:
                board.apply(_SHARE.decode(record.value))
            await send(board.index(0.0))
            event.ack()

    return app.agent(shares, name="decibel.index")(add_up)
