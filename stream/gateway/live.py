"""`/live`: every event as it comes, as Server-Sent Events or WebSocket, from any place that is still kept.

What a listener has missed is read for it alone; it joins the hub at the very place it has then reached, so that
nothing is missing and nothing comes twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from msgspec import Meta, Struct
from redis.exceptions import RedisError

from stream.gateway.answering import takes_gzip
from stream.gateway.context import Context, of
from stream.gateway.filters import Filter, Form, Labels
from stream.gateway.hub import Hub, Listener
from stream.gateway.parameters import MOST_NAMED, Categories, Id, Noise, States, query
from stream.gateway.places import PATTERN, Place, parse_place, shown
from stream.gateway.problems import ProblemError, busy
from stream.gateway.wire import GZIP_BEGINS, SNAPSHOT, Wire, joined, one, packed

GONE: Final = b'{"reason":"the place to go on from is no longer kept; read the answers anew"}'
RETRY_MS: Final = 1000
"""How long a browser waits before it connects again."""
COME_AGAIN_S: Final = 5.0
"""When somebody may try again where there are too many live connections."""
CATCH_UP_TIMEOUT_S: Final = 60.0
"""How long a listener may take for what it has missed, in one turn of at most a thousand events."""
LAST_EVENT_ID: Final = "Last-Event-ID"

Topic = Literal[
    "noise-scores",
    "state-changes",
    "trend-updates",
    "peak-crossings",
    "incident-merges",
    "incident-profiles",
    "noise-index",
]
After = Annotated[
    str,
    Meta(pattern=PATTERN, description="The id of the last event seen; 0-0 for all that is kept."),
]


class LiveQuery(Struct, frozen=True):
    """Which events are wanted: any, where nothing is said."""

    incident: Annotated[tuple[Id, ...], Meta(max_length=MOST_NAMED, description="Of these incidents.")] = ()
    category: Categories = ()
    topic: Annotated[tuple[Topic, ...], Meta(max_length=MOST_NAMED, description="Of these topics.")] = ()
    state: States = ()
    min_noise: Noise = 0.0
    form: Annotated[Form, Meta(description="Whole events, or their main fields only.")] = "full"
    after: After | None = None

    def filter(self) -> Filter:
        """Return what is asked for, alike for all who ask for the same."""
        return Filter(
            _alike(self.incident),
            _alike(self.category),
            _alike(self.topic),
            _alike(self.state),
            self.min_noise,
            self.form,
        )


def _alike(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in values}))


class Visitors:
    """How many live connections there are, of all and of each client."""

    def __init__(self, most: int, each_most: int) -> None:
        self._most, self._each_most = most, each_most
        self._of: Counter[str] = Counter()
        self._all = 0

    def enter(self, client: str) -> None:
        """Count one more; ProblemError where there are too many."""
        if self._all >= self._most:
            raise busy("there are too many live connections; try again", COME_AGAIN_S)
        if self._of[client] >= self._each_most:
            raise busy(f"this client has {self._each_most} live connections; close one", COME_AGAIN_S, 429)
        self._all += 1
        self._of[client] += 1

    def leave(self, client: str) -> None:
        """Count one less."""
        self._all -= 1
        self._of[client] -= 1
        if not self._of[client]:
            del self._of[client]


async def sse_route(request: web.Request, visitors: Visitors, client: str) -> web.StreamResponse:
    """Serve events as Server-Sent Events until the reader leaves."""
    asked, after = _asked(request)
    visitors.enter(client)
    try:
        return await _sse(request, of(request), asked, after)
    finally:
        visitors.leave(client)


async def _sse(
    request: web.Request, context: Context, asked: Filter, after: Place | None
) -> web.StreamResponse:
    # A proxy that collects an answer before it passes it on would keep everything.
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    wire: Wire = "sse-1.0"
    if request.version >= (1, 1):
        wire = "sse-gzip" if takes_gzip(request) else "sse"
    if wire == "sse-gzip":
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers={**headers, "Vary": "Accept-Encoding"})
    if request.method == "HEAD":
        return response
    kept = after is None or await context.hub.kept(after)  # asked before the answer begins: Redis may be away
    await response.prepare(request)

    first = b"retry:%d\n\n" % RETRY_MS
    await response.write(GZIP_BEGINS + packed(first) if wire == "sse-gzip" else first)
    await _serve(request, wire, asked, after, kept=kept)
    return response


async def websocket_route(request: web.Request, visitors: Visitors, client: str) -> web.StreamResponse:
    """Serve events as text frames until the reader leaves; what the reader sends is not read."""
    asked, after = _asked(request)
    settings = of(request).settings.gateway
    socket = web.WebSocketResponse(compress=False, heartbeat=settings.heartbeat_s, max_msg_size=4096)
    if not socket.can_prepare(request):
        raise ProblemError(400, "this address speaks WebSocket only; /live gives the same as text")
    visitors.enter(client)
    try:
        kept = after is None or await of(request).hub.kept(after)
        await socket.prepare(request)

        async def until_closed() -> None:
            async for _ in socket:
                pass

        closing = asyncio.create_task(until_closed())
        try:
            await _serve(request, "websocket", asked, after, kept=kept, closed=closing)
        finally:
            closing.cancel()
        await socket.close(code=1001)
    finally:
        visitors.leave(client)
    return socket


async def _serve(
    request: web.Request,
    wire: Wire,
    asked: Filter,
    after: Place | None,
    *,
    kept: bool,
    closed: asyncio.Future[Any] | None = None,
) -> None:
    """Tell what was missed after a place, then join the hub until the connection ends.

    Up to the end of what was missed the listener is waited for; then its transport's buffer is all it has.
    """
    hub, metrics, transport = of(request).hub, of(request).metrics, request.transport
    if transport is None:
        return
    listener = Listener(transport, wire, asked, hub.place if after is None or not kept else after)
    form = "websocket" if wire == "websocket" else "sse"
    metrics.joined(form)
    how = "left"
    try:
        if not kept:
            await _send(request, joined(wire, [one(wire, shown(listener.after), SNAPSHOT, GONE)]))
        await _catch_up(request, hub, listener)
        hub.join(listener)  # nothing is awaited between the last look and this
        waiting: set[asyncio.Future[Any]] = {listener.gone} | ({closed} if closed is not None else set())
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        how = "slow"
        transport.abort()
    except RedisError:  # the answer has begun: there is no other way to say it; the reader comes again
        how = "failed"
        transport.abort()
    except ConnectionError:
        transport.abort()
    finally:
        hub.leave(listener)
        # Who is cut off is cancelled here at once, before anything else is heard of it.
        metrics.ended(form, listener.gone.result() if listener.gone.done() else how)


async def _catch_up(request: web.Request, hub: Hub, listener: Listener) -> None:
    """Tell the events after a listener's place up to where the hub is.

    Raises TimeoutError where the listener does not take them, ConnectionError where it has left, redis-py's errors.
    """
    labels = Labels()
    while listener.after < hub.place:
        turn = await hub.missed(labels, listener.after)
        if not turn.places:
            return
        body, _ = turn.chosen(listener.wire, listener.asked, listener.after)
        listener.after = turn.places[-1]
        if body:
            await _send(request, body)


async def _send(request: web.Request, body: bytes) -> None:
    """Write what is ready for the socket, and wait until most of it is on its way."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the reader has left")
    transport.write(body)
    async with asyncio.timeout(CATCH_UP_TIMEOUT_S):
        await request.writer.drain()


def _asked(request: web.Request) -> tuple[Filter, Place | None]:
    """What a listener wants, and after which place; the header, which browsers send by themselves, goes first."""
    asked = query(request, LiveQuery)
    header = request.headers.get(LAST_EVENT_ID)
    if header:
        return asked.filter(), parse_place(header, LAST_EVENT_ID)
    return asked.filter(), None if asked.after is None else parse_place(asked.after)
