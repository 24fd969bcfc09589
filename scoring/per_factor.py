"""A number for each of the seven factors, as the engine reckons with them; on the wire they are `Factors`."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.noise_score import Factors
from scoring.stored import Stored


@mypyc_attr(acyclic=True)
class PerFactor(Stored):
    """The value of each factor (0 to 100), its weight, or the points it gives."""

    __slots__ = (
        "cross_platform",
        "duration",
        "engagement",
        "industry_impact",
        "polarity",
        "reach",
        "star_power",
    )

    def __init__(
        self,
        reach: float,
        engagement: float,
        star_power: float,
        duration: float,
        cross_platform: float,
        polarity: float,
        industry_impact: float,
    ) -> None:
        self.reach = reach
        self.engagement = engagement
        self.star_power = star_power
        self.duration = duration
        self.cross_platform = cross_platform
        self.polarity = polarity
        self.industry_impact = industry_impact

    def stored(self) -> tuple[float, ...]:
        """Return the seven in their order."""
        return (
            self.reach,
            self.engagement,
            self.star_power,
            self.duration,
            self.cross_platform,
            self.polarity,
            self.industry_impact,
        )

    def weighted(self, weights: PerFactor, decay: float = 1.0) -> PerFactor:
        """Return the points that each factor gives to the noise: `weight * factor * decay`."""
        return PerFactor(
            weights.reach * self.reach * decay,
            weights.engagement * self.engagement * decay,
            weights.star_power * self.star_power * decay,
            weights.duration * self.duration * decay,
            weights.cross_platform * self.cross_platform * decay,
            weights.polarity * self.polarity * decay,
            weights.industry_impact * self.industry_impact * decay,
        )

    def total(self) -> float:
        """Return the sum of the seven, rounded once: what rounding takes from each step is kept, and added at the end.

        Sum2 of Ogita, Rump, Oishi, "Accurate sum and dot product" (SIAM J. Sci. Comput. 2005), with Knuth's exact sum
        of two: as if they were added with twice the digits. Compiled code needs no call for it, as it does for `fsum`.
        """
        return self.weighed(ONE_EACH)

    def weighed(self, weights: PerFactor) -> float:
        """Return the `total` of the seven, each times its weight."""
        total, lost = _add(weights.reach * self.reach, weights.engagement * self.engagement, 0.0)
        total, lost = _add(total, weights.star_power * self.star_power, lost)
        total, lost = _add(total, weights.duration * self.duration, lost)
        total, lost = _add(total, weights.cross_platform * self.cross_platform, lost)
        total, lost = _add(total, weights.polarity * self.polarity, lost)
        total, lost = _add(total, weights.industry_impact * self.industry_impact, lost)
        return total + lost

    def told(self) -> Factors:
        """Return the seven as an event tells them."""
        return Factors(
            self.reach,
            self.engagement,
            self.star_power,
            self.duration,
            self.cross_platform,
            self.polarity,
            self.industry_impact,
        )


ONE_EACH: Final = PerFactor(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def _add(total: float, value: float, lost: float) -> tuple[float, float]:
    """The sum of two, and what was lost to rounding with what this takes: the error of a sum is a double itself."""
    added = total + value
    rest = added - total
    return added, lost + ((total - (added - rest)) + (value - rest))


def read(told: Factors) -> PerFactor:
    """Return the seven that an event or the policy tells."""
    return PerFactor(
        told.reach,
        told.engagement,
        told.star_power,
        told.duration,
        told.cross_platform,
        told.polarity,
        told.industry_impact,
    )
