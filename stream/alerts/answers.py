"""What a channel answers to a notice, and when it is tried again. Pure: status, headers, times and chance come in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

LONGEST_RETRY_AFTER_S: Final = 3600.0
"""A receiver may ask for so long a pause, not for more: a wrong date must not silence a channel."""

_OVERLOADED: Final = frozenset({408, 425, 429, 502, 503, 504})
_REFUSED: Final = frozenset({400, 413, 414, 415, 422})
_SHOWN: Final = 200
"""Characters of a receiver's answer that are kept for people."""


class Outcome(StrEnum):
    """What became of an attempt.

    `away`: the channel takes nothing at the moment, so all its deliveries wait. `failed`: this one did not pass,
    others may. `refused`: this one will never pass.
    """

    TAKEN = "taken"
    AWAY = "away"
    FAILED = "failed"
    REFUSED = "refused"


class Answer(Struct, frozen=True):
    """An outcome, what was answered (for people), and how long the receiver asks to be left alone (seconds)."""

    outcome: Outcome
    detail: str = ""
    retry_after_s: float = 0.0


def answer_of(status: int, headers: Mapping[str, str], body: str, now: float) -> Answer:
    """Return what an HTTP answer means. Logins, paths and redirects that are wrong concern all notices: `away`."""
    if 200 <= status < 300:
        return Answer(Outcome.TAKEN, f"HTTP {status}")
    text = "".join(char if char.isprintable() else " " for char in body[:_SHOWN]).strip()
    detail = f"HTTP {status}: {text}" if text else f"HTTP {status}"
    if status in _REFUSED:
        return Answer(Outcome.REFUSED, detail)
    if status in _OVERLOADED:
        return Answer(Outcome.AWAY, detail, retry_after_s(headers.get("Retry-After", ""), now))
    return Answer(Outcome.FAILED if status >= 500 else Outcome.AWAY, detail)


def retry_after_s(text: str, now: float) -> float:
    """Return how long a `Retry-After` header asks to wait (RFC 9110, 10.2.3): seconds, or a date; 0 where neither.

    >>> (
    ...     retry_after_s("120", 0.0),
    ...     retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 15.0),
    ...     retry_after_s("soon", 0.0),
    ... )
    (120.0, 45.0, 0.0)
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), LONGEST_RETRY_AFTER_S)


def pause_s(failures: int, first_s: float, longest_s: float, chance: float) -> float:
    """Return how long to wait after so many failures in a row (1 or more); `chance` is 0 to 1.

    Doubled each time up to `longest_s`, and then between half of it and all of it: those who fail together do not
    come back together.

    >>> pause_s(1, 1.0, 60.0, 1.0), pause_s(3, 1.0, 60.0, 1.0), pause_s(99, 1.0, 60.0, 0.0)
    (1.0, 4.0, 30.0)
    """
    whole = min(longest_s, first_s * 2.0 ** min(failures - 1, 60))
    return whole * (0.5 + 0.5 * chance)
