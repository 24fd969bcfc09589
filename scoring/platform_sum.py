"""What an incident has on one platform."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from scoring.stored import Stored


@mypyc_attr(acyclic=True)
class PlatformSum(Stored):
    """What is counted of one platform: items; interactions in thousandths; people; interactions without an audience."""

    __slots__ = ("audience", "interactions", "items", "without_audience")

    def __init__(
        self, items: int = 0, interactions: int = 0, audience: int = 0, without_audience: int = 0
    ) -> None:
        self.items, self.interactions = items, interactions
        self.audience, self.without_audience = audience, without_audience

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return self.items, self.interactions, self.audience, self.without_audience
