"""What is read in a benchmark: a recording, and a seeded synthetic load with Zipf popularity. Same seed, same bytes.

The synthetic load is shaped like the recordings: events of about 390 bytes, one in five a new item, the others further
observations of an item whose counts have grown. So every event changes its incident.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from schemas.times import format_time

RECORDING: Final = Path(__file__).parents[3] / "shared" / "data" / "frontpage-2021" / "items.jsonl.gz"

SEED: Final = 2021
INCIDENTS: Final = 100_000
EXPONENT: Final = 1.0
"""Popularity of the r-th incident is r ** -EXPONENT. 1 is the classical value; attention to stories is near it."""

NEW_SHARE: Final = 0.2
"""Share of events that are new items: 8 % in frontpage-2021, 17 % in tech-2021, 31 % in world-2016."""

STEP_S: Final = 0.01
"""Story time between two events: 100 a second, 8.6 million a day. Times are unique, so a score tells which it holds."""

START: Final = 1_609_459_200.0
"""2021-01-01, when the story begins (epoch seconds)."""

AGE_S: Final = 60.0
"""How long after it was published an item is first observed."""

LATEST_ITEMS: Final = 8
"""An item is observed again while it is among so many latest of its incident."""

_PLATFORMS: Final = ("hackernews", "reddit", "lobsters")
_WORDS: Final = (
    "answer", "breach", "outage", "lawsuit", "merger", "patent", "privacy", "recall", "release", "review", "strike",
    "study", "tariff", "update", "verdict", "walkout",
)  # fmt: skip


class Record(NamedTuple):
    """A source item as it is produced: its incident as key, and its JSON."""

    key: bytes
    value: bytes


class Load(NamedTuple):
    """A load: its name in topics and tables, what it is, and its records (the same each time)."""

    name: str
    title: str
    records: Callable[[], Iterator[Record]]


def zipf_load(events: int, incidents: int = INCIDENTS, exponent: float = EXPONENT, seed: int = SEED) -> Load:
    """Return the synthetic load of `events` observations."""
    title = f"synthetic: {events:,} events, {incidents:,} incidents, Zipf exponent {exponent:g}, seed {seed}"
    return Load("zipf", title, lambda: islice(zipf_records(incidents, exponent, seed), events))


def recording_load(events: int | None = None, path: Path = RECORDING) -> Load:
    """Return the load of frontpage-2021, cut after `events` if given. Raises FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"the recording {path} is not there")
    title = "frontpage-2021: " + ("all of it" if events is None else f"its first {events:,} events")
    return Load("frontpage", title, lambda: islice(recorded(path), events))


def recorded(path: Path) -> Iterator[Record]:
    """Yield the records of a recording, in order."""
    with gzip.open(path) as lines:
        for line in lines:
            value = line.strip()
            yield Record(json.loads(value)["incident_id"].encode(), value)


def zipf_records(incidents: int, exponent: float, seed: int) -> Iterator[Record]:
    """Yield observations without end; the popularity of the r-th incident is r ** -exponent.

    >>> records = zipf_records(10, 1.0, seed=1)
    >>> next(records).key
    b'the-outage-000008'
    """
    chance, drawn = Random(seed), Random(seed + 1)
    heap = list(accumulate(rank**-exponent for rank in range(1, incidents + 1)))
    ranks = range(incidents)
    stories: dict[int, _Story] = {}
    at = START
    while True:
        for rank in drawn.choices(ranks, cum_weights=heap, k=1000):
            story = stories.get(rank)
            if story is None:
                story = stories[rank] = _Story(rank, chance)
            at = round(at + STEP_S, 3)
            yield Record(story.key, story.observe(at, chance))


class _Story:
    """One incident of the synthetic load and the items of it that are still observed."""

    __slots__ = ("_items", "_made", "_word", "key", "name")

    def __init__(self, rank: int, chance: Random) -> None:
        self._word = _WORDS[int(chance.random() * len(_WORDS))]
        self.name = f"the-{self._word}-{rank:06x}"
        self.key = self.name.encode()
        self._items: list[_Item] = []
        self._made = 0

    def observe(self, at: float, chance: Random) -> bytes:
        """Return the JSON of an observation at `at`: of a new item, or of one whose counts have grown."""
        if not self._items or chance.random() < NEW_SHARE:
            self._made += 1
            item = _Item(self.name, self._made, self._word, at, chance)
            self._items.append(item)
            del self._items[:-LATEST_ITEMS]
        else:
            item = self._items[int(chance.random() * len(self._items))]
        item.likes += 1 + int(chance.random() * 40.0)
        item.comments += int(chance.random() * 12.0)
        return (
            f'{item.head},"observed_at":"{format_time(at)}","engagement":{{"likes":{item.likes},'
            f'"comments":{item.comments},"shares":0}}{item.tail}'
        ).encode()


class _Item:
    """One item: what never changes of its JSON, and the counts that grow."""

    __slots__ = ("comments", "head", "likes", "tail")

    def __init__(self, story: str, number: int, word: str, at: float, chance: Random) -> None:
        platform = _PLATFORMS[int(chance.random() ** 2 * len(_PLATFORMS))]
        site, author = int(chance.random() * 4096), int(chance.random() * 65536)
        published = format_time(at - AGE_S)
        self.likes = self.comments = 0
        self.head = (
            f'{{"item_id":"{platform}:{story[-6:]}{number:05d}","incident_id":"{story}","platform":"{platform}",'
            f'"published_at":"{published}"'
        )
        self.tail = (
            f',"author":"user{author:05d}","url":"https://www.site-{site:04d}.example.com/2021/01/01/{word}/{story}'
            f'-{number:05d}/","title":"What the {word} means, and what people say about it"}}'
        )
