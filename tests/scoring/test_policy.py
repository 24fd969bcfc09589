"""The policy is checked before it is used, and each error names its key."""

import re
from dataclasses import replace

import msgspec
import pytest

from schemas.errors import PolicyError
from schemas.noise_score import Factors
from scoring.policy import SHIPPED, check, load_policy

RULE = """
[[lifecycle.rules]]
from = ["{source}"]
to = "{to}"
when = [{{ metric = "{metric}", is = "at_least", than = 1.0 }}]
hold_h = 0.0
step = "forward"
"""


def changed(tmp_path, pattern: str, replacement: str, more: str = "") -> str:
    """The shipped policy with one line changed, as a file."""
    text, found = re.subn(pattern, replacement, SHIPPED.read_text(), count=1, flags=re.MULTILINE)
    assert found, f"the shipped policy has no line like {pattern}"
    path = tmp_path / "policy.toml"
    path.write_text(text.replace("[limits]", more + "[limits]"))
    return str(path)


def test_the_shipped_policy_loads_and_has_the_published_constants():
    policy = load_policy()
    weights = policy.weights
    assert (weights.reach, weights.engagement, weights.star_power, weights.duration) == (
        0.20,
        0.20,
        0.15,
        0.10,
    )
    assert (weights.cross_platform, weights.polarity, weights.industry_impact) == (0.15, 0.10, 0.10)
    assert policy.curve.half_life_h == 7 * 24
    assert policy.duration.full_h == 72
    assert [policy.star_power.S, policy.star_power.A, policy.star_power.B, policy.star_power.C] == [
        30,
        20,
        10,
        5,
    ]
    assert all(12.0 <= cooldown <= 48.0 for cooldown in policy.lifecycle.cooldown_h.values())


@pytest.mark.parametrize(
    ("pattern", "replacement", "says"),
    [
        (r"^mean_h = 36.0", "mean_h = 5.0", "spike.series: fast_h < slow_h < mean_h <= spread_h must hold"),
        (r"^fewer = 0.6", "fewer = 0.5", "spike.thresholds: fewer > balanced > more must hold"),
        (r"^fewer = 0.6", "", "spike.thresholds: `fewer` is missing"),
        (r"^balanced = 0.5", "balanced = 1.0", "spike.thresholds[...]: "),
        (r"^sensitivity = .*", 'sensitivity = "loud"', "spike.sensitivity: "),
        (r"^reach = 0.20", "reach = 0.30", "weights: they add up to 1.1, not to 1"),
        (r"^reach = 0.20", "reach = -0.20", "weights.reach"),
        (r"^reach = 0.20", "", "weights.reach: missing required field"),
        (r"^half_life_h = 168.0", "half_life_h = 0.0", "curve.half_life_h: "),
        (
            r"^item_half_life_h = 168.0",
            "item_half_life_h = 100.0",
            "aging.item_half_life_h: 100 is none of rates.horizons_h",
        ),
        (r"^half_life_h = 168.0", "half_life_h = nan", "curve.half_life_h: "),
        (r"^half_life_h = 168.0", "half_life_h = inf", "curve.half_life_h: inf is not a finite number"),
        (r"^half_life_h = 168.0", 'half_life_h = "long"', "curve.half_life_h: "),
        (
            r"^half_life_h = 168.0",
            "halflife_h = 168.0",
            "curve.halflife_h: there is no such key; did you mean half_life_h?",
        ),
        (r"^\[curve\]", "[curves]", "curves: there is no such key; did you mean curve?"),
        (r"^C = 5.0", "C = 500.0", "star_power.C: "),
        (r"^Whisper = 10.0", "Whisper = 30.0", "levels: each lower edge must be above the one before"),
        (r"^Silence = 0.0", "Silence = 1.0", "levels: the first must have its lower edge at 0"),
        (r"^level_hysteresis = 2.0", "level_hysteresis = 10.0", "peaks.level_hysteresis"),
        (r"^pause_h = 3.0", "pause_h = 24.0", "peaks.pause_h: 24 must be below peaks.hold_h, 24"),
        (r"^fast_h = 6.0", "fast_h = 5.0", "trend.fast_h"),
        (r"^fast_h = 6.0", "fast_h = 24.0", "trend: fast_h < slow_h <= usual_h must hold"),
        (r"^cooling_ratio = 0.6", "cooling_ratio = 1.2", "trend: fading_ratio < cooling_ratio"),
        (r"^hysteresis = 0.15", "hysteresis = 0.7", "trend.hysteresis"),
        (r"^slope_h = 6.0", "slope_h = 168.0", "trend.slope_h"),
        (r"^horizons_h = .*", "horizons_h = [2.0, 6.0, 24.0, 168.0]", "rates.horizons_h: 1 is missing"),
        (r"^Growing = 12.0", "", "lifecycle.cooldown_h: `Growing` is missing"),
        (r"^Growing = 12.0", "Growing = 0.0", "lifecycle.cooldown_h"),
        (r"^Growing = 12.0", "Growing = 1e-9", "lifecycle.cooldown_h"),
        (r'metric = "noise"', 'metric = "loudness"', "lifecycle.rules[1].when[1].metric: invalid enum value"),
        (
            r'metric = "noise", is = "at_least", than = 75.0',
            'metric = "noise", is = "at_least", than = 60.0',
            "lifecycle.rules[4].when[1].than: noise below 65 leads back from where lifecycle.rules[1] leads at 60",
        ),
        (
            r'is = "below", than = 7.5',
            'is = "below", than = 15.0',
            "lifecycle.rules[5].when[1].than: velocity below 15 leads back from where lifecycle.rules[3] leads at 15",
        ),
        (
            r'is = "below", than = 0.02',
            'is = "below", than = 0.09',
            "lifecycle.rules[6].when[1].than: activity below 0.09 leads back from where lifecycle.rules[7] leads",
        ),
        (
            r'"noise", is = "at_least", than = 75.0',
            '"noise", is = "at_least", than = 750.0',
            "lifecycle.rules[1].when[1].than: noise is never 750, but at most 100",
        ),
        (
            r'"noise", is = "at_least", than = 75.0',
            '"noise", is = "at_least", than = 0.0',
            "lifecycle.rules[1].when[1].than: expected float > 0.0",
        ),
        (
            r'metric = "platforms", is = "at_least", than = 2.0 },  ',
            'metric = "activity", is = "below", than = 2.0 },  ',
            "lifecycle.rules[7].when: compares a metric twice",
        ),
        (
            r'^from = \["Emerging", "Growing"\]',
            'from = ["Emerging", "Emerging"]',
            "lifecycle.rules[2].from: names a state twice",
        ),
        (r"^when = .*", "when = []", "lifecycle.rules[1].when: expected array"),
        (r'^to = "Debated"', 'to = "Emerging"', "lifecycle.rules[2]: leads from Emerging to itself"),
        (r"^other = \{.*", "", "platforms: `other` is missing"),
        (r"^rates_h = .*", "rates_h = [6.0, 25.0]", "forecast.rates_h: 25 is none of rates.horizons_h"),
        (r"growth = \[0.20, 0.53", "growth = [0.57, 0.53", "forecast.horizons[1].growth"),
        (r"hours = 6.0", "hours = 24.0", "forecast.horizons: each must lie further ahead"),
        (r'^earliest = ".*"', 'earliest = "long ago"', "limits.earliest"),
        (r'^Resolved = "No longer — resolved"', "", "words: `Resolved` is missing"),
        (r"^average_d = 90.0", "average_d = 27.9", "index.average_d: 27.9 days must be at least four times"),
        (r"^average_floor = 1.0", "average_floor = 0.0", "index.average_floor: "),
        (r"^\[weights\]", "[weights", "not TOML"),
    ],
)
def test_an_error_names_the_file_and_the_key(tmp_path, pattern, replacement, says):
    # given
    path = changed(tmp_path, pattern, replacement)

    # when
    with pytest.raises(PolicyError) as refused:
        load_policy(path)

    # then
    assert str(refused.value).startswith(path)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "replacement", "says"),
    [
        (r"^reach = 0.20", "reach = 1.50", "weights.reach: 1.5 is not between 0 and 1"),
        (r"^half_life_h = 168.0", "half_life_h = inf", "curve.half_life_h: inf is not a finite number"),
        (
            r"^horizons_h = .*",
            "horizons_h = [1, 6, 24, inf]",
            "rates.horizons_h[4]: inf is not a finite number",
        ),
        (r"^Silence = 0.0", "Silence = 1.0", "levels: the first must have its lower edge at 0"),
        (r"^Whisper = 10.0", "Whisper = 25.0", "levels: each lower edge must be above the one before"),
        (
            r"^level_hysteresis = 2.0",
            "level_hysteresis = 10.0",
            "peaks.level_hysteresis: 10 reaches below the lowest level, 10",
        ),
        (r"^fast_h = 6.0", "fast_h = 24.0", "trend: fast_h < slow_h <= usual_h must hold"),
        (
            r"^slope_h = 6.0",
            "slope_h = 168.0",
            (
                "trend.slope_h: 168 must be below curve.half_life_h, 168: "
                "the mean that the slope is measured against must be faster than the noise itself"
            ),
        ),
        (
            r"^pause_h = 3.0",
            "pause_h = 24.0",
            "peaks.pause_h: 24 must be below peaks.hold_h, 24: a peak is told before it is confirmed",
        ),
        (
            r"hours = 6.0",
            "hours = 1.0",
            "forecast.horizons: each must lie further ahead than the one before",
        ),
        (r"^more = 0.4", "more = 0.5", "spike.thresholds: fewer > balanced > more must hold"),
        (
            r"^cooling_ratio = 0.6",
            "cooling_ratio = 0.25",
            "trend: fading_ratio < cooling_ratio < 1 < rising_ratio < surging_ratio must hold",
        ),
    ],
)
def test_an_error_says_what_must_hold(tmp_path, pattern, replacement, says):
    path = changed(tmp_path, pattern, replacement)

    with pytest.raises(PolicyError) as refused:
        load_policy(path)

    assert str(refused.value) == f"{path}: {says}"


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"^average_d = 90.0", "average_d = 28.0"),
        (r"^usual_h = 168.0", "usual_h = 24.0"),
        (r"^reach = 0.20[^\n]*\nengagement = 0.20", "reach = 0.0\nengagement = 0.40"),
    ],
    ids=["the shortest average", "usual as slow", "a factor without weight"],
)
def test_the_edges_of_what_may_be_set_may_be_set(tmp_path, pattern, replacement):
    assert load_policy(changed(tmp_path, pattern, replacement)).version


@pytest.mark.parametrize("tempo", ["series", "incident"])
@pytest.mark.parametrize(
    "hours_of", [(6.0, 6.0, 36.0, 72.0), (3.0, 36.0, 36.0, 72.0), (3.0, 6.0, 36.0, 35.0)], ids=str
)
def test_each_memory_of_a_spike_is_longer_than_the_one_before(tempo, hours_of):
    wrong = dict(zip(("fast_h", "slow_h", "mean_h", "spread_h"), hours_of, strict=True))
    policy = load_policy()
    spike = replace(policy.spike, **{tempo: replace(getattr(policy.spike, tempo), **wrong)})

    with pytest.raises(PolicyError) as refused:
        check(replace(policy, spike=spike))
    assert str(refused.value) == f"spike.{tempo}: fast_h < slow_h < mean_h <= spread_h must hold"


def test_mean_and_spread_may_be_remembered_for_as_long_and_quantiles_of_growth_may_be_equal():
    policy = load_policy()
    even = replace(policy.spike.series, mean_h=36.0, spread_h=36.0)
    first, *others = policy.forecast.horizons
    flat = (replace(first, growth=(0.5, 0.5, 0.5, 0.5)), *others)
    check(
        replace(
            policy,
            spike=replace(policy.spike, series=even),
            forecast=replace(policy.forecast, horizons=flat),
        )
    )


def test_a_platform_that_is_named_has_constants_of_its_own():
    policy = load_policy()
    assert policy.platform("x") is policy.platforms["x"]


def test_one_factor_may_have_all_the_weight():
    policy = load_policy()
    alone = msgspec.structs.replace(
        policy.weights, **dict.fromkeys(Factors.__struct_fields__, 0.0) | {"reach": 1.0}
    )
    check(replace(policy, weights=alone))


def test_levels_may_be_one_or_two_and_the_second_begins_above_the_hysteresis():
    policy = load_policy()
    check(replace(policy, levels={"Noise": 0.0}))
    check(replace(policy, levels={"Quiet": 0.0, "Loud": 2.1}))
    with pytest.raises(PolicyError, match=r"2 reaches below the lowest level, 2$"):
        check(replace(policy, levels={"Quiet": 0.0, "Loud": 2.0}))


def test_a_hysteresis_that_makes_two_edges_meet_is_refused():
    policy = load_policy()
    touching = replace(policy.trend, cooling_ratio=0.5, rising_ratio=1.5, hysteresis=0.5)
    with pytest.raises(PolicyError, match="makes the edges of cooling and rising overlap"):
        check(replace(policy, trend=touching))


def test_a_circle_of_steps_forward_is_refused(tmp_path):
    # given
    circle = RULE.format(source="Debated", to="Emerging", metric="noise")

    # when
    with pytest.raises(PolicyError) as refused:
        load_policy(changed(tmp_path, r"^version", "version", more=circle))

    # then
    assert "lead round in a circle" in str(refused.value)
    assert re.search(r"circle: \w+( -> \w+)*( -> Debated)( -> \w+)*$", str(refused.value))


def test_a_circle_that_an_idle_incident_would_never_leave_is_refused(tmp_path):
    # when: what is Resolved is reopened by its platforms alone, which stay
    with pytest.raises(PolicyError) as refused:
        load_policy(
            changed(tmp_path, r"^    \{ metric = \"activity\", is = \"at_least\", than = 0.08 \}, .*\n", "")
        )

    # then
    assert "without anything new an incident would go round for ever" in str(refused.value)
    assert "Debated -> Resolved" in str(refused.value) or "Resolved -> Debated" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"nowhere.toml: cannot be read"):
        load_policy(tmp_path / "nowhere.toml")


def test_a_platform_without_constants_has_those_of_other():
    policy = load_policy()
    assert policy.platform("unheard-of") is policy.platforms["other"]
