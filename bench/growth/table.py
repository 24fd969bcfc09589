"""What was measured of growth as Markdown, for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench.growth.results import Growth

TITLES: Final = {
    "incidents": "**One partition as its incidents grow in number**",
    "items": "**One incident as its items grow in number**",
    "recovery": "**Recovery without Kafka: rows of the changelogs into tables, ledger from tables, one core**",
    "restart": "**A worker on Kafka, killed, started again**",
    "workers": "**Workers that share eight partitions**",
}

WORDS: Final = {
    "filling_us": "µs/event that brings a new one",
    "us": "µs/event",
    "changelog": "changelog B/event",
    "memory": "memory B/idle incident",
    "deadlines": "deadlines planned",
    "tables_s": "tables CPU s",
    "ledger_s": "ledger CPU s",
    "incidents_per_cpu_s": "incidents/CPU s",
    "wall_s": "start to first update s",
    "cpu_s": "CPU s",
    "peak_rss": "peak bytes",
    "idle_share": "core when idle",
    "per_s": "events/s (wall)",
    "per_cpu_s": "events/CPU s",
}
"""What a field is called in a table, where its own name does not do."""


def markdown(grown: Growth) -> str:
    """Return a table for each part that was measured."""
    parts: dict[str, Sequence[Struct]] = {part: getattr(grown, part) for part in TITLES}
    return "\n".join(line for part, rows in parts.items() if rows for line in _table(TITLES[part], rows))


def cell(value: Any) -> str:
    """Return a value for people: three figures of what is small, whole numbers of what is not.

    >>> cell(1234567), cell(1234.5), cell(0.012345), cell("memory"), cell(True)
    ('1,234,567', '1,234', '0.0123', 'memory', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if value < 100.0 else f"{value:,.0f}"


def _table(title: str, rows: Sequence[Struct]) -> Iterator[str]:
    head = rows[0].__struct_fields__
    yield title
    yield ""
    yield "| " + " | ".join(WORDS.get(name, name) for name in head) + " |"
    yield "|" + "--:|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell(value) for value in msgspec.structs.astuple(row)) + " |"
    yield ""
