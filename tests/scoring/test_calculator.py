"""The score as a sum one can try out: what it gives, and what it asks for."""

import pytest
from msgspec.structs import astuple

from schemas.errors import DecibelError
from schemas.noise_score import Factors
from scoring.calculator import NAMES, calculate, factors_from
from tests.driver import SHIPPED_POLICY as POLICY

VALUES = dict(zip(NAMES, (40.0, 82.0, 15.0, 5.0, 20.0, 50.0, 50.0), strict=True))


def test_it_gives_every_step_of_the_sum():
    # when: a half-life has passed
    tried = calculate(Factors(**VALUES), 168.0 * 3600.0, POLICY)

    # then
    assert (tried.factors, tried.weights) == (Factors(**VALUES), POLICY.weights)
    assert (tried.age_s, tried.half_life_s, tried.decay) == (604_800.0, 604_800.0, 0.5)
    assert (tried.composite, tried.noise) == (pytest.approx(40.15), pytest.approx(40.15 / 2))
    assert (tried.shown, tried.level) == (20, "Whisper")
    assert astuple(tried.contributions) == pytest.approx((4.0, 8.2, 1.125, 0.25, 1.5, 2.5, 2.5))


def test_seven_values_by_name_are_the_factors():
    assert factors_from(VALUES) == Factors(**VALUES)
    assert factors_from(dict.fromkeys(NAMES, 0.0)) == Factors(*[0.0] * 7)
    assert factors_from(dict.fromkeys(NAMES, 100.0)) == Factors(*[100.0] * 7)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (VALUES | {"raech": 1.0}, "'raech' is no factor; did you mean reach?"),
        (VALUES | {"zzz": 1.0}, f"'zzz' is no factor; the factors are {', '.join(NAMES)}"),
        (VALUES | {"reach": 100.5}, "reach: 100.5 is not between 0 and 100"),
        (VALUES | {"polarity": -0.001}, "polarity: -0.001 is not between 0 and 100"),
        ({"reach": 1.0, "polarity": 2.0, "duration": 3.0, "engagement": 4.0, "star_power": 5.0},
         "cross_platform, industry_impact: missing; give all seven factors"),
    ],
    ids=["misspelt", "unknown", "too high", "below nothing", "missing"],
)  # fmt: skip
def test_what_is_wrong_with_them_is_named(values, says):
    with pytest.raises(DecibelError) as refused:
        factors_from(values)

    assert str(refused.value) == says
