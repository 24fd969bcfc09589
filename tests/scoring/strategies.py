"""Streams of observations as crawlers really send them: late, repeated, shrinking, retracted, corrected."""

from __future__ import annotations

from hypothesis import strategies as st

from schemas.words import Category
from tests.builders import item, profile

PLATFORMS = ("news", "reddit", "x", "mastodon")
CROWD = tuple(f"figure {number}" for number in range(20))

counts = st.one_of(st.integers(0, 3000), st.sampled_from([0, 10**6, 10**15]))
minutes = st.integers(0, 60 * 24 * 4)
crowded = st.sampled_from([0, 60, 61, 60 * 24 * 3])
"""Four moments: most observations share theirs with others, so their content decides which of them stands."""


@st.composite
def observations(
    draw, incidents=("leak",), items="abcdef", figures=("Ann", "ANN", "Bob", "Eve"), moments=minutes
):
    """One observation: any item, any time within four days, published before or (wrongly) after it was seen."""
    seen = draw(moments) / 60.0
    lag = draw(st.sampled_from([0.0, 0.0, 0.001, 0.5, 3.0, 30.0, -0.5]))
    return item(
        draw(st.sampled_from(items)),
        draw(st.sampled_from(incidents)),
        h=seen - lag,
        seen=seen,
        platform=draw(st.sampled_from(PLATFORMS)),
        likes=draw(counts),
        comments=draw(st.integers(0, 500)),
        shares=draw(st.integers(0, 500)),
        views=draw(st.integers(0, 10**6)),
        audience=draw(st.one_of(st.none(), counts)),
        stance=draw(st.one_of(st.none(), st.floats(-1.0, 1.0))),
        figures=tuple(draw(st.lists(st.sampled_from(figures), max_size=3))),
        retracted=draw(st.integers(0, 6)) == 0,
    )


@st.composite
def growing(draw, items="abc"):
    """The common case: items whose platform and date stay, and whose counts, stances and figures change."""
    found = []
    for number in range(draw(st.integers(2, 12))):
        which = draw(st.integers(0, len(items) - 1))
        found.append(
            item(
                items[which],
                h=float(which),
                seen=5.0 + number,
                platform=PLATFORMS[which],
                likes=draw(counts),
                audience=draw(st.one_of(st.none(), counts)),
                stance=draw(st.one_of(st.none(), st.floats(-1.0, 1.0))),
                figures=tuple(draw(st.lists(st.sampled_from(CROWD), max_size=3))),
            )
        )
    return found


def streams(most: int = 25, **how) -> st.SearchStrategy[list]:
    """Observations in the order of their arrival, which need not be that of their times."""
    return st.lists(observations(**how), min_size=1, max_size=most)


def in_order(stream: list) -> list:
    """The same observations in the order of their times, as a live stream brings them."""
    return sorted(stream, key=lambda each: each.observed_at)


@st.composite
def profiles(draw, incidents=("leak",)):
    """A profile: what was assessed, and parties of whom some are also named by items."""
    tiers = draw(st.dictionaries(st.sampled_from(("ann", "Bob", "Zoe")), st.sampled_from("SABC"), max_size=3))
    impact = draw(st.one_of(st.none(), st.floats(0.0, 100.0)))
    return profile(draw(st.sampled_from(incidents)), impact, draw(st.sampled_from(Category)), **tiers)


@st.composite
def bursts(draw, incidents=("leak",)):
    """A live stream in order: bursts of distinct items, minutes apart, between silences of hours to weeks."""
    found, h, number = [], 0.0, 0
    for _ in range(draw(st.integers(1, 6))):
        h += draw(st.sampled_from([0.0, 0.3, 2.0, 5.0, 11.0, 13.0, 30.0, 80.0, 400.0])) + draw(
            st.floats(0.0, 1.0)
        )
        platform = draw(st.sampled_from(PLATFORMS))
        size, pace = draw(st.integers(1, 25)), draw(st.sampled_from([0.01, 0.04, 0.3, 1.5]))
        likes = draw(st.sampled_from([0, 20, 3000, 10**6, 10**8]))
        figures = draw(st.sampled_from([(), CROWD[:1], CROWD]))
        for _ in range(size):
            number += 1
            h += pace
            found.append(
                item(
                    f"i{number}",
                    draw(st.sampled_from(incidents)),
                    h=h,
                    platform=platform,
                    likes=likes,
                    figures=figures,
                )
            )
    return found
