"""What alerts are made of: events of the score topics as they are read, and what is known of each incident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from schemas.codec import decode_profile
from schemas.errors import RecordError
from schemas.incident_profile import IncidentProfile
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import Moment, to_epoch
from schemas.topics import INCIDENT_PROFILES, NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from schemas.trend_update import TrendUpdate
from schemas.words import State
from scoring.decay import decay, falls_below

TOPICS: Final = (INCIDENT_PROFILES, NOISE_SCORES, STATE_CHANGES, TREND_UPDATES, PEAK_CROSSINGS)
"""The topics that are followed; what the first two say is known before an event of the others is judged."""

LONGEST_TITLE: Final = 300
"""Characters kept of an incident's title: a line of any channel."""


class Score(Struct, frozen=True):
    """Of a score, what alerts need; all other fields are skipped unread."""

    incident_id: str
    revision: int
    as_of: Moment
    composite: float
    anchor: Moment
    half_life: float
    state: State
    category: str
    merged_into: str | None = None


Trigger = StateChange | TrendUpdate | PeakCrossing
"""An event that a rule may tell of."""


class Heard(Struct, frozen=True):
    """An event with its topic (logical), its CloudEvents id and the incident it is about."""

    topic: str
    id: str
    incident_id: str
    event: Trigger | Score | IncidentProfile


class Known(Struct):
    """What is known of an incident: its latest curve, state and category, and what its profile says.

    `scored` is the revision of the latest score, `revision` that of the latest word on its state. Before the first
    score the curve is flat at 0.
    """

    revision: int = 0
    scored: int = -1
    state: State | None = None
    category: str = ""
    title: str = ""
    figures: tuple[str, ...] = ()
    composite: float = 0.0
    anchor: float = 0.0
    half_life: float = 1.0
    gone: bool = False

    def noise_at(self, at: float) -> float:
        """Return the noise (0 to 100) at `at` (epoch seconds) by the latest curve."""
        return self.composite * decay(at - self.anchor, self.half_life)

    def falls_below(self, noise: float) -> float:
        """Return when the noise falls below `noise` if nothing new comes; ALREADY or NEVER as in `scoring.decay`."""
        return falls_below(self.composite, self.anchor, self.half_life, noise)

    def learn(self, event: Score | IncidentProfile | StateChange) -> bool:
        """Take in what an event says; False where it is older than what is known."""
        if isinstance(event, IncidentProfile):
            self.title = event.title[:LONGEST_TITLE]
            self.figures = tuple(sorted({party.name.casefold() for party in event.parties}))
            if self.scored < 0:  # afterwards the score says it, as the workers took it
                self.category = event.category.value
            return True
        if isinstance(event, StateChange):
            if event.revision < self.revision:
                return False
            self.revision, self.state = event.revision, event.to
            return True
        if event.revision <= self.scored:
            return False
        self.scored, self.category = event.revision, event.category
        self.composite, self.anchor, self.half_life = event.composite, to_epoch(event.anchor), event.half_life
        self.gone = event.merged_into is not None
        if event.revision >= self.revision:
            self.revision, self.state = event.revision, event.state
        return True


class Record(Protocol):
    """A record as aiokafka gives it."""

    partition: int
    offset: int
    value: bytes | None
    headers: Iterable[tuple[str, bytes]]


DECODERS: Final[dict[str, msgspec.json.Decoder[Trigger | Score]]] = {
    NOISE_SCORES: msgspec.json.Decoder(Score),
    STATE_CHANGES: msgspec.json.Decoder(StateChange),
    TREND_UPDATES: msgspec.json.Decoder(TrendUpdate),
    PEAK_CROSSINGS: msgspec.json.Decoder(PeakCrossing),
}


def read(topic: str, record: Record) -> Heard | None:
    """Return the event of a record of a topic (logical); None where it cannot be read, or is a tombstone."""
    if not record.value:
        return None
    try:
        if topic == INCIDENT_PROFILES:
            event: Trigger | Score | IncidentProfile = decode_profile(record.value)
        else:
            event = DECODERS[topic].decode(record.value)
    except (RecordError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    said = next((value.decode() for name, value in record.headers if name == "ce_id"), "")
    return Heard(topic, said or f"{topic}/{record.partition}/{record.offset}", event.incident_id, event)


def at_of(event: Trigger | Score | IncidentProfile) -> float | None:
    """Return the event time (epoch seconds); a profile has none."""
    if isinstance(event, IncidentProfile):
        return None
    return to_epoch(event.as_of if isinstance(event, Score) else event.at)


def noise_of(event: Trigger, known: Known) -> float:
    """Return the noise (0 to 100) at the event: as it says itself, else by the latest curve."""
    return known.noise_at(to_epoch(event.at)) if isinstance(event, TrendUpdate) else event.noise
