"""Untrusted text made safe to show: titles and ids come from the outside and must not steer the terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST_TEXT: Final = 200
"""Characters kept of a text; no column shows as many."""
_MOST_MARKS: Final = 2
"""Combining marks kept in a row: enough for any script, too few to climb over the lines above."""


def plain(text: str) -> str:
    """Return `text` on one line without control, format or unassigned characters, cut to `LONGEST_TEXT`.

    Whitespace of any kind becomes one space. Markup stays: drawn as `rich.text.Text`, it is not read.

    >>> plain("two\\nlines\\x1b[31m and\\u202e more")
    'two lines[31m and more'
    """
    kept: list[str] = []
    marks = 0
    for character in text[: 4 * LONGEST_TEXT]:
        category = unicodedata.category(character)
        if character.isspace():
            character = " "  # noqa: PLW2901  (the one character that is replaced, not dropped)
        elif category.startswith("C"):
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= _MOST_MARKS and not (character == " " and (not kept or kept[-1] == " ")):
            kept.append(character)
    return "".join(kept).strip()[:LONGEST_TEXT]
