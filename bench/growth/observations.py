"""Observations as growth needs them: any item of any incident, any number of times, without remembering anything."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from bench.throughput.loads import START, STEP_S, Record
from schemas.times import format_time

LATER_S: Final = 60.0
"""How long after it was published an item is observed for the first time."""


def observation(incident: int, item: int, times: int, at: float) -> Record:
    """Return what is seen of an item of an incident at `at` (epoch seconds) for the `times`-th time.

    >>> observation(1, 0, 1, 1_609_459_300.0).key
    b'the-story-000001'
    """
    name = f"the-story-{incident:06x}"
    published = format_time(round(START + STEP_S * (incident + item), 3))
    value = (
        f'{{"item_id":"hackernews:{incident:06x}{item:06d}","incident_id":"{name}","platform":"hackernews",'
        f'"published_at":"{published}","observed_at":"{format_time(at)}",'
        f'"engagement":{{"likes":{10 * times},"comments":{3 * times},"shares":0}},"author":"user{item % 9973:05d}",'
        f'"url":"https://www.site-{item % 4096:04d}.example.com/2021/01/01/{name}-{item:06d}/",'
        f'"title":"What it means that {name} goes on, and what people say about it"}}'
    )
    return Record(name.encode(), value.encode())


class Story:
    """Hands out observations in the order of time, one every hundredth of a second of the story."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._number = 0

    def incidents(self, first: int, last: int) -> Iterator[Record]:
        """Yield the first item of every incident from `first` to before `last`."""
        for incident in range(first, last):
            yield observation(incident, 0, 1, self._now())

    def items(self, first: int, last: int) -> Iterator[Record]:
        """Yield every item of one incident from `first` to before `last`, each for the first time."""
        for item in range(first, last):
            yield observation(0, item, 1, self._now())

    def again(self, incidents: int, items: int, number: int) -> Iterator[Record]:
        """Yield `number` further observations of items drawn from so many incidents with so many items each."""
        for times in range(number):
            incident, item = self._chance.randrange(incidents), self._chance.randrange(items)
            yield observation(incident, item, times + 2, self._now())

    def _now(self) -> float:
        self._number += 1
        return round(START + LATER_S + STEP_S * self._number, 3)
