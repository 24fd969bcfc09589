"""Figures in a page: what stands between two marks is what was measured last, and is written by the program."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "benchmarks.md"


def put(text: str, name: str, content: str) -> str:
    """Return the page with `content` between the marks of `name`. Raises ValueError if they are not there.

    >>> put("a <!-- cost --> old <!-- /cost --> b", "cost", "new")
    'a <!-- cost -->\\n\\nnew\\n\\n<!-- /cost --> b'
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no {start} with {end} behind it")
    return f"{before}{start}\n\n{content.strip()}\n\n{end}{after}"


def publish(name: str, content: str, page: Path = PAGE) -> None:
    """Write `content` into the page."""
    page.write_text(put(page.read_text(encoding="utf-8"), name, content), encoding="utf-8")
