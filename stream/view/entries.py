"""What a record says to the view: the arguments that `apply.lua` takes for it.

Only the fields that the view decides by are read; all others, also those of a later version, pass with the event's
bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct, field

from agents import batch
from schemas.codec import decode_profile
from schemas.errors import RecordError
from schemas.times import Moment, from_epoch, to_epoch
from schemas.topics import (
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from schemas.words import PeakKind
from stream.view.curve import board_key

TOPICS: Final = (
    INCIDENT_PROFILES,
    NOISE_SCORES,
    STATE_CHANGES,
    TREND_UPDATES,
    PEAK_CROSSINGS,
    INCIDENT_MERGES,
    NOISE_INDEX,
)
"""The topics that the view is made of, by their logical names."""

MS_PER_S: Final = 1000


class Record(batch.Record, Protocol):
    """A record as aiokafka gives it, with its headers."""

    @property
    def headers(self) -> Iterable[tuple[str, bytes]]:
        """CloudEvents attributes, `ce_id` among them."""


class Point(Struct, frozen=True, array_like=True, gc=False):
    """One point of a history: noise and polarity (0 to 100) at `at`, and the curve on which the noise went on.

    Times are epoch seconds, `half_life` is in seconds. The revision stands first: `apply.lua` reads it.
    """

    revision: int
    at: float
    noise: float
    polarity: float
    composite: float
    anchor: float
    half_life: float


class IndexPoint(Struct, frozen=True, array_like=True, gc=False):
    """One point of the index's history, at `at_ms` (epoch ms). The time stands first: `apply.lua` reads it."""

    at_ms: int
    value: float
    average: float
    relative: float | None


class Entry(Struct, frozen=True):
    """A record's arguments, and the event time it tells (epoch ms; None of a profile, which has none)."""

    arguments: list[Any]
    at_ms: int | None

    @property
    def offset(self) -> int:
        """The record's place in its partition."""
        return int(self.arguments[1])


class _Polarity(Struct, frozen=True, gc=False):
    value: float


class _Peak(Struct, frozen=True, gc=False):
    noise: float
    at: Moment


class _Score(Struct, frozen=True):
    incident_id: str
    revision: int
    as_of: Moment
    noise: float
    composite: float
    anchor: Moment
    half_life: float
    polarity: _Polarity
    category: str
    state: str
    trend: str
    last_seen: Moment
    peak: _Peak


class _Change(Struct, frozen=True):
    incident_id: str
    revision: int
    at: Moment
    kind: str = ""


class _Merge(Struct, frozen=True):
    source: str = field(name="from")
    revision: int
    at: Moment


class _Index(Struct, frozen=True):
    category: str
    at: Moment
    value: float
    average: float = 0.0
    relative: float | None = None


_SCORE: Final = msgspec.json.Decoder(_Score)
_CHANGE: Final = msgspec.json.Decoder(_Change)
_MERGE: Final = msgspec.json.Decoder(_Merge)
_INDEX: Final = msgspec.json.Decoder(_Index)


class Reading(Struct, frozen=True):
    """How records are read: the half-life (s) that orders the boards, the length of a cell of a history (s), and the
    most bytes that a profile may have, which is what the workers accept.
    """

    half_life_s: float
    history_step_s: int
    record_bytes: int

    def entry(self, topic: str, record: Record) -> Entry | None:
        """Return what `record` of the logical `topic` says, or None where it cannot be read.

        A profile that the workers refuse (see dead-letters) is not read here either.
        """
        value = record.value
        if not value:
            return None
        try:
            if topic == NOISE_SCORES:
                return self._score(record, value)
            if topic == INCIDENT_PROFILES:
                return self._profile(record, value)
            if topic == NOISE_INDEX:
                return self._index(record, value)
            change = _change(topic, value)
            at = to_epoch(change.at)
            told = topic == STATE_CHANGES or change.kind == PeakKind.PEAKED
            more: list[Any] = [change.revision, month_of(at) if told else ""]
            return _entry("change", record, change.incident_id, at, value, more)
        except (msgspec.MsgspecError, UnicodeError, RecordError, RecursionError):
            return None

    def _score(self, record: Record, value: bytes) -> Entry:
        score = _SCORE.decode(value)
        at, anchor = to_epoch(score.as_of), to_epoch(score.anchor)
        key = board_key(score.composite, anchor, score.half_life, self.half_life_s, at)
        point = Point(
            score.revision, at, score.noise, score.polarity.value, score.composite, anchor, score.half_life
        )
        boards = [score.category, state_board(score.state), trend_board(score.trend)]
        # A score tells of two moments: its own, and that of the incident's peak.
        moments = ((at, score.noise), (to_epoch(score.peak.at), score.peak.noise))
        months = [(month_of(moment), noise) for moment, noise in moments if noise > 0.0]
        more = [
            score.revision,
            int(at // self.history_step_s),
            msgspec.json.encode(point),
            "" if key is None else repr(key),
            repr(to_epoch(score.last_seen)),
            len(boards),
            *boards,
            len(months),
        ]
        for month, noise in months:
            more += [month, repr(noise)]
        return _entry("score", record, score.incident_id, at, value, more)

    def _index(self, record: Record, value: bytes) -> Entry:
        index = _INDEX.decode(value)
        at = to_epoch(index.at)
        point = IndexPoint(round(at * MS_PER_S), index.value, index.average, index.relative)
        more = [int(at // self.history_step_s), msgspec.json.encode(point)]
        return _entry("index", record, index.category, at, value, more)

    def _profile(self, record: Record, value: bytes) -> Entry | None:
        if len(value) > self.record_bytes:
            return None
        profile = decode_profile(value)
        if record.key != profile.incident_id.encode():
            return None
        parties = {fold(party.name): msgspec.json.encode(party) for party in profile.parties}
        more: list[Any] = [len(parties)]
        for folded, party in parties.items():
            more += [folded, party]
        entry = _entry("profile", record, profile.incident_id, record.timestamp / MS_PER_S, value, more)
        return Entry(entry.arguments, None)


def month_of(at: float) -> str:
    """Return the month (UTC) of a time (epoch seconds), by which recaps are asked for.

    >>> month_of(1639098300.0)
    '2021-12'
    """
    return f"{from_epoch(at):%Y-%m}"


def state_board(state: str) -> str:
    """Return the name of the board of the incidents in a state."""
    return f"state:{state}"


def trend_board(trend: str) -> str:
    """Return the name of the board of the incidents of a trend."""
    return f"trend:{trend}"


def _change(topic: str, value: bytes) -> _Change:
    """What happened to an incident; a merge happens to the one that was merged, and names it otherwise."""
    if topic != INCIDENT_MERGES:
        return _CHANGE.decode(value)
    merge = _MERGE.decode(value)
    return _Change(merge.source, merge.revision, merge.at)


def fold(name: str) -> str:
    """Return the name under which a figure is found, however it is written.

    >>> fold("Grace  Hopper\\n") == fold("grace hopper")
    True
    """
    return " ".join(name.casefold().split())


def _entry(kind: str, record: Record, key: str, at: float, value: bytes, more: list[Any]) -> Entry:
    at_ms = round(at * MS_PER_S)
    ident = next((text for name, text in record.headers if name == "ce_id"), b"")
    # A record that says no id of its own (an editor's profile) is told apart by its place.
    shown = ident or f"{key}/{kind}/{record.offset}".encode()
    return Entry([kind, record.offset, shown, key, at_ms, value, len(more), *more], at_ms)
