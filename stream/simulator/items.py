"""One item and what is seen of it: counts grow along a saturating curve, and a crawler looks a few times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from msgspec.structs import replace

from schemas.source_item import Engagement, SourceItem
from schemas.times import HOUR_S, from_epoch
from stream.simulator.platforms import PLATFORMS, Platform
from stream.simulator.plots import Story
from stream.simulator.shapes import Shape

LOOK_AGES_S: Final = (45.0, 600.0, HOUR_S, 6.0 * HOUR_S)
"""When an item is looked at, in seconds after it appeared."""
LOOK_JITTER: Final = 0.2
"""How much earlier or later a look may come, as a share of its age."""
HALF_GROWN_S: Final = (1800.0, 7200.0)
"""The range of the time in which an item gathers half of all it will ever gather."""
ENGAGEMENT_SIGMA: Final = 0.8
"""Spread of the final counts (log-normal): one item in six gets more than 2.2 times the typical."""
FIGURES_SHARE: Final = 0.2
SHRINK_SHARE: Final = 0.01
"""Share of items whose counts are lower at the last look: votes were taken back, comments removed."""
SHRUNK_TO: Final = 0.9
RETRACTED_SHARE: Final = 0.004
MILDEST_STANCE: Final = 0.3


class Ending(Enum):
    """What the last look at an item finds."""

    STANDS = "stands"
    SHRUNK = "shrunk"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Item:
    """An item over its whole life: how it would end, and when (`looks`, epoch seconds) it is seen.

    `half_grown_s` is the time in which it gathers half of its `final` counts.
    """

    final: SourceItem
    published: float
    half_grown_s: float
    looks: tuple[float, ...]
    ending: Ending

    def observations(self) -> Iterator[SourceItem]:
        """Yield what each look finds, in order of time."""
        *grown, last = self.looks
        for at in grown:
            yield self._seen(at)
        if self.ending is Ending.SHRUNK:
            yield self._seen(last, grown[-1], SHRUNK_TO)
        elif self.ending is Ending.RETRACTED:
            yield replace(self._seen(last), retracted=True)
        else:
            yield self._seen(last)

    def _seen(self, at: float, counted_at: float | None = None, kept: float = 1.0) -> SourceItem:
        age_s = (at if counted_at is None else counted_at) - self.published
        share = (1.0 - 2.0 ** -(age_s / self.half_grown_s)) * kept
        return replace(
            self.final, observed_at=from_epoch(at), engagement=_scaled(self.final.engagement, share, share)
        )


class ItemMaker:
    """Draws the items of one incident, `born` at an epoch second: where, by whom, how loud, on which side."""

    def __init__(self, rng: Random, incident_id: str, born: float, shape: Shape, story: Story) -> None:
        self.rng = rng
        self.incident_id = incident_id
        self.born = born
        self.shape = shape
        self.story = story
        self.made = 0

    def make(self, published: float, loudness: float, prominence: float) -> Item:
        """Draw the item that appears at `published` (epoch seconds).

        `loudness` multiplies what it gathers; `prominence` says who speaks, as in `Platform.voice`.
        """
        rng = self.rng
        platform = self._platform((published - self.born) / HOUR_S)
        voice = platform.voice(rng, prominence)
        gathered = loudness * rng.lognormvariate(0.0, ENGAGEMENT_SIGMA)
        talked_about = rng.lognormvariate(0.0, ENGAGEMENT_SIGMA / 2.0)
        stance = self._stance()
        self.made += 1
        number = f"{self.incident_id}-{self.made}"
        final = SourceItem(
            item_id=f"{platform.name}:{number}",
            incident_id=self.incident_id,
            platform=platform.name,
            published_at=from_epoch(published),
            audience=voice.audience,
            engagement=_scaled(platform.typical, gathered, gathered * talked_about),
            stance=stance,
            author=voice.author,
            url=f"https://{platform.name}.example/{number}",
            title=self.story.headline(rng, stance),
            figures=self._figures(),
        )
        return Item(final, published, rng.uniform(*HALF_GROWN_S), self._looks(published), self._ending())

    def _platform(self, age_h: float) -> Platform:
        """Draw one of the platforms that have joined in by now."""
        there = [coverage for coverage in self.shape.platforms if coverage.joins_h <= age_h]
        return PLATFORMS[self.rng.choices(there, [coverage.weight for coverage in there])[0].platform]

    def _stance(self) -> float | None:
        rng = self.rng
        if rng.random() >= self.shape.stance_known:
            return None
        strength = round(rng.uniform(MILDEST_STANCE, 1.0), 2)
        return -strength if rng.random() < self.shape.critic_share else strength

    def _figures(self) -> tuple[str, ...]:
        if self.rng.random() >= FIGURES_SHARE:
            return ()
        return tuple(self.rng.sample(self.story.figures, self.rng.randint(1, 2)))

    def _looks(self, published: float) -> tuple[float, ...]:
        stretch = self.rng.uniform(1.0 - LOOK_JITTER, 1.0 + LOOK_JITTER)
        return tuple(round(published + age_s * stretch, 3) for age_s in LOOK_AGES_S)

    def _ending(self) -> Ending:
        draw = self.rng.random()
        if draw < RETRACTED_SHARE:
            return Ending.RETRACTED
        return Ending.SHRUNK if draw < RETRACTED_SHARE + SHRINK_SHARE else Ending.STANDS


def _scaled(counts: Engagement, reactions: float, comments: float) -> Engagement:
    """Return `counts` times a factor, comments times their own, rounded down."""
    return Engagement(
        likes=math.floor(counts.likes * reactions),
        comments=math.floor(counts.comments * comments),
        shares=math.floor(counts.shares * reactions),
        views=math.floor(counts.views * reactions),
    )
