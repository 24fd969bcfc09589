"""Time at the edge and inside: RFC 3339 in UTC on the wire, epoch seconds as a float inside.

Inside, times are whole milliseconds: that is what Kafka stamps, what is written to the wire and what a reader
gets back, so a number recomputed from an event equals the number in it.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0

Moment = Annotated[datetime, Meta(tz=True)]
"""A time in an event. It must say its zone: a reader in another place would read a naive one hours off."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
"""The edges of the calendar, in whole milliseconds."""
_MOMENT_OF: Final = datetime.fromtimestamp
_EXACT_UNTIL_S: Final = 2.0**32
"""Until then (2106) the float of a whole millisecond is rounded to no other microsecond."""
_AFTER_SECOND: Final[tuple[str, ...]] = ("Z", *(f".{ms:03d}Z" for ms in range(1, 1000)))
FIRST_S: Final = FIRST.timestamp()
LAST_S: Final = LAST.timestamp()


def to_epoch(moment: datetime) -> float:
    """Return epoch seconds, rounded to whole milliseconds; a naive time is read as UTC.

    >>> to_epoch(datetime(2021, 12, 10, 1, 5, tzinfo=UTC))
    1639098300.0
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    ms = math.floor((since.microseconds + 500.0) / 1000.0)
    return ((since.days * DAY_S + since.seconds) * 1000.0 + ms) / 1000.0  # whole numbers that a float holds


def from_epoch(at: float) -> datetime:
    """Return the UTC time of `at` (epoch seconds), to the millisecond.

    What lies outside the calendar gives the calendar's edge: a record that claims the last moment of the year
    9999, or the first of the year 1 in another zone, is to be reported as absurd, not to fail in the report.

    >>> from_epoch(1639098300.25).isoformat()
    '2021-12-10T01:05:00.250000+00:00'
    """
    if 0.0 <= at < _EXACT_UNTIL_S:
        return _MOMENT_OF(whole_ms(at), UTC)
    try:
        seconds, ms = divmod(
            round(at * 1000.0), 1000
        )  # whole numbers: a float loses microseconds in far years
        return _EPOCH + timedelta(0, seconds, ms * 1000)
    except (ValueError, OverflowError):
        if math.isnan(at):
            raise
        return LAST if at > 0.0 else FIRST


def format_time(at: float) -> str:
    """Return `at` (epoch seconds) in RFC 3339, with milliseconds only where there are any.

    >>> format_time(1639098300.0), format_time(1639098300.25)
    ('2021-12-10T01:05:00Z', '2021-12-10T01:05:00.250Z')
    """
    if not FIRST_S < at < LAST_S:
        at = from_epoch(at).timestamp()
    ms = _ms(at)
    return _whole_second(ms // 1000) + _AFTER_SECOND[ms % 1000]


@lru_cache(maxsize=4096)
def _whole_second(seconds: int) -> str:
    """A second in RFC 3339 without its zone. What goes out together is mostly of few seconds."""
    return from_epoch(seconds).isoformat(timespec="seconds").removesuffix("+00:00")


def parse_time(text: str) -> float:
    """Return epoch seconds of an RFC 3339 time; ValueError when it is none. Without a zone it is UTC.

    >>> parse_time("2021-12-10T01:05:00Z")
    1639098300.0
    """
    return to_epoch(datetime.fromisoformat(text))


def whole_ms(at: float) -> float:
    """Return `at` (epoch seconds) in whole milliseconds, halves up; what has no end has none.

    >>> whole_ms(1.0004), whole_ms(1.0006), whole_ms(math.inf)
    (1.0, 1.001, inf)
    """
    return _ms(at) / 1000.0 if -math.inf < at < math.inf else at


def _ms(at: float) -> int:
    """`at` (epoch seconds) in milliseconds, halves up."""
    return math.floor(at * 1000.0 + 0.5)


def ceil_ms(at: float) -> float:
    """Return the first whole millisecond strictly after `at`: what is due at `at` has surely happened then.

    >>> ceil_ms(1.0), ceil_ms(1.0004), ceil_ms(1.001)
    (1.001, 1.001, 1.002)
    """
    whole = math.floor(at * 1000.0)  # the product is rounded: 1.001 * 1000 is a little less than 1001
    while whole / 1000.0 <= at:
        whole += 1
    return whole / 1000.0
