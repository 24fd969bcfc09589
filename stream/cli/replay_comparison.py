"""`decibel replay --compare`: what another policy would have done with the same records, as tables or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from schemas.cloudevents import Output
from schemas.times import Moment, to_epoch
from scoring.comparison import Comparison, Count, IncidentLine, Run, Side, StepLine, Track, compare
from scoring.levels import shown
from scoring.reasons import span, when
from stream.cli.context import plain, print_json
from stream.cli.scoring_options import quiet_console
from stream.files import RecordFile
from stream.profile_files import read_profiles
from stream.replay.run import Replay

_SHOWN: Final = 10
"""Lines of each table; JSON has all."""


def replay_both(
    runs: tuple[Replay, Replay],
    loud: float,
    profiles: str | None,
    files: Iterable[RecordFile],
    show: Callable[[RecordFile, int], None],
) -> Comparison:
    """Apply the same records to both runs, one after the other, and compare; `show` is told how far it has come."""
    tracks = tuple(Track(run.policy, loud) for run in runs)

    def take(told: Iterable[list[Output]]) -> None:
        for track, outputs in zip(tracks, told, strict=True):
            track.note(outputs)

    for record in read_profiles(profiles) if profiles else ():
        place = ("stdin" if profiles == "-" else str(profiles), record.line)
        take([run.profile(record.value, place) for run in runs])
    for file in files:
        for number, (line, value) in enumerate(file.lines()):
            place = (file.name, line)
            told = [run.item(value, place) for run in runs]
            if None in told:  # it is after `until`
                break
            take(outputs for outputs in told if outputs is not None)
            show(file, number)
    take([list(run.finish()) for run in runs])
    a, b = (Run(track, dict(run.incidents())) for track, run in zip(tracks, runs, strict=True))
    return compare(a, b, max(run.time for run in runs))


def report_comparison(told: Comparison, names: tuple[str, str], loud: float, *, as_json: bool) -> None:
    """Print the comparison on stdout; `names` are those of the policies."""
    if as_json:
        print_json(
            msgspec.to_builtins(told) | {"policies": dict(zip("ab", names, strict=True)), "loud": loud}
        )
        return
    console = quiet_console()
    console.print(f"A is {plain(names[0])}, B is {plain(names[1])}, over the same records", style="bold")
    _print_policy(console, told)
    for table in (_loudest(told), _steps(told), _rings(told), _totals(told, loud)):
        if table.row_count:
            console.print()
            console.print(table)


def _print_policy(console: Console, told: Comparison) -> None:
    if not told.policy:
        console.print("The policies are the same: so is all that follows.")
    for each in told.policy[:_SHOWN]:
        console.print(f"{each.key}: A {_constant(each.a)}, B {_constant(each.b)}")
    _print_rest(console, len(told.policy))


def _print_rest(console: Console, count: int) -> None:
    if count > _SHOWN:
        console.print(f"and {count - _SHOWN:,} more", style="dim")


def _constant(value: object) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode()


def _table(*columns: str, title: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(title)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _loudest(told: Comparison) -> Table:
    """Whoever is among the loudest under either policy, now or at its peak."""
    table = _table(
        "rank A", "B", "noise A", "B", "peak rank A", "B", "peak A", "B", "state A", "B",
        title=f"loudest on {when(told.at.timestamp())}",
    )  # fmt: skip
    for line in told.incidents:
        if any(side and min(side.rank, side.peak_rank) <= _SHOWN for side in (line.a, line.b)):
            table.add_row(plain(line.incident_id), *_pairs(line))
    return table


def _pairs(line: IncidentLine) -> list[str]:
    """What is shown of each side, A and B in turn."""

    def cells(side: Side | None) -> tuple[str, ...]:
        if side is None:
            return ("-",) * 5
        noise, peak = str(shown(side.noise)), str(shown(side.peak.noise))
        return str(side.rank), noise, str(side.peak_rank), peak, side.state.value

    return [cell for pair in zip(cells(line.a), cells(line.b), strict=True) for cell in pair]


def _steps(told: Comparison) -> Table:
    rest = f", the first {_SHOWN} of {len(told.steps):,}" if len(told.steps) > _SHOWN else ""
    table = _table("state", "A", "B", "", title=f"states entered otherwise{rest}")
    for step in sorted(told.steps, key=_begins)[:_SHOWN]:
        table.add_row(plain(step.incident_id), step.to.value, _time(step.a), _time(step.b), _shift(step))
    return table


def _begins(step: StepLine) -> tuple[float, str]:
    return min(to_epoch(at) for at in (step.a, step.b) if at is not None), step.incident_id


def _time(at: Moment | None) -> str:
    return "-" if at is None else when(at.timestamp())


def _shift(step: StepLine) -> str:
    if step.a is None or step.b is None:
        return "only in B" if step.a is None else "only in A"
    late_s = to_epoch(step.b) - to_epoch(step.a)
    return f"B {span(abs(late_s))} {'later' if late_s > 0.0 else 'earlier'}"


def _rings(told: Comparison) -> Table:
    rest = f", the first {_SHOWN} of {len(told.rings):,}" if len(told.rings) > _SHOWN else ""
    table = _table("alert", "A", "B", title=f"alerts that differ{rest}")
    for ring in sorted(told.rings, key=lambda each: -abs(each.a - each.b))[:_SHOWN]:
        table.add_row(plain(ring.incident_id), ring.alert.value, str(ring.a), str(ring.b))
    return table


def _totals(told: Comparison, loud: float) -> Table:
    table = _table("A", "B", "", title="in all")
    for count in told.alerts:
        named = f"{count.name} ({loud:g} or more)" if count.name == "loud peak" else count.name
        table.add_row(f"alerts: {named}", *_counted(count))
    table.add_row(told.changes.name, *_counted(told.changes))
    for count in told.index:
        table.add_row(f"index, {count.name}", *_counted(count))
    return table


def _counted(count: Count) -> tuple[str, str, str]:
    a, b = round(count.a), round(count.b)
    share = f" ({100 * (b - a) / a:+.0f} %)" if a else ""
    return f"{a:,}", f"{b:,}", f"{b - a:+,}{share}" if a != b else "="
