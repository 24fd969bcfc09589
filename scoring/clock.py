"""What time it is for a record: the rules of the two clocks, and what times are believed at all."""

from __future__ import annotations

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


def times_of(item: SourceItem, received_at: float, clock: Clock, limits: Limits, earliest_at: float) -> Times:
    """Return the times of an observation received at `received_at`; RecordError where one cannot be believed.

    Those of one that comes from a merged incident were judged there. In stream time the record's is when it left.
    """
    published = to_epoch(item.published_at)
    if item.observed_at is not None:
        observed = to_epoch(item.observed_at)
    else:
        observed = received_at if clock is _WALL else published
    if item.moved is not None:
        now = received_at if clock is _WALL else to_epoch(item.moved.at)
        return Times(now, observed, min(published, observed))
    latest = received_at + limits.ahead_h * HOUR_S
    if not earliest_at <= published <= latest:
        raise _absurd("published_at", published, limits, earliest_at)
    if not earliest_at <= observed <= latest:
        raise _absurd("observed_at", observed, limits, earliest_at)
    return Times(received_at if clock is _WALL else observed, observed, min(published, observed))


def _absurd(field: str, at: float, limits: Limits, earliest_at: float) -> RecordError:
    if at < earliest_at:
        says = f"{format_time(at)} is before {limits.earliest} - at `$.{field}`"
    else:
        says = (
            f"{format_time(at)} is more than {limits.ahead_h:g} h after the record arrived - at `$.{field}`"
        )
    return RecordError(says, "absurd-time")
