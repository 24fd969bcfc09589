"""`decibel what-if`: the published example, ages, and errors that name the factor."""

import json
import math

import pytest
from click.testing import CliRunner

from scoring.policy import SHIPPED
from stream.cli import main

GOLDEN = "reach=40,engagement=82,star_power=15,duration=5,cross_platform=20,polarity=50,industry_impact=50"


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["what-if", *map(str, arguments)])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


def told(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def test_the_published_example_comes_out():
    golden = told("--factors", GOLDEN, "--age", "2.4h")

    assert (golden["composite"], golden["decay"]) == (40.15, 0.9901)
    assert (golden["shown"], golden["level"]) == (39, "Murmur")
    assert golden["noise"] == pytest.approx(40.15 * 2 ** -(2.4 / 168))
    assert math.fsum(golden["contributions"].values()) == pytest.approx(golden["noise"])


def test_the_table_adds_up():
    page = run("--factors", GOLDEN, "--age", "2.4h").stdout

    assert page.startswith("39 Murmur")
    assert page.splitlines()[-1].split() == ["Composite,", "noise", "1.00", "40.15", "39.75"]


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("90m", 5400), ("2.4h", 8640), ("3d", 259200), ("0", 0), ("45s", 45), (" .5 h", 1800)],
)
def test_ages_are_read_in_minutes_hours_and_days(age, seconds):
    assert told("--factors", GOLDEN, "--age", age)["age_s"] == pytest.approx(seconds)


def test_without_an_age_nothing_has_decayed():
    assert told("--factors", GOLDEN)["decay"] == 1.0


def test_dashes_are_as_good_as_underscores():
    assert told("--factors", GOLDEN.replace("_", "-")) == told("--factors", GOLDEN)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (GOLDEN.replace("reach=40,", ""), "reach: missing"),
        ("reach=40", "engagement, star_power, duration, cross_platform, polarity, industry_impact: missing"),
        (GOLDEN.replace("reach", "reech"), "'reech' is no factor; did you mean reach?"),
        (GOLDEN.replace("82", "182"), "engagement: 182 is not between 0 and 100"),
        (GOLDEN.replace("82", "nan"), "engagement: nan is not between 0 and 100"),
        (GOLDEN.replace("82", "loud"), "engagement: 'loud' is no number"),
        (GOLDEN + ",reach=1", "reach: given twice"),
        (GOLDEN + ",hype", "'hype' is not of the form factor=value"),
        ("", "missing"),
    ],
)
def test_an_error_names_the_factor(factors, said):
    assert said in " ".join(run("--factors", factors, code=2).stderr.split())


@pytest.mark.parametrize("age", ["3w", "-1h", "h", "soon", "1h30m"])
def test_an_age_that_is_none_is_told(age):
    assert f"{age!r} is no age" in run("--factors", GOLDEN, "--age", age, code=2).stderr


def test_the_policy_is_the_one_given(tmp_path):
    policy = tmp_path / "mine.toml"
    policy.write_text(SHIPPED.read_text().replace("Murmur = 25.0", "Grumble = 25.0"))

    assert told("--factors", GOLDEN, "--policy", policy)["level"] == "Grumble"
