"""Reading the view: the one way for gateway, command line and tests. Noise is evaluated when the answer is made.

Every answer is taken from one generation, the present one when it began; the old one outlives a switch by seconds.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from msgspec import Raw

from schemas.incident_profile import Party
from stream.settings import Settings
from stream.view.answers import (
    CURVE,
    INDEX_CURVE,
    INDEX_POINT,
    POINT,
    Board,
    Change,
    Cursor,
    Figure,
    Found,
    Index,
    IndexPast,
    LiveEvent,
    Loudest,
    Part,
    Recap,
    Standing,
    decode_cursor,
)
from stream.view.connection import Client, connect, view_errors
from stream.view.curve import least_key
from stream.view.entries import Point, fold
from stream.view.keys import GenerationKeys, Keys
from stream.view.listing import LABELS, MOST_LOOKED_AT, MOST_ON_A_PAGE, Query, by_noise, key_of

LOOKED_AT_ONCE: Final = 200
"""Incidents whose scores are fetched in one go where not all match: half a megabyte."""
_HAIR: Final = 1e-9
"""A little more than rounding can move a key: what is fetched a hair too much is left out by its noise."""

_PARTY: Final = msgspec.json.Decoder(Party)


class ViewReader:
    """Reads one deployment's view. Methods raise redis-py's errors; see `opened` for one that raises ViewError.

    `clock` gives the present (epoch seconds); without one it is the latest event's time, for recordings.
    """

    def __init__(
        self, client: Client, prefix: str, clock: Callable[[], float] | None, blocking: Client | None = None
    ) -> None:
        self._client, self._clock = client, clock
        self._blocking = blocking or client
        self._keys = Keys(prefix)

    async def generation(self) -> int | None:
        """Return the number of the present generation, or None where there is no view."""
        current = await self._client.get(self._keys.current)
        return None if current is None else int(current)

    async def present(self) -> float:
        """Return the present (epoch seconds): the clock's, or the latest event's time; 0 where neither is known."""
        _, now, _ = await self._present()
        return now

    async def latest(self) -> float | None:
        """Return the latest event time seen (epoch seconds), or None before the first."""
        generation = await self.generation()
        if generation is None:
            return None
        latest_ms = await self._client.hget(self._keys.of(generation).about, "latest_ms")
        return None if latest_ms is None else float(latest_ms) / 1000.0

    async def incidents(self) -> int:
        """Return how many incidents have a score."""
        keys, _, _ = await self._present()
        return 0 if keys is None else int(await self._client.hlen(keys.scores))

    async def board(
        self,
        *,
        category: str | None = None,
        minimum: float = 0.0,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Board:
        """Return a page of the leaderboard: the loudest of all or of a `category`, whose noise is at least `minimum`.

        Raises as `page`.
        """
        after = decode_cursor(cursor) if cursor else None
        categories = (category,) if category else ()
        return await self.page(Query(categories, minimum=minimum, limit=limit, cursor=after))

    async def page(self, query: Query) -> Board:
        """Return the incidents that a query asks for, in its order.

        An incident that changes between two pages may be on neither or both: it moves. `limit` is at most
        MOST_ON_A_PAGE. Where few match, a page may hold fewer than `limit` and still give a cursor. Raises RequestError
        where the cursor was given for another order or filter.
        """
        boards, limit = query.boards_left(), max(1, min(query.limit, MOST_ON_A_PAGE))
        keys, now, half_life_s = await self._present()
        if keys is None:
            return Board(now, (), None)
        least = least_key(query.minimum, half_life_s, now) - _HAIR if half_life_s else float("-inf")
        found: list[bytes] = []
        last, looked_at = query.cursor, 0
        for board in boards:
            lowest = least if by_noise(board) else float("-inf")
            while True:
                most = limit - len(found) + 1 if query.plain else LOOKED_AT_ONCE
                after = last if last is not None and last.board == board else None
                places = await self._places(key_of(keys, board), after, lowest, most)
                matching = await self._matching(keys, query, [incident for incident, _ in places], now)
                for incident, key in places:
                    if incident in matching and len(found) == limit:
                        return await self._shown(keys, query, found, now, last)
                    if incident in matching:
                        found.append(incident)
                    last = Cursor(key, incident.decode(), board)
                looked_at += len(places)
                if len(places) < most:
                    break
                if looked_at >= MOST_LOOKED_AT and not query.plain:
                    return await self._shown(keys, query, found, now, last)
        return await self._shown(keys, query, found, now, None)

    async def incident(self, incident_id: str) -> Found | None:
        """Return an incident with its place on the board, or None where no score of it has come."""
        keys, now, _ = await self._present()
        if keys is None:
            return None
        [standing] = await self._standings(keys, [incident_id.encode()], now)
        if standing is None:
            return None
        rank = await self._client.zrevrank(keys.board(), incident_id)
        return Found(now, standing, None if rank is None else int(rank) + 1)

    async def profile(self, incident_id: str) -> bytes | None:
        """Return the profile of an incident, the event's bytes, or None; an incident may have one before a score."""
        keys, _, _ = await self._present()
        return None if keys is None else await self._client.hget(keys.profiles, incident_id)

    async def scores(self, incident_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the latest score of each of these incidents that has one, the events' bytes."""
        keys, _, _ = await self._present()
        if keys is None or not incident_ids:
            return {}
        scores = await self._client.hmget(keys.scores, incident_ids)
        return {each: score for each, score in zip(incident_ids, scores, strict=True) if score is not None}

    async def profiles(self, incident_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the profile of each of these incidents that has one, the events' bytes."""
        keys, _, _ = await self._present()
        if keys is None or not incident_ids:
            return {}
        found = await self._client.hmget(keys.profiles, incident_ids)
        return {
            each: profile for each, profile in zip(incident_ids, found, strict=True) if profile is not None
        }

    async def history(self, incident_id: str) -> tuple[Point, ...]:
        """Return noise and polarity over time, the earliest first: the last of each cell of `view.history_step_s`."""
        keys, _, _ = await self._present()
        if keys is None:
            return ()
        return tuple(
            POINT.decode(each) for each in await self._client.zrange(keys.history(incident_id), 0, -1)
        )

    async def changes(self, incident_id: str, limit: int | None = None) -> tuple[Change, ...]:
        """Return the changes of state and trend and the peak crossings of an incident, the latest first."""
        keys, _, _ = await self._present()
        if keys is None:
            return ()
        last = -1 if limit is None else max(0, limit - 1)
        idents = await self._client.zrange(keys.order(incident_id), 0, last, desc=True)
        if not idents:
            return ()
        found = []
        texts = await self._client.hmget(keys.changes(incident_id), idents)
        for ident, text in zip(idents, texts, strict=True):
            if text is not None:
                topic, _, event = text.partition(b" ")
                found.append(Change(topic.decode(), ident.decode(), Raw(event)))
        return tuple(found)

    async def index(self) -> tuple[Index, ...]:
        """Return the index of every category now, by name."""
        keys, now, _ = await self._present()
        if keys is None:
            return ()
        events = await self._client.hgetall(keys.index)
        return tuple(
            Index(category.decode(), INDEX_CURVE.decode(event).value_at(now), Raw(event))
            for category, event in sorted(events.items())
        )

    async def index_past(self) -> tuple[IndexPast, ...]:
        """Return the index of every category over time, by name."""
        keys, _, _ = await self._present()
        if keys is None:
            return ()
        categories = sorted(name.decode() for name in await self._client.hkeys(keys.index))
        async with self._client.pipeline(transaction=False) as pipeline:
            for category in categories:
                pipeline.zrange(keys.index_history(category), 0, -1)
            pasts = await pipeline.execute()
        return tuple(
            IndexPast(category, tuple(INDEX_POINT.decode(point) for point in points))
            for category, points in zip(categories, pasts, strict=True)
        )

    async def recap(self, month: str) -> Recap:
        """Return what is kept of a month (as 2021-12, UTC); empty where nothing is."""
        keys, _, _ = await self._present()
        if keys is None:
            return Recap(month, (), ())
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.zrange(keys.loudest(month), 0, -1, desc=True, withscores=True)
            pipeline.zrange(keys.told(month), 0, -1)
            loudest, told = await pipeline.execute()
        profiles = await self._client.hmget(keys.profiles, [each for each, _ in loudest]) if loudest else []
        return Recap(
            month,
            tuple(
                Loudest(incident.decode(), noise, Raw(profile) if profile else None)
                for (incident, noise), profile in zip(loudest, profiles, strict=True)
            ),
            tuple(_told(member) for member in told),
        )

    async def figures(self, limit: int = 100) -> tuple[Figure, ...]:
        """Return the figures that are party to most incidents, by that number."""
        keys, now, _ = await self._present()
        if keys is None:
            return ()
        folded = await self._client.zrange(keys.figures, 0, max(0, limit - 1), desc=True)
        return tuple(await self._figures(keys, [name.decode() for name in folded], now))

    async def figure(self, name: str) -> Figure | None:
        """Return a figure, however its name is written, or None where no profile names it."""
        keys, now, _ = await self._present()
        found = [] if keys is None else await self._figures(keys, [fold(name)], now)
        return found[0] if found else None

    async def live(self, after: str, *, most: int = 1000, wait_s: float = 0.0) -> list[LiveEvent]:
        """Return the events after the place `after` of the live stream ("0" for all that is kept, "$" for new ones).

        Waits up to `wait_s` for the first; that needs a client without a time limit of its own (see `connect`).
        """
        block = max(1, int(wait_s * 1000)) if wait_s > 0.0 else None
        client = self._client if block is None else self._blocking
        answer = await client.xread({self._keys.live: after}, count=most, block=block)
        return [_live_event(place, fields) for _, entries in _pairs(answer) for place, fields in entries]

    async def live_before(self, last: str = "+", *, most: int = 1000) -> list[LiveEvent]:
        """Return the events of the live stream up to the place `last` ("+" for the end), the latest first."""
        entries = await self._client.xrevrange(self._keys.live, max=last, count=most)
        return [_live_event(place, fields) for place, fields in entries]

    async def live_edges(self) -> tuple[str, str] | None:
        """Return the first and the last place of the live stream, or None while it is empty.

        A reader whose place is before the first may have missed events: it must be shown everything anew.
        """
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xrange(self._keys.live, count=1)
            pipeline.xrevrange(self._keys.live, count=1)
            first, last = await pipeline.execute()
        return (first[0][0].decode(), last[0][0].decode()) if first and last else None

    async def live_entries(self) -> int:
        """Return how many events the live stream holds."""
        return int(await self._client.xlen(self._keys.live))

    async def _present(self) -> tuple[GenerationKeys | None, float, float | None]:
        """The keys of the present generation, now (epoch s), and the half-life (s) that orders its boards."""
        generation = await self.generation()
        if generation is None:
            return None, self._clock() if self._clock else 0.0, None
        keys = self._keys.of(generation)
        half_life_s, latest_ms = await self._client.hmget(keys.about, ["half_life_s", "latest_ms"])
        now = self._clock() if self._clock else float(latest_ms or 0.0) / 1000.0
        return keys, now, None if half_life_s is None else float(half_life_s)

    async def _places(
        self, board: str, after: Cursor | None, least: float, most: int
    ) -> list[tuple[bytes, float]]:
        """The next `most` incidents after a cursor with their keys. Those of one key stand in reverse order of id."""
        if after is None:
            found = await self._client.zrevrangebyscore(board, "+inf", least, 0, most, withscores=True)
            return list(found)
        last, skipped = after.incident_id.encode(), 0
        while True:  # incidents of the very same key are rare; a page of them ends this
            found = await self._client.zrevrangebyscore(
                board, repr(after.key), least, skipped, most, withscores=True
            )
            rest = [place for place in found if place[1] < after.key or place[0] < last]
            if rest or len(found) < most:
                if len(rest) < most and len(found) == most:
                    missing = most - len(rest)
                    rest += await self._client.zrevrangebyscore(
                        board, repr(after.key), least, skipped + most, missing, withscores=True
                    )
                return rest
            skipped += most

    async def _matching(
        self, keys: GenerationKeys, query: Query, incident_ids: Sequence[bytes], now: float
    ) -> set[bytes]:
        """Those of the incidents that a query asks for, as their scores are now: a board may be a moment older."""
        if query.plain or not incident_ids:
            return set(incident_ids)
        scores = await self._client.hmget(keys.scores, incident_ids)
        return {
            incident
            for incident, score in zip(incident_ids, scores, strict=True)
            if score is not None
            and query.matches(LABELS.decode(score))
            and CURVE.decode(score).at(now) >= query.minimum
        }

    async def _shown(
        self, keys: GenerationKeys, query: Query, found: Sequence[bytes], now: float, last: Cursor | None
    ) -> Board:
        """A page of the incidents found; what has become too soft, or changed meanwhile, is left out."""
        standings = await self._standings(keys, found, now, ranked=True)
        shown = tuple(
            standing
            for standing in standings
            if standing is not None
            and standing.noise >= query.minimum
            and query.matches(LABELS.decode(standing.score))
        )
        return Board(now, shown, None if last is None else last.encoded())

    async def _standings(
        self, keys: GenerationKeys, incident_ids: Sequence[bytes], now: float, *, ranked: bool = False
    ) -> list[Standing | None]:
        if not incident_ids:
            return []
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hmget(keys.scores, incident_ids)
            pipeline.hmget(keys.profiles, incident_ids)
            for incident_id in incident_ids if ranked else ():
                pipeline.zrevrank(keys.board(), incident_id)
            scores, profiles, *ranks = await pipeline.execute()
        places: list[int | None] = ranks or [None] * len(incident_ids)
        return [
            None
            if score is None
            else Standing(
                incident_id.decode(),
                CURVE.decode(score).at(now),
                Raw(score),
                Raw(profile) if profile else None,
                None if place is None else int(place) + 1,
            )
            for incident_id, score, profile, place in zip(incident_ids, scores, profiles, places, strict=True)
        ]

    async def _figures(self, keys: GenerationKeys, folded: Sequence[str], now: float) -> list[Figure]:
        """The figures of these names, in two round trips; without those that no profile names any more."""
        async with self._client.pipeline(transaction=True) as pipeline:
            for name in folded:
                pipeline.hgetall(keys.figure(name))
            parties_of_each = [parties for parties in await pipeline.execute() if parties]
        incident_ids = sorted({incident_id for parties in parties_of_each for incident_id in parties})
        standings = dict(zip(incident_ids, await self._standings(keys, incident_ids, now), strict=True))
        return [
            _figure(
                [
                    _part(incident_id.decode(), _PARTY.decode(party), standings[incident_id])
                    for incident_id, party in parties.items()
                ]
            )
            for parties in parties_of_each
        ]


@asynccontextmanager
async def opened(settings: Settings, clock: Callable[[], float] = time.time) -> AsyncIterator[ViewReader]:
    """Give a reader of the view that the settings name. Raises ViewError for what Redis raises.

    The present is what `clock` says (epoch seconds), or the latest event's time where the settings' clock is that of
    the stream.
    """
    present = clock if settings.clock == "wall" else None
    with view_errors(settings, "the view cannot be read"):
        client = connect(settings)
        blocking = connect(settings, blocking=True)
        try:
            yield ViewReader(client, settings.view.prefix, present, blocking)
        finally:
            await blocking.aclose()
            await client.aclose()


def _told(member: bytes) -> Change:
    """An event of a month, as `apply.lua` keeps it."""
    ident, _, rest = member.partition(b"\n")
    topic, _, event = rest.partition(b" ")
    return Change(topic.decode(), ident.decode(), Raw(event))


def _figure(parts: list[Part]) -> Figure:
    loudest_first = sorted(parts, key=lambda part: (-(part.noise or 0.0), part.incident_id))
    return Figure(loudest_first[0].name, tuple(loudest_first))


def _part(incident_id: str, party: Party, standing: Standing | None) -> Part:
    noise = None if standing is None else standing.noise
    return Part(incident_id, noise, party.name, party.side, party.tier, party.position)


def _pairs(answer: Any) -> Iterable[tuple[bytes, Any]]:
    """An answer of XREAD, which redis-py gives as pairs or as a map, by protocol."""
    return answer.items() if isinstance(answer, dict) else answer or ()


def _live_event(place: bytes, fields: dict[bytes, bytes]) -> LiveEvent:
    return LiveEvent(
        place.decode(),
        fields[b"topic"].decode(),
        fields[b"id"].decode(),
        fields[b"key"].decode(),
        int(fields[b"at"]),
        Raw(fields[b"event"]),
    )
