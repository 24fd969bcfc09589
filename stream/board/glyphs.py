"""Signs, short words and colours of the board, with an ASCII form of each for terminals that have no more."""

from __future__ import annotations

import math
from typing import Final

from schemas.words import State, Trend
from stream.board.feed import Kind

FULL_NOISE: Final = 100.0

BANDS: Final = (
    (75.0, "bold #ef5350"),
    (60.0, "#ff9f43"),
    (45.0, "#f6d55c"),
    (25.0, "#5fd38d"),
    (10.0, "#4fb3d9"),
    (0.0, "#7f8c99"),
)
"""Colours by noise: from each lower edge up. The edges are those of the levels of the default policy."""

TRENDS: Final = {
    Trend.SURGING: ("▲", "^", "bold #ef5350"),
    Trend.RISING: ("↗", "/", "#ff9f43"),
    Trend.STEADY: ("→", "-", "#7f8c99"),
    Trend.COOLING: ("↘", "\\", "#4fb3d9"),
    Trend.FADING: ("▼", "v", "#5b7fd4"),
}
"""Sign, sign in ASCII and colour of each trend."""

STATES: Final = {
    State.EMERGING: "#4fb3d9",
    State.GROWING: "#f6d55c",
    State.DEBATED: "#c792ea",
    State.MAJOR: "bold #ef5350",
    State.RESOLVED: "#5fd38d",
}
SHORT_STATE: Final = {State.MAJOR: "Major"}

CHANGES: Final = {
    Kind.STATE: ("◆", "*", "bold #c792ea"),
    Kind.PEAK: ("▲", "^", "#ff9f43"),
    Kind.CROSSING: ("─", "=", "#f6d55c"),
    Kind.TREND: ("↗", "/", "#4fb3d9"),
    Kind.MERGED: ("↘", ">", "#5fd38d"),
    Kind.REJECTED: ("✗", "x", "bold #ef5350"),
}
"""Sign, sign in ASCII and colour of each kind of change."""

_IN_ASCII: Final = str.maketrans({"→": ">", "×": "x", "·": "|", "…": "~", "’": "'"})
SPARK: Final = "#5d6975"
"""Colour of the sparklines: that of no noise, for they show the way, not the height."""
SPARK_SPAN: Final = 20.0
"""Points of noise that a sparkline's height stands for at least."""
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
_ASCII_HEIGHTS: Final = "_.-=*#"


def colour(noise: float) -> str:
    """Return the style of a noise (0 to 100)."""
    return next((style for edge, style in BANDS if noise >= edge), BANDS[-1][1])


def bar(noise: float, width: int, *, ascii_only: bool = False) -> str:
    """Return a bar of `width` cells for a noise (0 to 100), to half a cell, and blank beyond.

    >>> bar(62.5, 4), bar(62.5, 4, ascii_only=True)
    ('━━╸ ', '##  ')
    """
    share = min(1.0, max(0.0, noise / FULL_NOISE))
    full, half = divmod(math.floor(share * width * 2), 2)
    return (("#" if ascii_only else "━") * full + ("╸" if half and not ascii_only else "")).ljust(width)


def sparkline(noises: list[float | None], *, ascii_only: bool = False) -> str:
    """Return one sign for each noise, the highest at full height; a blank for None.

    The height stands for the points between lowest and highest, but for no fewer than `SPARK_SPAN`: a small
    movement looks small.

    >>> sparkline([None, 20.0, 40.0, 60.0, 50.0]), sparkline([60.0, 61.0])
    (' ▁▅█▆', '██')
    """
    heights = _ASCII_HEIGHTS if ascii_only else _HEIGHTS
    known = [noise for noise in noises if noise is not None]
    if not known:
        return " " * len(noises)
    highest = max(known)
    span, top = max(SPARK_SPAN, highest - min(known)), len(heights) - 1
    return "".join(
        " " if noise is None else heights[round(top * (1.0 - (highest - noise) / span))] for noise in noises
    )


def in_ascii(text: str) -> str:
    """Return `text` with our own signs in ASCII and all else outside it as `?`.

    >>> in_ascii("Emerging → Growing · café")
    'Emerging > Growing | caf?'
    """
    return text.translate(_IN_ASCII).encode("ascii", "replace").decode("ascii")
