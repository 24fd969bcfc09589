"""The row of one item: what of it is counted in its incident, and what was counted before the last write."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from schemas.source_item import SourceItem
from scoring.policy import Policy

MILLI: Final = 1000
"""Interactions are counted in thousandths, as integers: sums of integers do not depend on their order."""

MICRO: Final = 1_000_000
"""Stances are weighed in millionths of a typical item, as integers, for the same reason."""

UNKNOWN: Final = -1
"""An audience that the source does not know."""


class Counted(Struct, frozen=True, array_like=True, gc=False):
    """What one observation adds to its incident. The greater of two (the later observed, else by content) stands.

    `observed_at` and `at` are epoch seconds; `at` is when the item was published, or observed if that was earlier.
    `interactions` in thousandths; `audience` in people, or UNKNOWN; `critic` and `defender` in millionths.
    """

    observed_at: float
    at: float
    platform: str
    interactions: int
    audience: int
    critic: int
    defender: int
    figures: tuple[str, ...]
    retracted: bool

    def same_content(self, other: Counted) -> bool:
        """Say whether both add the same; when they were observed is of no matter."""
        return (
            self.interactions == other.interactions
            and self.at == other.at
            and self.audience == other.audience
            and self.retracted == other.retracted
            and self.critic == other.critic
            and self.defender == other.defender
            and self.platform == other.platform
            and self.figures == other.figures
        )

    def stands_against(self, other: Counted) -> bool:
        """Say whether this observation replaces `other`: a total order, so the order of arrival is of no matter."""
        if self.observed_at != other.observed_at:
            return self.observed_at > other.observed_at
        return msgspec.structs.astuple(self) > msgspec.structs.astuple(other)


class ItemRow(Struct, frozen=True, array_like=True, gc=False):
    """The stored row of one item.

    `offset` is the source offset of its last write. `before` is what its incident's row counted of it when that was
    last stored: the two rows of one record do not reach the changelog together, and after a crash between them the
    incident's row still holds `before` while this one is ahead of it.
    """

    offset: int
    counted: Counted
    before: Counted | None


def count(item: SourceItem, observed_at: float, at: float, policy: Policy) -> Counted:
    """Return what `item` adds, observed at `observed_at` and dated `at` (epoch seconds)."""
    rule, platform = policy.engagement, policy.platform(item.platform)
    seen = item.engagement
    interactions = (
        seen.likes
        + rule.comment_weight * seen.comments
        + rule.share_weight * seen.shares
        + rule.view_weight * seen.views
    )
    critic = defender = 0
    if item.stance:
        weight = MICRO * (1.0 + interactions / platform.typical)
        critic = round(weight * max(0.0, -item.stance))
        defender = round(weight * max(0.0, item.stance))
    return Counted(
        observed_at,
        at,
        item.platform,
        round(MILLI * interactions),
        UNKNOWN if item.audience is None else item.audience,
        critic,
        defender,
        tuple(sorted({figure.casefold() for figure in item.figures})) if item.figures else (),
        item.retracted,
    )
