"""Places of the live stream as readers name them (`1637799999123-0`), and as numbers that can be compared."""

from __future__ import annotations

import re
from typing import Final

from schemas.errors import RequestError

Place = tuple[int, int]
"""Milliseconds at which Redis took an event, and its number among those of that millisecond."""

BEGINNING: Final[Place] = (0, 0)
PATTERN: Final = r"^[0-9]{1,16}-[0-9]{1,16}$"


def parse_place(text: str, parameter: str = "after") -> Place:
    """Return the place that `text` names; RequestError names the parameter where it is none.

    >>> parse_place("1637799999123-0")
    (1637799999123, 0)
    """
    if not re.match(PATTERN, text, re.ASCII) or text.endswith("\n"):
        raise RequestError(
            f"{parameter}: {text[:100]!r} is no place of the live stream; use the id of an event, or leave it out"
        )
    ms, _, number = text.partition("-")
    return int(ms), int(number)


def shown(place: Place) -> str:
    """Return a place as readers name it.

    >>> shown((1637799999123, 0))
    '1637799999123-0'
    """
    return f"{place[0]}-{place[1]}"
