"""`decibel methodology` and docs/methodology.md: both say what the policy says."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import asdict

from bench.platforms import RECORDED, Typical, typical
from schemas.codec import decode_item
from schemas.words import State, Tier, Trend
from scoring.lifecycle_rules import reason
from scoring.policy import SHIPPED, load_policy
from stream.cli import main
from tests.builders import item
from tests.recordings import recording

POLICY = load_policy()
DOC = Path(__file__).parents[3] / "docs" / "methodology.md"
DOCUMENT = DOC.read_text(encoding="utf-8")
FLAT = " ".join(DOCUMENT.split())
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCUMENT.splitlines()
    if line.startswith("|") and not line.startswith("|---")
]


def run(*arguments):
    result = CliRunner().invoke(main, ["methodology", *map(str, arguments)])
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result.stdout


def table(first_column):
    """Rows of the doc's table with this head, by their first cell."""
    start = next(number for number, row in enumerate(ROWS) if row[0] == first_column)
    return ROWS[start + 1 :]


# -- the command ---------------------------------------------------------------------------------------------


def test_it_prints_every_subject():
    page = run()

    for title in (
        "Factors",
        "Noise",
        "Platforms",
        "Levels",
        "Trend",
        "Spikes",
        "States",
        "Peaks",
        "Polarity",
        "Forecast",
        "Index",
    ):
        assert f"\n{title}\n" in page
    for words in (*(state.value for state in State), *(trend.value for trend in Trend), *POLICY.levels):
        assert words in page
    for rule in POLICY.lifecycle.rules:
        assert reason(rule) in page


def test_its_numbers_are_those_of_the_policy_that_runs(tmp_path):
    policy = tmp_path / "mine.toml"
    policy.write_text(
        SHIPPED.read_text()
        .replace("\nhalf_life_h = 168.0  ", "\nhalf_life_h = 91.0  ")
        .replace("than = 75.0", "than = 81.0")
        .replace("surging_ratio = 2.5", "surging_ratio = 3.25")
        .replace("reach = 0.20", "reach = 0.25")
        .replace("engagement = 0.20", "engagement = 0.15")
    )
    page = run("--policy", policy)

    assert str(policy) in page
    for words in ("91 h", "noise at or above 81 for 4 h", "fast ≥ 3.25 × slow", "Reach            0.25"):
        assert words in page, words


def test_every_constant_of_the_policy_is_shown_somewhere():
    shown = json.loads(run("--json"))

    assert shown["policy"]["weights"] == asdict(POLICY.weights)
    assert shown["sections"][0]["title"] == "Factors"
    page = run().replace(",", "")
    for number in (
        POLICY.curve.half_life_h,
        POLICY.engagement.full_units,
        POLICY.duration.full_h,
        POLICY.peaks.hold_h,
        POLICY.trend.fall_items,
        POLICY.spike.rest_h,
        *dataclasses.astuple(POLICY.spike.series),
        *dataclasses.astuple(POLICY.spike.incident),
        *POLICY.spike.thresholds.values(),
        POLICY.silence.least_h,
        POLICY.polarity.shift_margin,
        *(rule.typical for rule in POLICY.platforms.values()),
        *(rule.audience_per_interaction for rule in POLICY.platforms.values()),
        *POLICY.lifecycle.cooldown_h.values(),
    ):
        assert re.search(rf"(?<![\d.]){number:g}(?![\d.]\d)", page), number


# -- the document --------------------------------------------------------------------------------------------


def test_the_document_has_the_weights_of_the_policy():
    rows = {row[0].replace(" ", "_").replace("-", "_"): row for row in table("factor")[:7]}

    assert {name: float(row[1]) for name, row in rows.items()} == asdict(POLICY.weights)


def test_the_document_has_the_platforms_of_the_policy():
    rows = table("platform")[: len(POLICY.platforms)]
    written = {row[0]: (float(row[1]), float(row[2])) for row in rows}

    assert written == {
        name: (rule.typical, rule.audience_per_interaction) for name, rule in POLICY.platforms.items()
    }


def test_the_document_has_the_levels_of_the_policy():
    rows = table("level")[: len(POLICY.levels)]

    assert {row[0]: float(row[1]) for row in rows} == POLICY.levels


def test_the_document_has_the_lifecycle_of_the_policy():
    rules = POLICY.lifecycle.rules
    want = [
        [", ".join(each.value for each in rule.sources), rule.to.value, reason(rule), rule.step]
        for rule in rules
    ]

    assert table("from")[: len(rules)] == want


def test_the_document_has_the_trend_of_the_policy():
    rule = POLICY.trend

    assert table("word")[:5] == [
        ["Surging", f"fast ≥ {rule.surging_ratio:g} × slow"],
        ["Rising", f"fast ≥ {rule.rising_ratio:g} × slow"],
        ["Holding steady", "between"],
        ["Cooling", f"fast < {rule.cooling_ratio:g} × slow"],
        ["Fading", f"fast < {rule.fading_ratio:g} × slow"],
    ]


def test_the_document_has_the_forecast_of_the_policy():
    horizons = POLICY.forecast.horizons

    assert table("in")[: len(horizons)] == [
        [f"{each.hours:g} h", *(f"{share:g}" for share in each.growth)] for each in horizons
    ]


def spike_phrases(policy):
    """What the prose says of spikes and silence."""
    rule, silence = policy.spike, policy.silence
    fewer, balanced, more = rule.thresholds.values()
    return [
        f"weighs {rule.fast_share:.3g} of the sum",
        f"a spread of {100 * rule.least_spread:g} %",
        f"fewer {fewer:g}, balanced {balanced:g}, more {more:g}",
        f"the shipped policy has `{rule.sensitivity.value}`",
        f"not repeated for {rule.rest_h:g} h, unless it is {rule.repeat:g} times as far out",
        f"The first {rule.warm_up_h:g} h of a series",
        f"learnt every {rule.bin_h:g} h",
        f"within {rule.calm:g} standard deviation of its mean, and {rule.hold_h:g} h after",
        f"at least {silence.items:g} items in the usual window",
        f"is {silence.chance:g}, and at least {silence.least_h:g} h",
    ]


def test_the_document_has_the_tempos_of_the_policy():
    tempos = [dataclasses.asdict(each) for each in (POLICY.spike.series, POLICY.spike.incident)]

    assert {row[0]: [float(cell) for cell in row[2:4]] for row in table("tempo")[: len(tempos[0])]} == {
        f"`{name}`": [tempo[name] for tempo in tempos] for name in tempos[0]
    }


def phrases(policy):
    """What the document's prose says, with the policy's numbers in it."""
    weights, star, trend = policy.engagement, policy.star_power, policy.trend
    cooldown, peaks, polarity = policy.lifecycle.cooldown_h, policy.peaks, policy.polarity
    ahead = policy.forecast
    return [
        f"half-life is {policy.curve.half_life_h:g} h ({policy.curve.half_life_h / 24:g} days",
        f"`{policy.reach.points_per_decade:g} × log10(1 + audience)`",
        f"`100 × log10(1 + u) / log10(1 + {weights.full_units:g})`",
        "sum of points: " + ", ".join(f"{tier.value} {star.points(tier):g}" for tier in Tier),
        f"an unlisted figure is {star.default_tier.value}",
        f"/ {policy.duration.full_h:g} h`",
        f"An item loses half its part in {policy.aging.item_half_life_h:g} h",
        f"{100 * policy.aging.full_share:g} % of all items are left",
        f"of no more than {policy.aging.spread_items:g} items",
        f"`{policy.cross_platform.points_per_platform:g} × platforms`",
        f"as assessed, else {policy.industry_impact.default:g}",
        f"{weights.comment_weight:g} × comments + {weights.share_weight:g} × shares",
        f"{weights.view_weight:g} × views",
        f"shrunk towards {polarity.neutral:g} by a prior of {polarity.prior_mass:g} typical items",
        f"memory of {polarity.half_life_h:g} h. Three points ({polarity.shift_margin:g}) below",
        f"of each quarter of an hour ({policy.history.spacing_min:g} min) the last one, at most {policy.history.most}.",
        f"mainstream media (`{'`, `'.join(policy.lead_time.mainstream)}`; ours)",
        f"falling out of it {peaks.level_hysteresis:g} points",
        "half-lives: {:g}, {:g}, {:g} and {:g} h".format(*policy.rates.horizons_h),
        f"the fast rate ({trend.fast_h:g} h) with the slow rate ({trend.slow_h:g} h)",
        f"at least {trend.rise_items:g} items in the fast window",
        f"a noise {100 * trend.rise_share:g} % above its own average (memory {trend.slope_h:g} h)",
        f"takes at least {trend.fall_items:g} items in the slow window",
        f"a noise {100 * trend.fall_share:g} % below its average",
        f"kept for {trend.hold_h:g} h before it is taken back",
        f"is {100 * trend.hysteresis:g} % past its edge",
        f"the usual one ({trend.usual_h:g} h)",
        f"held against {trend.floor_items:.1f} items",
        *spike_phrases(policy),
        ", ".join(f"{state.value} {cooldown[state]:g} h" for state in State),
        f"by {peaks.margin:g} points, from a noise of {peaks.first_noise:g} on, and not sooner",
        f"and not sooner than {peaks.pause_h:g} h",
        f"below the peak for {peaks.hold_h:g} h",
        "in {:g}, {:g} and {:g} h".format(*(each.hours for each in ahead.horizons)),
        f"max({ahead.grows_h:g} − a, {ahead.lingers_h:g})) / (a + {ahead.young_h:g}))`",
        f"a share of {ahead.momentum_weight:g} more",
        f"n ^ −{ahead.crowd_exponent:g} of that",
        f"to change for {ahead.silence_half_life_h:g} h is expected to gain half",
        f"rates at {' and '.join(f'{each:g}' for each in ahead.rates_h)} h",
        f"`{ahead.newcomer_points:g} × ln(1 + k / n)`",
        f"the {policy.index.movers} incidents that moved it most",
        f"at most every {policy.index.share_every_s:g} s",
        f"its own {policy.index.average_d:g}-day average",
        f"so τ is {policy.index.average_d / 2:g} days",
        f"In the first {policy.index.history_d:g} days,",
        f"where the average is below {policy.index.average_floor:.1f} points",
        f"before {policy.limits.earliest[:10]} and more than {policy.limits.ahead_h:g} h ahead",
        f"records above {policy.limits.record_bytes:,} bytes",
    ]


@pytest.mark.parametrize("phrase", phrases(POLICY))
def test_the_documents_prose_has_the_numbers_of_the_policy(phrase):
    assert phrase in FLAT


@pytest.mark.parametrize("name", sorted(set(RECORDED.values())))
def test_typical_items_are_the_medians_of_the_recordings(name):
    """Given each item's last observation; then policy and document hold the median of its interactions."""
    found = typical(map(decode_item, recording(name)[0]), POLICY.engagement)
    for platform in (platform for platform, where in RECORDED.items() if where == name):
        seen = found[platform]
        assert seen.median == POLICY.platform(platform).typical
        (row,) = [row for row in ROWS if row[0] == platform]
        assert f" {seen.noticed:,} of {seen.items:,} " in row[3]
        assert f"({seen.low:,g} to {seen.high:,g})" in row[3]


def test_what_is_typical_is_the_median_of_what_the_noticed_items_drew_at_last():
    # given: a drew 12 at first and 30 at last; b and c drew 10 and 90; d was not noticed
    seen = [item("a", likes=12), item("a", likes=20, comments=2, shares=2), item("b", views=1000)]
    seen += [item("c", likes=90), item("d", likes=9), item("e", platform="x", likes=99)]

    # when
    found = typical(seen, POLICY.engagement)

    # then: x has one item, and no quartiles
    assert found == {"news": Typical(10.0, 30.0, 90.0, 3, 4)}


def test_the_document_gives_a_reason_for_each_platform_that_is_not_measured():
    for platform in set(POLICY.platforms) - set(RECORDED):
        (row,) = [row for row in ROWS if row[0] == platform]
        assert row[3].startswith("assumption")
        assert f"- `{platform}`: " in DOCUMENT
