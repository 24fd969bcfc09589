"""The row of one item: what of it is counted in its incident, and what was counted before that."""

from __future__ import annotations

import math
from typing import Any, Final

from mypy_extensions import mypyc_attr

from schemas.source_item import MovedCount, SourceItem
from scoring.policy import Policy
from scoring.stored import Stored

MILLI: Final = 1000
"""Interactions are counted in thousandths, as integers: sums of integers do not depend on their order."""

MICRO: Final = 1_000_000
"""Stances are weighed in millionths of a typical item, as integers, for the same reason."""

MOST_COUNTED: Final = 10**10
"""Interactions or people that one item can stand for. There are no more people: its reach alone is full. Without a
bound, absurd counts that the contract accepts would add up to more than a row can hold (64 bits)."""

MOST_TYPICAL: Final = 1e6
"""Typical items that one stance can weigh, for the same reason."""

UNKNOWN: Final = -1
"""An audience that the source does not know."""


@mypyc_attr(acyclic=True)
class Counted(Stored):
    """What one observation adds to its incident. The greater of two (the later observed, else by content) stands.

    `observed_at` and `at` are epoch seconds; `at` is when the item was published, or observed if that was earlier.
    `interactions` in thousandths; `audience` in people, or UNKNOWN; `critic` and `defender` in millionths.
    """

    __slots__ = (
        "at",
        "audience",
        "critic",
        "defender",
        "figures",
        "interactions",
        "observed_at",
        "platform",
        "retracted",
    )

    def __init__(
        self,
        observed_at: float,
        at: float,
        platform: str,
        interactions: int,
        audience: int,
        critic: int,
        defender: int,
        figures: tuple[str, ...],
        retracted: bool,  # noqa: FBT001 - fields by position, as a row has them
    ) -> None:
        self.observed_at, self.at, self.platform = observed_at, at, platform
        self.interactions, self.audience = interactions, audience
        self.critic, self.defender = critic, defender
        self.figures, self.retracted = figures, retracted

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return (
            self.observed_at,
            self.at,
            self.platform,
            self.interactions,
            self.audience,
            self.critic,
            self.defender,
            self.figures,
            self.retracted,
        )

    @classmethod
    def read(cls, stored: list[Any]) -> Counted:
        """Return the value of these fields."""
        observed_at, at, platform, interactions, audience, critic, defender, figures, retracted = stored
        return cls(
            observed_at, at, platform, interactions, audience, critic, defender, tuple(figures), retracted
        )

    def same_content(self, other: Counted) -> bool:
        """Say whether both add the same; when they were observed is of no matter, and retracted ones add nothing."""
        if self.retracted and other.retracted:
            return True
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
        return self.stored() > other.stored()


@mypyc_attr(acyclic=True)
class Version(Stored):
    """What was counted of an item from a source offset on."""

    __slots__ = ("counted", "offset")

    def __init__(self, offset: int, counted: Counted) -> None:
        self.offset, self.counted = offset, counted

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return self.offset, self.counted.stored()

    @classmethod
    def read(cls, stored: list[Any]) -> Version:
        """Return the value of these fields."""
        offset, counted = stored
        return cls(offset, Counted.read(counted))


@mypyc_attr(acyclic=True)
class ItemRow(Stored):
    """The stored row of one item.

    `offset` is the source offset of the record that says `counted`. `before` are earlier versions, oldest first: the
    two rows of one record do not reach the changelog together, and after a crash between them the incident's row still
    holds what it was before, while this one is ahead of it. There is one, but for crashes that come in a row.
    """

    __slots__ = ("before", "counted", "offset")

    def __init__(self, offset: int, counted: Counted, before: tuple[Version, ...] = ()) -> None:
        self.offset, self.counted, self.before = offset, counted, before

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return self.offset, self.counted.stored(), tuple([each.stored() for each in self.before])

    @classmethod
    def read(cls, stored: list[Any]) -> ItemRow:
        """Return the row of these fields."""
        offset, counted, before = stored
        return cls(offset, Counted.read(counted), tuple([Version.read(each) for each in before]))

    def counted_at(self, offset: int) -> Counted | None:
        """Return what a row of the incident that is at `offset` counts of this item; None for nothing."""
        if self.offset <= offset:
            return self.counted
        for each in reversed(self.before):
            if each.offset <= offset:
                return each.counted
        return None


def rewrite(row: ItemRow | None, offset: int, counted: Counted, stored_at: int) -> ItemRow:
    """Return the row of an item of which `counted` is counted from `offset` on.

    Of the versions so far, that stays which the incident's stored row (at offset `stored_at`) counts; and those after
    `offset`, which a crash has left: a row that is written never has a lower offset than the one that stands.
    """
    if row is None:
        return ItemRow(offset, counted)
    if row.offset <= stored_at:
        return ItemRow(offset, counted, (Version(row.offset, row.counted),))
    if row.offset <= offset and (
        not row.before or (len(row.before) == 1 and row.before[0].offset <= stored_at)
    ):
        return ItemRow(
            offset, counted, row.before
        )  # what comes of the general case below, where no crash has been
    versions = (*row.before, Version(row.offset, row.counted))
    stored = [each for each in versions if each.offset <= stored_at][-1:]
    ahead = [each for each in versions if each.offset > offset]
    kept = [*stored, Version(offset, counted), *ahead]
    return ItemRow(kept[-1].offset, kept[-1].counted, tuple(kept[:-1]))


def count(item: SourceItem, observed_at: float, at: float, policy: Policy) -> Counted:
    """Return what `item` adds, observed at `observed_at` and dated `at` (epoch seconds).

    Of an item that was counted in another incident before, that is what was counted there.
    """
    moved = item.moved
    if moved is not None and moved.counted is not None:
        return _moved(item, moved.counted, observed_at, at)
    rule, platform, seen, stance = policy.engagement, item.platform, item.engagement, item.stance
    interactions = min(
        seen.likes
        + rule.comment_weight * seen.comments
        + rule.share_weight * seen.shares
        + rule.view_weight * seen.views,
        MOST_COUNTED,
    )
    critic = defender = 0
    if stance:
        weight = MICRO * (1.0 + min(interactions / policy.platform(platform).typical, MOST_TYPICAL))
        critic = round(weight * max(0.0, -stance))
        defender = round(weight * max(0.0, stance))
    audience, figures = item.audience, item.figures
    return Counted(
        observed_at,
        at,
        platform,
        _rounded(MILLI * interactions),
        UNKNOWN if audience is None else min(audience, MOST_COUNTED),
        critic,
        defender,
        tuple(sorted({figure.casefold() for figure in figures})) if figures else (),
        item.retracted,
    )


def _rounded(amount: float) -> int:
    """The nearest whole number, halves to the even one; most are whole, for which compiled code needs no call."""
    whole = math.floor(amount)
    return whole if whole == amount else round(amount)


def _moved(item: SourceItem, counted: MovedCount, observed_at: float, at: float) -> Counted:
    """What was counted before is taken as it is; the bounds are those that it kept there."""
    most_weight = round(MICRO * (1.0 + MOST_TYPICAL))
    return Counted(
        observed_at,
        at,
        item.platform,
        min(counted.interactions, MILLI * MOST_COUNTED),
        UNKNOWN if item.audience is None else min(item.audience, MOST_COUNTED),
        min(counted.critic, most_weight),
        min(counted.defender, most_weight),
        counted.figures,
        item.retracted,
    )
