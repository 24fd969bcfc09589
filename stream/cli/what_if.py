"""`decibel what-if`: the score of factors one makes up."""

from __future__ import annotations

import re
from typing import Any, Final

import click
from msgspec.structs import asdict
from rich.table import Table
from rich.text import Text

from schemas.errors import DecibelError
from schemas.noise_score import Factors
from schemas.times import DAY_S, HOUR_S
from scoring.calculator import Calculation, calculate, factors_from
from scoring.explain import LABELS
from scoring.reasons import span
from stream.cli.context import Invocation, json_option, pass_invocation, print_json
from stream.cli.scoring_options import policy_of, policy_option, quiet_console

_AGE: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([smhd])\s*")
_UNIT_S: Final = {"s": 1.0, "m": 60.0, "h": HOUR_S, "d": DAY_S}


class FactorValues(click.ParamType):
    """Seven factors, `reach=40,engagement=82,…`."""

    name = "factors"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Factors:
        """Return the factors; the error names the one that is wrong."""
        if isinstance(value, Factors):
            return value
        found: dict[str, float] = {}
        for part in filter(None, (piece.strip() for piece in value.split(","))):
            name, equals, number = (piece.strip() for piece in part.replace("-", "_").partition("="))
            if not equals:
                self.fail(f"{part!r} is not of the form factor=value", param, ctx)
            if name in found:
                self.fail(f"{name}: given twice", param, ctx)
            try:
                found[name] = float(number)
            except ValueError:
                self.fail(f"{name}: {number!r} is no number", param, ctx)
        try:
            return factors_from(found)
        except DecibelError as error:
            self.fail(str(error), param, ctx)


class Age(click.ParamType):
    """A length of time, as seconds: 90m, 2.4h, 3d; or 0."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, float):
            return value
        if value.strip() == "0":
            return 0.0
        match = _AGE.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is no age; write it as 90m, 2.4h or 3d", param, ctx)
        return float(match[1]) * _UNIT_S[match[2]]


@click.command("what-if")
@click.option(
    "--factors",
    "values",
    type=FactorValues(),
    required=True,
    metavar="FACTOR=VALUE,…",
    help="All seven factors, each 0 to 100.",
)
@click.option(
    "--age",
    "age_s",
    type=Age(),
    default=0.0,
    metavar="AGE",
    help="Time since the last new coverage: 90m, 2.4h, 3d. Default: 0.",
)
@policy_option
@json_option
@pass_invocation
def what_if(
    invocation: Invocation, values: Factors, age_s: float, policy_file: str | None, *, as_json: bool
) -> None:
    """Score factors that you make up: composite, decay, noise, level, and what each factor gives.

    \b
    The factors are reach, engagement, star_power, duration, cross_platform, polarity and
    industry_impact. In JSON the composite has two decimals and the decay four; the noise has all.

    \b
    Example:
      decibel what-if --age 2.4h --factors reach=40,engagement=82,star_power=15,duration=5,\\
    cross_platform=20,polarity=50,industry_impact=50
    """
    told = calculate(values, age_s, policy_of(invocation, policy_file))
    if as_json:
        print_json(asdict(told) | {"composite": round(told.composite, 2), "decay": round(told.decay, 4)})
    else:
        _print(told)


def _print(told: Calculation) -> None:
    console = quiet_console()
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, padding=(0, 2, 0, 0))
    table.add_column("factor", footer="Composite, noise")
    table.add_column("value", justify="right")
    table.add_column("× weight", justify="right", footer=f"{sum(asdict(told.weights).values()):.2f}")
    table.add_column("= points", justify="right", footer=f"{told.composite:.2f}")
    table.add_column(f"× {100 * told.decay:.2f} %", justify="right", footer=f"{told.noise:.2f}")
    for name, value in asdict(told.factors).items():
        weight, points = getattr(told.weights, name), getattr(told.contributions, name)
        table.add_row(LABELS[name], f"{value:g}", f"{weight:.2f}", f"{weight * value:.2f}", f"{points:.2f}")
    console.print(Text(f"{told.shown} {told.level}", style="bold"))
    fresh = f"{span(told.age_s)} after the last new coverage; it halves in {span(told.half_life_s)}"
    console.print(Text(fresh + "\n", style="dim"))
    console.print(table)
