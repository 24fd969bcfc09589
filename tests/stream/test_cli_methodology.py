"""`decibel methodology` and docs/methodology.md: both say what the policy says."""

import json
import re
import statistics
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import asdict

from schemas.codec import decode_item
from schemas.words import State, Tier, Trend
from scoring.lifecycle import reason
from scoring.policy import SHIPPED, load_policy
from stream.cli import main
from tests.recordings import recording

POLICY = load_policy()
DOC = Path(__file__).parents[2] / "docs" / "methodology.md"
FLAT = " ".join(DOC.read_text(encoding="utf-8").split())
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOC.read_text(encoding="utf-8").splitlines()
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
        .replace("half_life_h = 168.0  ", "half_life_h = 91.0  ")
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
        *asdict(POLICY.spike.series).values(),
        *asdict(POLICY.spike.incident).values(),
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
    tempos = [asdict(each) for each in (POLICY.spike.series, POLICY.spike.incident)]

    assert {row[0]: [float(cell) for cell in row[2:4]] for row in table("tempo")[: len(tempos[0])]} == {
        f"`{name}`": [tempo[name] for tempo in tempos] for name in tempos[0]
    }


def phrases(policy):
    """What the document's prose says, with the policy's numbers in it."""
    weights, star, trend = policy.engagement, policy.star_power, policy.trend
    cooldown, peaks, polarity = policy.lifecycle.cooldown_h, policy.peaks, policy.polarity
    return [
        f"half-life is {policy.curve.half_life_h:g} h ({policy.curve.half_life_h / 24:g} days",
        f"`{policy.reach.points_per_decade:g} × log10(1 + audience)`",
        f"`100 × log10(1 + u) / log10(1 + {weights.full_units:g})`",
        "sum of points: " + ", ".join(f"{tier.value} {star.points(tier):g}" for tier in Tier),
        f"an unlisted figure is {star.default_tier.value}",
        f"/ {policy.duration.full_h:g} h`",
        f"`{policy.cross_platform.points_per_platform:g} × platforms`",
        f"as assessed, else {policy.industry_impact.default:g}",
        f"{weights.comment_weight:g} × comments + {weights.share_weight:g} × shares",
        f"{weights.view_weight:g} × views",
        f"shrunk towards {polarity.neutral:g} by a prior of {polarity.prior_mass:g} typical items",
        f"memory of {polarity.half_life_h:g} h. Three points ({polarity.shift_margin:g}) below",
        f"falling out of it {peaks.level_hysteresis:g} points",
        "half-lives: {:g}, {:g}, {:g} and {:g} h".format(*policy.rates.horizons_h),
        f"the fast rate ({trend.fast_h:g} h) with the slow rate ({trend.slow_h:g} h)",
        f"at least {trend.rise_items:g} items in the fast window",
        f"(memory {trend.slope_h:g} h). To fall takes at least {trend.fall_items:g} items",
        f"is {100 * trend.hysteresis:g} % past its edge",
        f"the usual one ({trend.usual_h:g} h)",
        f"held against {trend.floor_items:.1f} items",
        *spike_phrases(policy),
        ", ".join(f"{state.value} {cooldown[state]:g} h" for state in State),
        f"by {peaks.margin:g} points, from a noise of {peaks.first_noise:g} on",
        f"below the peak for {peaks.hold_h:g} h",
        f"the {policy.index.movers} incidents that moved it most",
        f"at most every {policy.index.share_every_s:g} s",
        f"before {policy.limits.earliest[:10]} and more than {policy.limits.ahead_h:g} h ahead",
        f"records above {policy.limits.record_bytes:,} bytes",
    ]


@pytest.mark.parametrize("phrase", phrases(POLICY))
def test_the_documents_prose_has_the_numbers_of_the_policy(phrase):
    assert phrase in FLAT


def test_typical_items_are_the_medians_of_the_recordings():
    """Given each item's last observation; then policy and document hold the median of its interactions."""
    rule = POLICY.engagement
    measured = {
        "frontpage-2021": ["hackernews"],
        "tech-2021": ["reddit", "lobsters"],
        "world-2016": ["facebook"],
    }
    for name, platforms in measured.items():
        final = {}
        for item in map(decode_item, recording(name)[0]):
            if item.platform in platforms:
                final[item.platform, item.item_id] = item
        for platform in platforms:
            found = [
                seen.likes + rule.comment_weight * seen.comments + rule.share_weight * seen.shares
                for (where, _), seen in ((key, item.engagement) for key, item in final.items())
                if where == platform
            ]
            noticed = [interactions for interactions in found if interactions >= 10]
            low, median, high = statistics.quantiles(noticed, n=4)
            assert median == POLICY.platform(platform).typical
            (row,) = [row for row in ROWS if row[0] == platform]
            assert f" {len(noticed):,} of {len(found):,} " in row[3]
            assert f"({low:,g} to {high:,g})" in row[3]
