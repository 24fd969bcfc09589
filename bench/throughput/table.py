"""The results as a table: on the terminal by rich, and as Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.table import Table

from bench.throughput.results import FAUST, FLOOR, Measured, Results, ratio

HEAD: Final = (
    "peer",
    "events",
    "per CPU s",
    "× Faust",
    "of the floor",
    "per s (wall)",
    "p50 / p99 ms at half load",
    "peak MB",
    "changelog B/event (on disk)",
    "recovery s",
    "right",
)


def rows(results: Results, load: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each peer on a load, in the order of `HEAD`."""
    for each in results.measured:
        if each.load == load:
            yield cells(results, each)


def cells(results: Results, each: Measured) -> tuple[str, ...]:
    """Return the cells of one peer."""
    times, share = ratio(results, each, FAUST), ratio(results, each, FLOOR)
    return (
        f"{each.title} {each.version}",
        f"{each.events:,}",
        f"{each.per_cpu_s:,.0f}",
        "-" if times is None else f"{times:.1f}",
        "-" if share is None else f"{share:.0%}",
        f"{each.per_s:,.0f}",
        "-" if each.p50_ms is None else f"{each.p50_ms:.0f} / {each.p99_ms:.0f} ({each.paced_at:,.0f}/s)",
        f"{each.peak_rss / 1e6:,.0f}",
        f"{each.changelog_bytes:.0f} ({each.changelog_on_disk:.0f})" if each.changelog_bytes else "-",
        "-" if each.recovery_s is None else f"{each.recovery_s:.1f}",
        "yes" if each.right else "NO",
    )


def shown(results: Results, load: str) -> Table:
    """Return the table of a load for the terminal."""
    table = Table(title=results.loads[load], title_justify="left")
    for number, name in enumerate(HEAD):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows(results, load):
        table.add_row(*row)
    return table


def machine(results: Results) -> str:
    """Return in words where and when it was measured."""
    where = results.machine
    system = f"{where.cores} cores of {where.processor}, {where.system}"
    return f"{system}, Python {where.python}, {where.kafka}; {results.at}"


def markdown(results: Results) -> str:
    """Return all tables as Markdown."""
    lines = [machine(results), ""]
    for load, title in results.loads.items():
        lines += [f"**{title}**", "", "| " + " | ".join(HEAD) + " |"]
        lines.append("|---|" + "--:|" * (len(HEAD) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in rows(results, load)]
        lines.append("")
    lines += [line for each in results.measured if (line := unconflated(each))]
    if results.replay:
        floor = results.replay[0].rate
        lines += [
            "| replay of frontpage-2021, one core | observations/CPU s | of the floor |",
            "|---|--:|--:|",
        ]
        lines += [f"| {each.step} | {each.rate:,.0f} | {each.rate / floor:.0%} |" for each in results.replay]
        lines.append("")
    lines += [f"{peer} did not take part: {reason}." for peer, reason in results.skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


def unconflated(each: Measured) -> str:
    """Return in words what the latency is with conflation off; empty if that was not measured."""
    if each.unconflated_p50_ms is None:
        return ""
    return (
        f"{each.title} with conflation off, at {each.unconflated_at:,.0f} events/s (a tenth): p50 "
        f"{each.unconflated_p50_ms:.0f} ms, p99 {each.unconflated_p99_ms:.0f} ms.\n"
    )
