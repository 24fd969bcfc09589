"""What the demo tells: observations from the simulator or from a recording, and the pace they come at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from schemas.codec import decode_item, decode_profile, encode
from schemas.errors import DecibelError, RecordError
from schemas.incident_profile import IncidentProfile
from schemas.times import parse_time, to_epoch
from stream.files import FileRecord
from stream.simulator import Simulation

START: Final = parse_time("2026-01-05T00:00:00Z")
"""When the simulated story begins. It is always the same: a seed tells the same story every day."""
MOST_PER_S: Final = 2_000.0
"""Observations sent per second at most, whatever the speed: one worker keeps up with it, and the embedded
broker, which keeps 5 MiB of a partition, drops nothing that is not yet scored."""
LONGEST_PAUSE_S: Final = 2.0
"""Silence in a recording is shortened to this much of the watcher's time."""


class Observation(NamedTuple):
    """A record of source-items: when it was observed (epoch seconds, 0 if it does not say), of what, bytes."""

    at: float
    incident_id: str | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Story:
    """Profiles (as they go on their topic) and observations, in the order in which they come."""

    profiles: tuple[tuple[IncidentProfile, bytes], ...]
    observations: Iterable[Observation]


class _Keyed(Struct, frozen=True, gc=False):
    """What the key needs of a record, whatever else is wrong with it."""

    incident_id: str


def simulated(seed: int, incidents: int) -> Story:
    """Return a made-up story without end; the same seed tells the same."""
    simulation = Simulation(seed, incidents, START)
    profiles = tuple((profile, encode(profile)) for profile in simulation.profiles())
    observations = (
        Observation(to_epoch(item.observed_at or item.published_at), item.incident_id, encode(item))
        for item in simulation.observations()
    )
    return Story(profiles, observations)


def recorded(items: Iterable[FileRecord], profiles: Iterable[FileRecord]) -> Story:
    """Return the story of a recording, in its own order.

    Raises RecordError for a profile that is none, DecibelError where there are no items.

    An item that is none is sent as it stands: the engine is to show what it does with it.
    """
    checked = []
    for record in profiles:
        try:
            checked.append((decode_profile(record.value), record.value))
        except RecordError as error:
            raise error.at(record.place) from None
    rest = iter(items)
    first = next(rest, None)  # a file that is missing or empty is told before anything is started
    if first is None:
        raise DecibelError("the recording has no items")
    return Story(tuple(checked), map(_recorded, chain([first], rest)))


def _recorded(record: FileRecord) -> Observation:
    try:
        item = decode_item(record.value)
    except RecordError:
        return Observation(0.0, _key(record.value), record.value)
    return Observation(to_epoch(item.observed_at or item.published_at), item.incident_id, record.value)


def _key(value: bytes) -> str | None:
    try:
        return msgspec.json.decode(value, type=_Keyed).incident_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class Pace:
    """Gives observations when they are due, `speed` times as fast as they were observed.

    >>> story = [Observation(at, "one", b"") for at in (1000.0, 1060.0, 9000.0)]
    >>> pace = Pace(story, speed=60.0)
    >>> [len(list(pace.due(now_s))) for now_s in (0.0, 0.5, 1.0, 1.5, 3.1)], pace.told
    ([1, 0, 1, 0, 1], True)
    """

    def __init__(self, observations: Iterable[Observation], speed: float) -> None:
        self._observations, self._speed = iter(observations), speed
        self._next = next(self._observations, None)
        self._began_at: float | None = None
        self._room, self._now_s = 1.0, 0.0

    @property
    def told(self) -> bool:
        """Whether the story is at its end."""
        return self._next is None

    def due(self, now_s: float) -> Iterator[Observation]:
        """Yield what is due `now_s` seconds after the beginning and was not given before, in order."""
        self._room = min(MOST_PER_S, self._room + (now_s - self._now_s) * MOST_PER_S)
        self._now_s = now_s
        while self._next is not None and self._room >= 1.0 and self._is_due(self._next, now_s):
            self._room -= 1.0
            yield self._next
            self._next = next(self._observations, None)

    def _is_due(self, observation: Observation, now_s: float) -> bool:
        if not observation.at:
            return True
        if self._began_at is None:
            self._began_at = observation.at - now_s * self._speed
        early_s = (observation.at - self._began_at) / self._speed - now_s
        if early_s > LONGEST_PAUSE_S:
            self._began_at += (early_s - LONGEST_PAUSE_S) * self._speed
        return early_s <= 0.0
