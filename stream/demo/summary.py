"""What a demo came to, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from stream.board import BoardModel
from stream.board.feed import Kind
from stream.demo.latency import Latency

_NAMED: Final = 3
"""Loudest incidents that are named."""


class Loud(Struct, frozen=True):
    """One of the loudest incidents at the end."""

    incident_id: str
    title: str
    noise: float
    level: str
    state: str
    trend: str


class Seen(Struct, frozen=True):
    """What a reader of the pages at `address` found: the board, and in the view so many incidents."""

    address: str
    incidents: int


class Summary(Struct, frozen=True):
    """Counts of a demo. `sent` are observations, `items` the distinct ones that count at the end.

    `updates` are noise-scores: fewer than observations, for a batch tells an incident's last score alone.
    `latency_ms` is from sending an observation until its score is back; None where none could be matched.
    """

    seconds: float
    sent: int
    sent_per_second: float
    incidents: int
    items: int
    updates: int
    state_changes: int
    peaks: int
    trend_changes: int
    dead_letters: int
    deadlines: int | None
    latency_ms: Latency | None
    loudest: list[Loud]
    pages: Seen


def summarise(
    model: BoardModel,
    seconds: float,
    sent: int,
    deadlines: int | None,
    latency: Latency | None,
    pages: Seen,
) -> Summary:
    """Return what the board has seen in `seconds`, beside what it cannot see."""
    totals, changes = model.totals, model.totals.changes
    return Summary(
        seconds=round(seconds, 2),
        sent=sent,
        sent_per_second=round(sent / seconds, 1) if seconds > 0.0 else 0.0,
        incidents=len(model.rows),
        items=totals.items,
        updates=totals.updates,
        state_changes=changes[Kind.STATE],
        peaks=changes[Kind.PEAK] + changes[Kind.CROSSING],
        trend_changes=changes[Kind.TREND],
        dead_letters=changes[Kind.REJECTED],
        deadlines=deadlines,
        latency_ms=latency,
        loudest=list(_loudest(model)),
        pages=pages,
    )


def told(summary: Summary) -> str:
    """Return the summary as lines for people."""
    counts = (
        (summary.state_changes, "state changes"),
        (summary.peaks, "peak crossings"),
        (summary.trend_changes, "trend changes"),
        (summary.dead_letters, "dead letters"),
        (summary.deadlines, "deadlines"),
    )
    told_of = (
        f"{summary.sent:,} observations of {summary.items:,} items about {summary.incidents:,} incidents"
    )
    changed = ", ".join(f"{count:,} {name}" for count, name in counts if count is not None)
    lines = [
        f"{told_of} in {summary.seconds:.1f} s ({summary.sent_per_second:,.0f} per second)",
        f"{summary.updates:,} score updates; {changed}",
    ]
    if summary.latency_ms is not None:
        latency = summary.latency_ms
        lines.append(
            f"from sent to scored: {latency.p50:.0f} ms half of the time, {latency.p99:.0f} ms for 99 %"
        )
    lines.append(
        f"{summary.pages.address}/ showed the board; its view held {summary.pages.incidents:,} incidents"
    )
    for place, each in enumerate(summary.loudest, start=1):
        status = f"{each.level}, {each.state}, {each.trend}"
        lines.append(f"{place}. {math.floor(each.noise):>3} {each.title} ({status})")
    return "\n".join(lines)


def _loudest(model: BoardModel) -> Iterator[Loud]:
    for row in model.loudest(_NAMED):
        score = row.score
        yield Loud(
            incident_id=score.incident_id,
            title=model.name(score.incident_id),
            noise=model.noise(row),
            level=model.level(row),
            state=score.state.value,
            trend=score.trend.value,
        )
