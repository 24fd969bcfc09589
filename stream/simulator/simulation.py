"""Incidents with their shapes and times, and the merge of all their observations into one stream."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from random import Random
from typing import Final

from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.times import HOUR_S, to_epoch
from schemas.words import Tier
from stream.simulator.arrivals import arrivals
from stream.simulator.items import ItemMaker
from stream.simulator.plots import LOUD_TIERS, PLOTS, TIERS, Story, tell
from stream.simulator.shapes import SHAPES, Shape

SPREAD_H: Final = 24.0
"""All incidents are born within these hours, so that a short demo sees each of them begin."""
BIRTH_JITTER: Final = 0.5
"""How far a birth strays, as a share of the gap to the next one."""
EPISODE_H: Final = (200.0, 320.0)
"""How long an episode lasts: then the story flares up again, so that an endless run stays alive."""
FLARE_UP: Final = (0.4, 0.9)
"""How strong an episode is against the one before the first pause."""
SCALE_SIGMA: Final = 0.4
"""Spread of the volume of incidents that share a shape (log-normal); the first of each shape has none."""


@dataclass(frozen=True, slots=True)
class Volume:
    """How loud an incident is against its shape: rate and engagement times this, and who speaks."""

    rate: float = 1.0
    loudness: float = 0.6
    prominence: float = 1.0


LOUDEST: Final = Volume(rate=1.5, loudness=6.0, prominence=3.0)
"""The first incident: audience, engagement, cast and consequence that carry its noise above 75 for hours."""
LOUDEST_IMPACT: Final = 95.0


@dataclass(frozen=True, slots=True)
class Incident:
    """One simulated incident: what it is about, which shape it takes, when it is `born` (epoch seconds)."""

    id: str
    shape: Shape
    story: Story
    born: float
    volume: Volume
    impact: float

    def observations(self, rng: Random) -> Iterator[SourceItem]:
        """Yield the observations of its items in order of observed_at, without end."""
        maker = ItemMaker(rng, self.id, self.born, self.shape, self.story)
        waiting: list[tuple[float, str, SourceItem]] = []
        for published, strength in self._published(rng):
            while waiting and waiting[0][0] <= published:
                yield heapq.heappop(waiting)[2]
            item = maker.make(
                published, self.volume.loudness * strength, self.volume.prominence * self.shape.prominence
            )
            for at, seen in zip(item.looks, item.observations(), strict=True):
                heapq.heappush(waiting, (at, seen.item_id, seen))

    def _published(self, rng: Random) -> Iterator[tuple[float, float]]:
        """Yield when items appear (epoch seconds) and the strength of their episode."""
        from_h, strength = 0.0, 1.0
        while True:
            length_h = rng.uniform(*EPISODE_H)
            for at_h in arrivals(rng, self.shape, self.volume.rate * strength, length_h):
                yield round(self.born + (from_h + at_h) * HOUR_S, 3), strength
            from_h += length_h
            strength = rng.uniform(*FLARE_UP)


class Simulation:
    """Controversies, the same for the same `seed`: incidents take the shapes in turn, the first is loud.

    `start` (epoch seconds) is when the first incident is born; the others follow within `SPREAD_H` hours.
    Each incident draws from a generator of its own.
    """

    def __init__(self, seed: int, incidents: int, start: float) -> None:
        if incidents < 1:
            raise ValueError(f"a simulation needs at least one incident, not {incidents}")
        self.seed = seed
        self.start = round(start, 3)
        self.incidents = tuple(self._incident(index, incidents) for index in range(incidents))

    def profiles(self) -> list[IncidentProfile]:
        """Return each incident's profile, in order of birth; `updated_at` is when it is born."""
        return [
            incident.story.profile(incident.id, incident.impact, incident.born)
            for incident in sorted(self.incidents, key=lambda incident: incident.born)
        ]

    def observations(self, until: float | None = None) -> Iterator[SourceItem]:
        """Yield all observations before `until` (epoch seconds), or without end, in order of observed_at.

        Every call begins anew and yields the same; nothing is drawn before it is asked for.
        """
        merged = heapq.merge(
            *(each.observations(self._rng("items", index)) for index, each in enumerate(self.incidents)),
            key=_observed,
        )
        return merged if until is None else takewhile(lambda item: _observed(item) < until, merged)

    def _incident(self, index: int, incidents: int) -> Incident:
        rng = self._rng("incident", index)
        plot, shape = PLOTS[index % len(PLOTS)], SHAPES[index % len(SHAPES)]
        gap_s = SPREAD_H * HOUR_S / incidents
        stray = rng.uniform(0.0, BIRTH_JITTER) if index else 0.0
        tiers: tuple[Tier, ...] = TIERS[index % len(TIERS)] if index else LOUD_TIERS
        rate = rng.lognormvariate(0.0, SCALE_SIGMA) if index >= len(SHAPES) else 1.0
        return Incident(
            id=f"{plot.slug}-{index + 1:03d}",
            shape=shape,
            story=tell(rng, plot, tiers),
            born=round(self.start + (index + stray) * gap_s, 3),
            volume=Volume(rate=rate) if index else LOUDEST,
            impact=plot.impact if index else LOUDEST_IMPACT,
        )

    def _rng(self, purpose: str, index: int) -> Random:
        # A text seed goes through SHA-512: neighbouring seeds have nothing in common.
        return Random(f"{self.seed}/{purpose}/{index}")  # noqa: S311  (a simulation must be repeatable)


def _observed(item: SourceItem) -> float:
    return to_epoch(item.observed_at or item.published_at)
