"""Which live events a listener wants, and what is known of an event to decide it.

What takes an incident out of what is asked for is wanted too: whoever is not told would show it for ever. So an event
is held against what its incident was before and is after it; where the former is not known, it counts as wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Struct, field

from schemas.times import Moment, to_epoch
from schemas.topics import INCIDENT_MERGES, INCIDENT_PROFILES, NOISE_INDEX, NOISE_SCORES, STATE_CHANGES
from stream.view.answers import LiveEvent
from stream.view.curve import noise_at

Form = Literal["full", "brief"]
ANY_NOISE: Final = math.inf
MOST_LABELS: Final = 200_000
"""Incidents whose labels are remembered: some hundred bytes each. The longest unheard of are forgotten first."""


class Filter(Struct, frozen=True):
    """What a listener wants; an empty tuple takes any. Equal ones are answered with the same bytes."""

    incidents: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    minimum: float = 0.0
    form: Form = "full"

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.incidents or self.categories or self.topics or self.states or self.minimum)


class Heard(Struct, frozen=True, gc=False):
    """What an event says to filters: whom it is about; of both sides of it, categories, states and the greater noise.

    Empty categories or states are unknown.
    """

    topic: str
    incidents: tuple[str, ...]
    categories: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    noise: float = ANY_NOISE


class Label(Struct, frozen=True, gc=False):
    """What the latest score heard says of an incident."""

    category: str
    state: str
    composite: float
    anchor: Moment
    half_life: float
    revision: int = 0
    noise: float = 0.0

    def noise_at(self, at: float) -> float:
        """Its noise (0 to 100) at `at` (epoch seconds)."""
        return noise_at(self.composite, to_epoch(self.anchor), self.half_life, at)


class _Merge(Struct, frozen=True, gc=False):
    into: str


class _StateChange(Struct, frozen=True, gc=False):
    to: str
    noise: float
    previous: str | None = field(name="from", default=None)


LABEL: Final = msgspec.json.Decoder(Label)
_MERGE: Final = msgspec.json.Decoder(_Merge)
_STATE_CHANGE: Final = msgspec.json.Decoder(_StateChange)


def wanted(heard: Heard, asked: Filter) -> bool:
    """Whether a listener who asks so is told an event.

    The index is of no incident: filters that speak of incidents leave it out, unless its topic is asked for.
    """
    if asked.topics and heard.topic not in asked.topics:
        return False
    if asked.categories and heard.categories and not _meet(heard.categories, asked.categories):
        return False
    if heard.topic == NOISE_INDEX:
        return NOISE_INDEX in asked.topics or not (asked.incidents or asked.states or asked.minimum)
    return (
        (not asked.incidents or _meet(heard.incidents, asked.incidents))
        and (not asked.states or not heard.states or _meet(heard.states, asked.states))
        and heard.noise >= asked.minimum
    )


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(each in other for each in one)


class Labels:
    """The labels of the incidents heard of, in the order of the live stream."""

    def __init__(self) -> None:
        self._known: dict[str, Label] = {}

    def unknown(self, events: Iterable[LiveEvent]) -> set[str]:
        """Return the incidents of which events tell without saying what they are, and of which nothing is known."""
        return {
            event.key
            for event in events
            if event.topic not in {NOISE_SCORES, NOISE_INDEX} and event.key not in self._known
        }

    def learn(self, incident_id: str, score: bytes) -> None:
        """Take what the view says of an incident of which nothing was known."""
        self._keep(incident_id, LABEL.decode(score))

    def hear(self, event: LiveEvent) -> Heard:
        """Return what an event says to filters, and remember it; of one that cannot be read, whom it is about."""
        try:
            return self._hear(event)
        except msgspec.MsgspecError:
            return Heard(event.topic, (event.key,))

    def _hear(self, event: LiveEvent) -> Heard:
        if event.topic == NOISE_INDEX:
            return Heard(event.topic, (), (event.key,))
        at = event.at_ms / 1000
        if event.topic == NOISE_SCORES:
            return self._hear_score(event, at)
        label = self._known.get(event.key)
        incidents: tuple[str, ...] = (event.key,)
        if event.topic == INCIDENT_MERGES:
            incidents = (event.key, _MERGE.decode(event.event).into)
        if label is None or event.topic == INCIDENT_PROFILES:  # a profile may change what its incident is
            return Heard(event.topic, incidents)
        if event.topic == STATE_CHANGES:
            change = _STATE_CHANGE.decode(event.event)
            states = (change.to,) if change.previous is None else (change.to, change.previous)
            return Heard(event.topic, incidents, (label.category,), states, change.noise)
        return Heard(event.topic, incidents, (label.category,), (label.state,), label.noise_at(at))

    def _hear_score(self, event: LiveEvent, at: float) -> Heard:
        after, before = LABEL.decode(event.event), self._known.get(event.key)
        self._keep(event.key, after)
        if before is not None:
            noise = max(after.noise, before.noise_at(at))
            categories, states = (after.category, before.category), (after.state, before.state)
            return Heard(event.topic, (event.key,), categories, states, noise)
        if after.revision <= 1:
            return Heard(event.topic, (event.key,), (after.category,), (after.state,), after.noise)
        return Heard(event.topic, (event.key,), (after.category,))

    def _keep(self, incident_id: str, label: Label) -> None:
        self._known.pop(incident_id, None)
        self._known[incident_id] = label
        if len(self._known) > MOST_LABELS:
            del self._known[next(iter(self._known))]
