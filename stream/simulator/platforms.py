"""Where items appear: the platforms, what a typical item gets there, who speaks, and to how many."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final, NamedTuple

from schemas.source_item import Engagement

_OUTLETS: Final = (
    "Tidewater Ledger", "Copperline Dispatch", "Morrowgate Herald", "Harrowvale Post", "Fenlight Report",
    "Saltmarch Observer", "Ninth Bell", "Quarrystone Review", "Lowland Telegraphist", "Ember & Vale",
    "Wirewood Daily", "Greyharbour Notes", "Plinth", "Second Draughts", "Marshgate Wire", "Oxbow Bulletin",
)  # fmt: skip
_HANDLES: Final = tuple(
    first + second
    for second, first in product(
        ("lathe", "heron", "ferret", "kettle", "sextant", "moth"),
        ("quiet", "paper", "copper", "rusty", "second", "velvet", "hollow", "northern"),
    )
)


class Voice(NamedTuple):
    """Who published an item, and how many people they reach; None where the crawler could not tell."""

    author: str
    audience: int | None


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform: its loudest and its smallest account, how often the audience is known, and a typical item.

    `typical` are the counts a middling item ends with; `audience_known` is a share (0 to 1).
    """

    name: str
    largest_audience: float
    smallest_audience: float
    audience_known: float
    typical: Engagement
    authors: tuple[str, ...] = _HANDLES

    def voice(self, rng: Random, prominence: float) -> Voice:
        """Draw who speaks; `prominence` above 1 favours the large accounts, below 1 the small ones.

        An author's audience falls geometrically with rank, and is the same each time it is known.
        """
        rank = int(len(self.authors) * rng.random() ** prominence)
        if rng.random() >= self.audience_known:
            return Voice(self.authors[rank], None)
        step = rank / (len(self.authors) - 1)
        fall = self.smallest_audience / self.largest_audience
        return Voice(self.authors[rank], round(self.largest_audience * fall**step))


PLATFORMS: Final = {
    platform.name: platform
    for platform in (
        Platform("news", 3e7, 2e4, 0.95, Engagement(20, 10, 15, 1_500), _OUTLETS),
        Platform("x", 9e6, 3e2, 0.90, Engagement(40, 8, 8, 4_000)),
        Platform("youtube", 6e6, 1e3, 0.85, Engagement(300, 60, 0, 18_000), _OUTLETS),
        Platform("facebook", 4e6, 5e3, 0.70, Engagement(1_200, 200, 200, 0)),
        Platform("reddit", 5e6, 2e3, 0.60, Engagement(100, 50, 0, 0)),
        Platform("bluesky", 8e5, 2e2, 0.80, Engagement(15, 5, 5, 0)),
        Platform("hackernews", 1.0, 1.0, 0.0, Engagement(70, 40, 0, 0)),
        Platform("lobsters", 1.0, 1.0, 0.0, Engagement(20, 15, 0, 0)),
    )
}
"""Every platform by name. The two link sites never tell an audience; there it is left to be estimated."""
