"""`decibel spikes`: the spike detector on any series of counts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from rich.table import Table

from schemas.errors import DecibelError
from schemas.words import Sensitivity
from scoring.policy import SpikeRule
from stream.cli.context import Invocation, console, json_option, pass_invocation, print_json
from stream.cli.scoring_options import policy_of, policy_option
from stream.series import COLUMNS, Watch, read_series

_DIGITS: Final = 6
"""Of the score in the file: two alerts that differ at all differ there."""


class Alert(Struct, frozen=True):
    """An alert that the detector raises: where, when, the items of the bin, and how far out they are."""

    file: str
    timestamp: str
    value: float
    score: float
    deviations: float


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="CSV…"
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write timestamp,value,anomaly_score to a file of the same name in DIR.",
)
@click.option(
    "--sensitivity",
    type=click.Choice([each.value for each in Sensitivity]),
    help="How readily a spike is announced. Default: as in the policy.",
)
@policy_option
@json_option
@pass_invocation
def spikes(
    invocation: Invocation,
    files: tuple[Path, ...],
    out: Path | None,
    sensitivity: str | None,
    policy_file: str | None,
    *,
    as_json: bool,
) -> None:
    """Find spikes in series of counts: CSV… with the columns timestamp,value, in order of time.

    Each row is judged by the rows before it, never by those after: what is found is what would have been
    found live. A row that is missing counts as no items; a time without a zone is UTC. Nothing is announced
    in the first day of a series.

    \b
    anomaly_score is 0 to 1. A row at or above the threshold (0.5 unless the policy or --sensitivity says
    otherwise) is an alert, one row for each. Rows below it but above the threshold of a more sensitive
    setting would be alerts there; all others stay below every threshold.

    \b
    Examples:
      decibel spikes volume.csv
      decibel spikes volumes/*.csv --out scored/ --sensitivity fewer
      decibel spikes volume.csv --json | jq '.[].timestamp'
    """
    rule = policy_of(invocation, policy_file).spike
    wanted = Sensitivity(sensitivity) if sensitivity else rule.sensitivity
    _check_names(files, out)
    raised = [alert for file in files for alert in _alerts(file, out, rule, wanted)]
    if as_json:
        print_json(raised)
    else:
        _print(raised, rule, wanted)


def _check_names(files: tuple[Path, ...], out: Path | None) -> None:
    """Refuse before anything is written: results that overwrite one another, or their own input."""
    if out is None:
        return
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.name, file)
        if other is not file:
            raise DecibelError(f"--out {out}: {other} and {file} would both be written to {file.name}")
        if (out / file.name).resolve() == file.resolve():
            raise DecibelError(f"--out {out}: {file} would be overwritten; name another folder")


def _alerts(file: Path, out: Path | None, rule: SpikeRule, sensitivity: Sensitivity) -> Iterator[Alert]:
    """Judge one file, write its scores if asked to, and yield its alerts."""
    watch, written = Watch(rule, sensitivity), []
    for each in read_series(file):
        seen = watch.see(each)
        if out is not None:
            written.append((each.timestamp, each.value, f"{seen.anomaly_score:.{_DIGITS}f}"))
        if seen.alert:
            yield Alert(str(file), each.timestamp, each.items, seen.score, seen.surprise)
    if out is not None:
        _write(out / file.name, written)


def _write(path: Path, rows: list[tuple[str, str, str]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*COLUMNS, "anomaly_score"))
            writer.writerows(rows)
    except OSError as error:
        raise DecibelError(f"{path}: cannot be written: {error.strerror}") from error


def _print(raised: list[Alert], rule: SpikeRule, sensitivity: Sensitivity) -> None:
    threshold = rule.thresholds[sensitivity]
    count = f"{len(raised)} alert{'' if len(raised) == 1 else 's'}"
    click.echo(f"{count} at sensitivity {sensitivity.value} (score {threshold:g} or more)")
    if not raised:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("file")
    table.add_column("time")
    for name in ("value", "score", "deviations"):
        table.add_column(name, justify="right")
    for each in raised:
        table.add_row(
            Path(each.file).name,
            each.timestamp,
            f"{each.value:g}",
            f"{each.score:.2f}",
            f"{each.deviations:.1f}",
        )
    console().print(table)
