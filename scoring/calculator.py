"""The score as a sum one can try out: seven factors and an age in, composite, decay, noise and level out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from schemas.errors import DecibelError
from schemas.noise_score import Factors
from scoring import factors
from scoring.decay import decay
from scoring.levels import level_of, shown
from scoring.policy import Policy

NAMES: Final = Factors.__struct_fields__
"""The seven factors."""


class Calculation(Struct, frozen=True):
    """What factors give `age_s` seconds after the last new coverage; `contributions` add up to `noise`."""

    factors: Factors
    weights: Factors
    age_s: float
    half_life_s: float
    composite: float
    decay: float
    noise: float
    shown: int
    level: str
    contributions: Factors


def calculate(values: Factors, age_s: float, policy: Policy) -> Calculation:
    """Return the noise that factors (0 to 100 each) give at an age in seconds.

    >>> from scoring.policy import load_policy
    >>> golden = calculate(Factors(40, 82, 15, 5, 20, 50, 50), 2.4 * 3600, load_policy())
    >>> round(golden.composite, 2), round(golden.decay, 4), golden.shown, golden.level
    (40.15, 0.9901, 39, 'Murmur')
    """
    left = decay(age_s, policy.curve.half_life_s)
    composite = factors.total(factors.weighted(values, policy.weights))
    noise = composite * left
    return Calculation(
        factors=values,
        weights=policy.weights,
        age_s=age_s,
        half_life_s=policy.curve.half_life_s,
        composite=composite,
        decay=left,
        noise=noise,
        shown=shown(noise),
        level=level_of(noise, policy),
        contributions=factors.weighted(values, policy.weights, left),
    )


def factors_from(values: Mapping[str, float]) -> Factors:
    """Return the seven factors; DecibelError names the one that is missing, unknown or out of range."""
    for name, value in values.items():
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the factors are {', '.join(NAMES)}"
            raise DecibelError(f"{name!r} is no factor; {hint}")
        if not 0.0 <= value <= 100.0:
            raise DecibelError(f"{name}: {value:g} is not between 0 and 100")
    missing = [name for name in NAMES if name not in values]
    if missing:
        raise DecibelError(f"{', '.join(missing)}: missing; give all seven factors")
    return Factors(**values)
