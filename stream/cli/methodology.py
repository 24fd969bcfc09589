"""`decibel methodology`: the scoring rules with the numbers of the policy that runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.words import Sensitivity, Tier
from scoring.explain import LABELS
from scoring.lifecycle_rules import reason
from scoring.policy import SHIPPED, Policy
from scoring.policy_types import OTHER
from stream.cli.context import Invocation, json_option, pass_invocation, print_json
from stream.cli.scoring_options import policy_of, policy_option, quiet_console

_WIDTH: Final = 118
"""Of the page: longer lines are hard to read, however wide the terminal."""


class Section(Struct, frozen=True):
    """One subject: what holds, in words, and a table where there is one."""

    title: str
    words: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Methodology(Struct, frozen=True):
    """All sections, and the policy they were written from."""

    sections: tuple[Section, ...]
    policy: Policy


@click.command()
@policy_option
@json_option
@pass_invocation
def methodology(invocation: Invocation, policy_file: str | None, *, as_json: bool) -> None:
    """Print the scoring rules with the numbers of the policy that runs; docs/methodology.md says why.

    \b
    Examples:
      decibel methodology
      decibel methodology --policy mine.toml
      decibel methodology --json | jq .policy.weights
    """
    policy = policy_of(invocation, policy_file)
    told = Methodology(tuple(sections(policy)), policy)
    if as_json:
        print_json(told)
        return
    console = quiet_console()
    source = policy_file or invocation.settings.policy or str(SHIPPED)
    console.print(Text("How Decibel scores", style="bold"))
    console.print(Text(f"policy version {policy.version}, from {source}", style="dim"))
    for section in told.sections:
        _print(console, section)


def sections(policy: Policy) -> Iterator[Section]:
    """Yield the methodology under a policy, from the factors to what is refused."""
    yield _factors(policy)
    yield _curve(policy)
    yield _platforms(policy)
    yield _levels(policy)
    yield _trend(policy)
    yield _spikes(policy)
    yield _states(policy)
    yield _peaks(policy)
    yield _polarity(policy)
    yield _lead(policy)
    yield _forecast(policy)
    yield _index(policy)
    yield _limits(policy)


def _factors(policy: Policy) -> Section:
    rule, star = policy.engagement, policy.star_power
    tiers = ", ".join(f"{tier.value} {star.points(tier):g}" for tier in Tier)
    formulas = {
        "reach": f"{policy.reach.points_per_decade:g} × log10(1 + audience)",
        "engagement": f"100 × log10(1 + u) / log10(1 + {rule.full_units:g}), u in typical items",
        "star_power": f"points of the distinct parties and figures: {tiers}",
        "duration": f"100 × (last − first coverage) / {policy.duration.full_h:g} h",
        "cross_platform": f"{policy.cross_platform.points_per_platform:g} for each platform",
        "polarity": "100 × (1 − |critics − defenders| / (critics + defenders)), shrunk by a prior",
        "industry_impact": f"as assessed in the profile, else {policy.industry_impact.default:g}",
    }
    weights = asdict(policy.weights)
    words = (
        "The composite is the weighted sum of seven factors, each 0 to 100 and capped there.",
        (
            f"An interaction counts: like 1, comment {rule.comment_weight:g}, share {rule.share_weight:g}, "
            f"view {rule.view_weight:g}. A figure without a tier counts as {star.default_tier.value}."
        ),
        (
            f"Old coverage counts less: an item loses half its part in {policy.aging.item_half_life_h:g} h, and where "
            f"less than {100 * policy.aging.full_share:g} % of all is left, audience and interactions shrink with it; "
            f"duration and cross-platform where it is less than that of {policy.aging.spread_items:g} items."
        ),
    )
    rows = tuple((LABELS[name], f"{weights[name]:.2f}", formulas[name]) for name in LABELS)
    return Section("Factors", words, ("factor", "weight", "rule"), rows)


def _curve(policy: Policy) -> Section:
    days = policy.curve.half_life_h / 24.0
    return Section(
        "Noise",
        (
            "noise(t) = composite × 2 ^ −((t − last coverage) / half-life): loudness now, not importance.",
            (
                f"The half-life is {policy.curve.half_life_h:g} h ({days:g} days). "
                "Noise is shown rounded down. Contributions (weight × factor × decay) add up to it."
            ),
        ),
    )


def _platforms(policy: Policy) -> Section:
    rows = tuple(
        (name if name != OTHER else "every other", f"{rule.typical:,g}", f"{rule.audience_per_interaction:g}")
        for name, rule in policy.platforms.items()
    )
    words = (
        "Interactions are measured in those of the platform's typical item. Where the audience is unknown,",
        "it is estimated: so many people for each interaction; the score says which share is an estimate.",
    )
    columns = ("platform", "interactions of a typical item", "people per interaction")
    return Section("Platforms", (" ".join(words),), columns, rows)


def _levels(policy: Policy) -> Section:
    rows = tuple((name, f"{edge:g}") for name, edge in policy.levels.items())
    words = (f"A crossing back down is told only {policy.peaks.level_hysteresis:g} points below the edge.",)
    return Section("Levels", words, ("level", "from noise"), rows)


def _trend(policy: Policy) -> Section:
    rule = policy.trend
    horizons = ", ".join(f"{h:g}" for h in policy.rates.horizons_h)
    words = (
        (
            f"Items are counted with exponential forgetting at half-lives of {horizons} h; "
            f"the trend compares the {rule.fast_h:g} h rate with the {rule.slow_h:g} h rate."
        ),
        (
            f"A rise needs {rule.rise_items:g} items in the fast window and a noise {100 * rule.rise_share:g} % "
            f"above its average; a fall needs {rule.fall_items:g} in the slow one and a noise "
            f"{100 * rule.fall_share:g} % below. A word is left only {100 * rule.hysteresis:g} % past its edge, "
            f"and kept for {rule.hold_h:g} h before it is taken back."
        ),
        f"The multiple compares the {rule.fast_h:g} h rate with the usual one ({rule.usual_h:g} h).",
    )
    rows = (
        ("Surging", f"fast ≥ {rule.surging_ratio:g} × slow"),
        ("Rising", f"fast ≥ {rule.rising_ratio:g} × slow"),
        ("Holding steady", "between"),
        ("Cooling", f"fast < {rule.cooling_ratio:g} × slow"),
        ("Fading", f"fast < {rule.fading_ratio:g} × slow"),
    )
    return Section("Trend", words, ("word", "when"), rows)


def _spikes(policy: Policy) -> Section:
    rule, silence = policy.spike, policy.silence
    thresholds = ", ".join(f"{each.value} {rule.thresholds[each]:g}" for each in Sensitivity)
    words = (
        (
            "The logarithm of 1 + count / usual items is held against its own mean and spread, in two windows; "
            f"the fast one weighs {rule.fast_share:.3g}. The score is 1 − 2 ^ −(deviations / unit). From a score on "
            f"it is an alert: {thresholds}. That is not repeated for {rule.rest_h:g} h, unless it is "
            f"{rule.repeat:g} times as far out."
        ),
        (
            f"A spike has subsided when the fast window is within {rule.calm:g} deviation of its mean, not before "
            f"{rule.hold_h:g} h. An incident with {silence.items:g} or more items in its usual window is silent after "
            f"a gap whose chance is {silence.chance:g}, and at least {silence.least_h:g} h."
        ),
    )
    columns = ("spikes of", "fast h", "slow h", "mean h", "spread h", "usual items", "unit")
    rows = tuple(
        (name, *(f"{value:g}" for value in dataclasses.astuple(tempo)))
        for name, tempo in (("a series (decibel spikes)", rule.series), ("an incident", rule.incident))
    )
    return Section("Spikes", words, columns, rows)


def _states(policy: Policy) -> Section:
    cooldowns = ", ".join(
        f"{state.value} {hours:g} h" for state, hours in policy.lifecycle.cooldown_h.items()
    )
    rows = tuple(
        (", ".join(state.value for state in rule.sources), rule.to.value, reason(rule), rule.step)
        for rule in policy.lifecycle.rules
    )
    words = (
        (
            "An incident begins as Emerging. The first rule that is met moves it. Velocity is items per hour "
            "at 1 h, activity at 24 h."
        ),
        f"A step back, and the first one forward after it, waits for the cooldown: {cooldowns}.",
    )
    return Section("States", words, ("from", "to", "when", "step"), rows)


def _peaks(policy: Policy) -> Section:
    rule = policy.peaks
    words = (
        (
            f"A new peak is told from a noise of {rule.first_noise:g} on, and again {rule.margin:g} "
            f"points above the last one told, {rule.pause_h:g} h after it at the soonest; "
            f"it counts as final when the noise has stayed below it for {rule.hold_h:g} h."
        ),
    )
    return Section("Peaks", words)


def _polarity(policy: Policy) -> Section:
    rule = policy.polarity
    words = (
        (
            f"0 is one-sided, 100 evenly split, {rule.neutral:g} without reaction. Stances weigh as "
            "their items' "
            f"interactions; a prior of {rule.prior_mass:g} typical items pulls towards {rule.neutral:g}."
        ),
        (
            f"The split has narrowed or widened when it is {rule.shift_margin:g} points of polarity from its "
            f"mean since the first reaction (memory {rule.half_life_h:g} h)."
        ),
    )
    return Section("Polarity", words)


def _lead(policy: Policy) -> Section:
    mainstream = " or ".join(policy.lead_time.mainstream) or "no platform"
    words = (f"From the first coverage to the first in mainstream media, which is: {mainstream}.",)
    return Section("Lead time", words)


def _forecast(policy: Policy) -> Section:
    rule = policy.forecast
    rates = " and ".join(f"{horizon_h:g} h" for horizon_h in rule.rates_h)
    words = (
        (
            "What is there decays, and gains with the logarithm of its age (plus "
            f"{rule.young_h:g} h) until that is {rule.grows_h:g} h, and then as in {rule.lingers_h:g} h more. "
            f"A point above its average adds {100 * rule.momentum_weight:g} % to the gain; among n items it is "
            f"n ^ −{rule.crowd_exponent:g} of it, and half after each {rule.silence_half_life_h:g} h without a change."
        ),
        (
            f"New coverage is expected at the mean of the rates at {rates}, the newest item left out; it anchors the "
            f"curve anew, and k items to n bring {rule.newcomer_points:g} × ln(1 + k / n) points."
        ),
        "What is gained, in multiples of that:",
    )
    rows = tuple((f"{each.hours:g} h", *(f"{share:g}" for share in each.growth)) for each in rule.horizons)
    return Section("Forecast", words, ("in", "50 % from", "median", "50 % to", "90 % to"), rows)


def _index(policy: Policy) -> Section:
    words = (
        (
            "The index is the sum of the noise of all incidents, overall and per category: a sum of "
            "such curves "
            f"falls as they do. It is told at most every {policy.index.share_every_s:g} s, "
            f"with the {policy.index.movers} incidents that moved it most."
        ),
        (
            f"It is held against its own {policy.index.average_d:g}-day average, an exponentially weighted mean, "
            f"once there are {policy.index.history_d:g} days of history "
            f"and where that average is at least {policy.index.average_floor:g} points."
        ),
    )
    return Section("Index", words)


def _limits(policy: Policy) -> Section:
    rule = policy.limits
    words = (
        (
            f"Refused, and kept as dead letters: times before {rule.earliest} or more than "
            f"{rule.ahead_h:g} h "
            f"ahead, records above {rule.record_bytes:,} bytes, and what is no item. Of an item, the "
            "latest observation "
            "stands; late ones change nothing, and a retracted item is taken out again."
        ),
    )
    return Section("What counts", words)


def _print(console: Console, section: Section) -> None:
    width = min(console.width, _WIDTH)
    console.print(Text(f"\n{section.title}", style="bold"))
    for words in section.words:
        console.print(words, width=width)
    if not section.rows:
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in section.columns:
        table.add_column(column)
    for row in section.rows:
        table.add_row(*row)
    console.print(table, width=width)
