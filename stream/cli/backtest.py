"""`decibel backtest`: how good the forecasts would have been on a recording."""

from __future__ import annotations

import math
import time

import click
from msgspec import Struct
from rich.table import Table

from schemas.cloudevents import Output
from schemas.errors import DecibelError
from schemas.noise_score import NoiseScore
from scoring.backtest import Backtest, Result
from scoring.reasons import when
from stream.cli.context import Invocation, json_option, pass_invocation, print_json
from stream.cli.scoring_options import Moment, columns_option, policy_of, policy_option, quiet_console
from stream.files import RecordFile
from stream.profile_files import read_profiles
from stream.replay.run import Replay


class Report(Struct, frozen=True):
    """What was replayed, how many forecasts were still open at its end, and the results by horizon.

    Where none of a horizon was judged, its figures are null.
    """

    files: tuple[str, ...]
    items: int
    rejected: int
    incidents: int
    scores: int
    open: int
    horizons: tuple[Result, ...]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--profiles", metavar="FILE", help="Incident profiles, applied before the items.")
@policy_option
@click.option(
    "--sample",
    type=click.FloatRange(min=0.0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="HOURS",
    help="Of each incident, judge the first score in every HOURS that moves its curve.",
)
@click.option("--from", "begin", type=Moment(), metavar="TIME", help="Judge no forecast made before TIME.")
@click.option("--until", type=Moment(), metavar="TIME", help="Stop before the first observation after TIME.")
@columns_option
@json_option
@pass_invocation
def backtest(
    invocation: Invocation,
    files: tuple[str, ...],
    profiles: str | None,
    policy_file: str | None,
    sample: float,
    begin: float | None,
    until: float | None,
    columns: dict[str, str] | None,
    *,
    as_json: bool,
) -> None:
    """Replay the items in FILE… and hold each forecast against what the noise then was.

    Beside the forecast stand two that need no model: mere decay, and the noise staying as it is. A forecast
    is made from what had been seen by then, and nothing later. Those whose time lies after the last
    observation are not judged. Constants fitted on a part of a recording must be judged on another: --from.

    \b
    Errors are in points of noise: their mean (MAE), and the root of their mean square (RMSE), which large
    ones dominate. A 90 % band should hold 90 of 100 outcomes, and be narrow.

    \b
    Examples:
      decibel backtest items.jsonl.gz --profiles profiles.jsonl
      decibel backtest items.jsonl.gz --from 2021-07-01 --json | jq '.horizons[] | .band_90.held'
    """
    run = Replay(
        policy_of(invocation, policy_file),
        partitions=1,
        received_at=round(time.time(), 3),
        conflate=True,
        until=math.inf if until is None else until,
    )
    test = Backtest(sample, -math.inf if begin is None else begin)
    if profiles:
        for record in read_profiles(profiles):
            _take(test, run.profile(record.value, (profiles, record.line)))
    known_until = 0.0
    for file in files:
        known_until = max(known_until, _replay(run, test, RecordFile(file, columns)))
    results = test.results(known_until)
    if not any(each.forecasts for each in results):
        raise DecibelError(_nothing(run, test, files, begin, known_until))
    report = Report(files, run.items, run.rejected, test.incidents, test.scores, test.open, results)
    if as_json:
        print_json(report)
        return
    _print(report)
    if run.rejected:
        click.echo(f"\n{run.rejected} records were rejected and are not counted.", err=True)


def _replay(run: Replay, test: Backtest, file: RecordFile) -> float:
    """Replay a file as far as it goes; return until when everything is known (epoch seconds)."""
    for line, value in file.lines():
        outputs = run.item(value, (file.name, line))
        if outputs is None:
            return run.until
        _take(test, outputs)
    return run.time


def _take(test: Backtest, outputs: list[Output]) -> None:
    for output in outputs:
        if isinstance(output.event, NoiseScore):
            test.take(output.event)


def _nothing(
    run: Replay, test: Backtest, files: tuple[str, ...], begin: float | None, known_until: float
) -> str:
    """Say why there is nothing to judge."""
    names = ", ".join(RecordFile(file).name for file in files)
    if not test.scores:
        return f"{names}: no item could be scored ({run.items} records, {run.rejected} rejected)"
    last = when(known_until)
    if begin is not None and not test.open:
        return f"{names}: no forecast was made from {when(begin)} on; the last observation is of {last}"
    return f"{names}: no forecast came due by the last observation, {last}; a longer recording is needed"


def _print(report: Report) -> None:
    console = quiet_console()
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("in")
    for head in (
        "forecasts",
        "MAE",
        "decay only",
        "as it is",
        "better by",
        "RMSE",
        "decay only",
        "as it is",
        "50 % band holds",
        "wide",
        "90 % band holds",
        "wide",
    ):
        table.add_column(head, justify="right")
    for each in report.horizons:
        table.add_row(f"{each.hours:g} h", f"{each.forecasts:,}", *_figures(each))
    console.print(table)
    incidents = f"{report.incidents:,} incident{'' if report.incidents == 1 else 's'}"
    console.print(
        f"\n{report.items:,} observations, {incidents}, {report.scores:,} scores; "
        f"beyond the end lie {report.open:,} forecasts"
    )


def _figures(result: Result) -> list[str]:
    if not result.forecasts:
        return [""] * 11
    ours, decay_only, persistence = result.forecast, result.decay_only, result.persistence
    return [
        *(f"{each.mae:.3f}" for each in (ours, decay_only, persistence)),
        f"{100 * result.better_by:.0f} %",
        *(f"{each.rmse:.3f}" for each in (ours, decay_only, persistence)),
        f"{100 * result.band_50.held:.1f} %",
        f"{result.band_50.width:.2f}",
        f"{100 * result.band_90.held:.1f} %",
        f"{result.band_90.width:.2f}",
    ]
