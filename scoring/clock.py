"""What time it is for a record: the rules of the two clocks, and what times are believed at all."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from mypy_extensions import mypyc_attr

from schemas.errors import RecordError
from schemas.source_item import SourceItem
from schemas.times import HOUR_S, format_time, to_epoch
from scoring.policy import Limits


class Clock(StrEnum):
    """`wall`: a record's time is its Kafka timestamp. `stream`: it is the item's `observed_at`, for recordings."""

    WALL = "wall"
    STREAM = "stream"


_WALL: Final = Clock.WALL


@mypyc_attr(acyclic=True)
class Times:
    """Times of one observation (epoch seconds): the record's, when it was observed, and the date the item counts at."""

    __slots__ = ("at", "now", "observed_at")

    def __init__(self, now: float, observed_at: float, at: float) -> None:
        self.now, self.observed_at, self.at = now, observed_at, at


class TimeJudge:
    """Tells the times of observations, one after the other, by one of the clocks.

    What a crawler saw on one visit it saw at one time, which is worked out once.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._by_wall = clock is _WALL
        self._limits, self._earliest_at, self._ahead_s = limits, limits.earliest_at, limits.ahead_h * HOUR_S
        self._seen: datetime | None = None
        self._seen_at = 0.0

    def times(self, item: SourceItem, received_at: float) -> Times:
        """Return the times of an observation received at `received_at`; RecordError where one cannot be believed.

        Those of one that comes from a merged incident were judged there. In stream time the record's is when it left.
        """
        by_wall, published = self._by_wall, to_epoch(item.published_at)
        seen, moved = item.observed_at, item.moved
        if seen is None:
            observed = received_at if by_wall else published
        elif seen == self._seen:
            observed = self._seen_at
        else:
            observed = to_epoch(seen)
            self._seen, self._seen_at = seen, observed
        if moved is not None:
            now = received_at if by_wall else to_epoch(moved.at)
            return Times(now, observed, min(published, observed))
        latest = received_at + self._ahead_s
        if not self._earliest_at <= published <= latest:
            raise self._absurd("published_at", published)
        if not self._earliest_at <= observed <= latest:
            raise self._absurd("observed_at", observed)
        return Times(received_at if by_wall else observed, observed, min(published, observed))

    def _absurd(self, field: str, at: float) -> RecordError:
        limits, place = self._limits, f"at `$.{field}`"
        if at < self._earliest_at:
            says = f"{format_time(at)} is before {limits.earliest} - {place}"
        else:
            says = f"{format_time(at)} is more than {limits.ahead_h:g} h after the record arrived - {place}"
        return RecordError(says, "absurd-time")
