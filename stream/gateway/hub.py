"""The hub: reads the live stream once, and hands every event to all who listen.

What goes to many is made once: for each wire, form and filter one run of bytes a turn, which is written to the socket
of each listener as it is. Nobody is waited for: what a socket does not take at once its transport keeps, and a listener
for whom more than `gateway.buffer_kb` is kept is cut off. It comes again with the place of the last event it has seen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from stream.gateway import turns
from stream.gateway.filters import Filter, Labels
from stream.gateway.metrics import GatewayMetrics
from stream.gateway.places import BEGINNING, Place, parse_place, shown
from stream.gateway.rates import EventRates
from stream.gateway.turns import Memory, Turn
from stream.gateway.wire import HEARTBEAT, SNAPSHOT, Wire, joined, one
from stream.settings import GatewaySettings
from stream.view.answers import LiveEvent
from stream.view.reader import ViewReader

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 1000
"""Events of one read: some megabytes."""
CATCHING_UP: Final = 2
"""How many read at once what is no longer remembered: a thousand who come back late must not hold up the others."""
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 5.0
"""Between two attempts while Redis is away; doubled from the first up to the longest."""
GAP: Final = b'{"reason":"events were let go of before they could be read; read the answers anew"}'


class Listener:
    """One live connection: what it wants, and how far it is. `gone` is done when it has ended, and says how."""

    def __init__(self, transport: asyncio.Transport, wire: Wire, asked: Filter, after: Place) -> None:
        self.transport, self.wire, self.asked = transport, wire, asked
        self.after = after
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(self, how: str) -> None:
        """Let whoever serves the connection know that it is over."""
        if not self.gone.done():
            self.gone.set_result(how)


class Hub:
    """Reads the live stream of a view by `reader`, until it is stopped."""

    def __init__(self, reader: ViewReader, settings: GatewaySettings, metrics: GatewayMetrics) -> None:
        self._reader, self._settings, self._metrics = reader, settings, metrics
        self._buffer_bytes = settings.buffer_kb * 1024
        self._groups: dict[tuple[Wire, Filter], set[Listener]] = {}
        self._labels, self._memory = Labels(), Memory()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._failing_since: float | None = time.monotonic()
        self._stopping = False
        self.place: Place = BEGINNING
        self.rates = EventRates()
        self.lag_s: float | None = None
        self.latest_ms: int | None = None

    def stuck_s(self) -> float:
        """Return for how many seconds the stream could not be read; 0 while all is well."""
        return 0.0 if self._failing_since is None else max(0.001, time.monotonic() - self._failing_since)

    def listening(self) -> dict[Wire, int]:
        """Return how many listen, by wire."""
        found: dict[Wire, int] = {"sse": 0, "sse-gzip": 0, "sse-1.0": 0, "websocket": 0}
        for (wire, _), listeners in self._groups.items():
            found[wire] += len(listeners)
        return found

    # -- listeners ----------------------------------------------------------------------------------------------

    async def missed(self, labels: Labels, after: Place) -> Turn:
        """Return the next events after a place, remembered or read: what a listener has missed, in turns."""
        remembered = self._memory.after(after)
        if remembered is not None:
            return remembered
        async with self._catching_up:
            return await self._heard(labels, await self._reader.live(shown(after), most=MOST_AT_ONCE))

    async def kept(self, place: Place) -> bool:
        """Whether a listener can go on after a place, and will miss nothing."""
        if place in {BEGINNING, self.place} or self._memory.after(place) is not None:
            return True
        return await self._in_stream(place)

    async def _in_stream(self, place: Place) -> bool:
        """Whether the stream reaches back to a place."""
        edges = await self._reader.live_edges()
        if edges is None:
            return False
        first, last = (parse_place(edge) for edge in edges)
        return first <= place <= last

    def join(self, listener: Listener) -> None:
        """Hand a listener every event after its place that is read from now on."""
        if self._stopping:
            listener.end("stopped")
        self._groups.setdefault((listener.wire, listener.asked), set()).add(listener)

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        group = self._groups.get((listener.wire, listener.asked))
        if group is not None:
            group.discard(listener)
            if not group:
                del self._groups[listener.wire, listener.asked]

    def close(self) -> None:
        """End every live connection, and those that come."""
        self._stopping = True
        for listeners in self._groups.values():
            for listener in listeners:
                listener.end("stopped")

    # -- the stream ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin at the end of the stream. Raises redis-py's errors."""
        latest: list[LiveEvent] = []
        while len(latest) < turns.REMEMBERED:
            last = f"({latest[-1].place}" if latest else "+"
            before = await self._reader.live_before(last, most=MOST_AT_ONCE)
            latest += before
            if len(before) < MOST_AT_ONCE:
                break
        if latest:
            turn = await self._heard(self._labels, latest[::-1])
            self._memory.keep(turn, since=turn.places[0])
            self.place = turn.places[-1]
        self._well()

    async def run(self, stop: asyncio.Event) -> None:
        """Read and hand on until `stop` is set."""
        wait_s, spoken = FIRST_WAIT_S, time.monotonic()
        while not stop.is_set():
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                self._ill(error)
                await _pause(stop, wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                continue
            wait_s = FIRST_WAIT_S
            if time.monotonic() - spoken >= self._settings.heartbeat_s:
                spoken = time.monotonic()
                self._hand_out_heartbeat()
            await _pause(stop, self._settings.tick_ms / 1000)

    async def _follow(self) -> None:
        """Take one turn: wait for events, and hand them on."""
        if self._failing_since is not None:
            await self._resume()
        events = await self._reader.live(
            shown(self.place), most=MOST_AT_ONCE, wait_s=min(1.0, self._settings.heartbeat_s)
        )
        if not events:
            return
        if len(events) == MOST_AT_ONCE and self.place > BEGINNING and not await self._in_stream(self.place):
            self.place = parse_place(events[0].place)  # nothing is known of what was before it
            self._gap()
        turn = await self._heard(self._labels, events)
        self._hand_out(turn)
        self._memory.keep(turn, since=self.place)
        self.place = turn.places[-1]
        self.latest_ms = max(self.latest_ms or 0, *(event.at_ms for event in events))
        self.rates.count(events, time.monotonic())
        self.lag_s = max(0.0, time.time() - turn.places[0][0] / 1000)
        self._metrics.heard(len(events))
        self._metrics.delivered_after(self.lag_s)

    async def _heard(self, labels: Labels, events: Sequence[LiveEvent]) -> Turn:
        unknown = sorted(labels.unknown(events))
        if unknown:
            for incident_id, score in (await self._reader.scores(unknown)).items():
                labels.learn(incident_id, score)
        return Turn(events, [labels.hear(event) for event in events])

    async def _resume(self) -> None:
        """Go on where it was; where Redis has come back with a stream that ends before that, at its end."""
        edges = await self._reader.live_edges()
        last = BEGINNING if edges is None else parse_place(edges[1])
        if last < self.place:
            self.place = last
            self._gap()
        self._well()

    def _hand_out(self, turn: Turn) -> None:
        first = turn.places[0]
        for (wire, asked), listeners in list(self._groups.items()):
            body, count = turn.chosen(wire, asked)
            self._send([each for each in listeners if each.after < first], body, count)
            # And those who have just joined, having read a part of this turn by themselves.
            for listener in [each for each in listeners if each.after >= first]:
                self._send([listener], *turn.chosen(wire, asked, listener.after))

    def _hand_out_heartbeat(self) -> None:
        """Keep connections alive; a WebSocket's own pings do it there."""
        for (wire, _), listeners in list(self._groups.items()):
            if wire != "websocket":
                self._send(list(listeners), joined(wire, [HEARTBEAT]), 0)

    def _gap(self) -> None:
        """Tell everybody to begin anew."""
        self._metrics.gap()
        self._memory.clear()
        for (wire, _), listeners in list(self._groups.items()):
            self._send(list(listeners), joined(wire, [one(wire, shown(self.place), SNAPSHOT, GAP)]), 0)

    def _send(self, listeners: Sequence[Listener], body: bytes, events: int) -> None:
        """Hand `body`, of so many events, to each; whoever has too much waiting is cut off."""
        if not body:
            return
        sent = 0
        for listener in listeners:
            transport = listener.transport
            if transport.is_closing():
                self._end(listener, "left")
            elif transport.get_write_buffer_size() > self._buffer_bytes:
                transport.abort()
                self._end(listener, "slow")
            else:
                transport.write(body)
                sent += 1
        self._metrics.sent(events * sent, len(body) * sent)

    def _end(self, listener: Listener, how: str) -> None:
        listener.end(how)
        self.leave(listener)

    def _well(self) -> None:
        self._failing_since = None
        self._metrics.ready(ready=True)

    def _ill(self, error: BaseException) -> None:
        self._metrics.failed()
        self._metrics.ready(ready=False)
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            log.warning(
                "the live stream cannot be read (%s); trying again until it can", type(error).__name__
            )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so long, or until `stop` is set."""
    if seconds > 0.0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
