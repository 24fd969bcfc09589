"""What the view answers: events as the bytes they came in, and noise as of the moment of the answer."""

from __future__ import annotations

import base64
import binascii

import msgspec
from msgspec import Raw, Struct

from schemas.errors import RequestError
from schemas.times import Moment, to_epoch
from schemas.words import Side, Tier
from stream.view.curve import noise_at
from stream.view.entries import IndexPoint, Point


class Standing(Struct, frozen=True):
    """How an incident stands at the moment of the answer: its noise (0 to 100) now, and what was last said of it.

    On a board's page, `rank` is its place by noise among all, from 1; None where it has just left.
    """

    incident_id: str
    noise: float
    score: Raw
    profile: Raw | None
    rank: int | None = None


class Board(Struct, frozen=True):
    """A page of the leaderboard at `at` (epoch seconds), loudest first; `cursor` asks for the next, None at the end."""

    at: float
    standings: tuple[Standing, ...]
    cursor: str | None


class Found(Struct, frozen=True):
    """One incident at `at` (epoch seconds); `rank` is its place on the board of all, from 1, None if it has none."""

    at: float
    standing: Standing
    rank: int | None


class Change(Struct, frozen=True):
    """A change of state or trend, or a peak crossing, of an incident."""

    topic: str
    id: str
    event: Raw


class Index(Struct, frozen=True):
    """The index of one category at the moment of the answer, and the event it follows from."""

    category: str
    value: float
    event: Raw


class Part(Struct, frozen=True):
    """The part that a figure has in an incident, and the incident's noise now; None before its first score."""

    incident_id: str
    noise: float | None
    name: str
    side: Side
    tier: Tier
    position: str


class Figure(Struct, frozen=True):
    """A figure, named as in the loudest of the incidents it is a party to, and these, the loudest first."""

    name: str
    parts: tuple[Part, ...]


class LiveEvent(Struct, frozen=True):
    """An entry of the live stream: its place there, then topic, event id, key, event time (epoch ms), event."""

    place: str
    topic: str
    id: str
    key: str
    at_ms: int
    event: Raw


class IndexPast(Struct, frozen=True):
    """The index of a category over time, the earliest first: the last of each cell of `view.history_step_s`."""

    category: str
    points: tuple[IndexPoint, ...]


class Loudest(Struct, frozen=True):
    """An incident of a month: the greatest noise (0 to 100) that was told of it then, and its profile."""

    incident_id: str
    noise: float
    profile: Raw | None


class Recap(Struct, frozen=True):
    """A month (as 2021-12): its loudest incidents, and its state changes and confirmed peaks, the earliest first."""

    month: str
    loudest: tuple[Loudest, ...]
    told: tuple[Change, ...]


class Cursor(Struct, frozen=True, array_like=True):
    """The place after which a page begins: on which board, the key there of the last incident looked at, and its id."""

    key: float
    incident_id: str
    board: str = ""

    def encoded(self) -> str:
        """The cursor as a word that fits into a URL."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()


def decode_cursor(text: str) -> Cursor:
    """Return the cursor that `encoded` gave; RequestError where it is none.

    >>> decode_cursor(Cursor(2905.25, "leak").encoded())
    Cursor(key=2905.25, incident_id='leak', board='')
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=Cursor)
        cursor.incident_id.encode()  # half a character of JSON's escapes is no text
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise RequestError(
            f"cursor: {text[:100]!r} is none that was given; leave it out to begin anew"
        ) from None
    return cursor


class Curve(Struct, frozen=True):
    """The curve that a score tells."""

    composite: float
    anchor: Moment
    half_life: float

    def at(self, now: float) -> float:
        """The noise (0 to 100) at `now` (epoch seconds)."""
        return noise_at(self.composite, to_epoch(self.anchor), self.half_life, now)


class IndexCurve(Struct, frozen=True):
    """The curve that an event of the index tells."""

    value: float
    at: Moment
    half_life: float

    def value_at(self, now: float) -> float:
        """The index at `now` (epoch seconds)."""
        return noise_at(self.value, to_epoch(self.at), self.half_life, now)


class IndexNow(Struct, frozen=True):
    """What an event of the index says of it in proportion to its average."""

    at: Moment
    half_life: float
    relative: float | None = None

    def relative_at(self, now: float) -> float | None:
        """The index at `now` (epoch seconds), by its average as it was told; None while that is not known."""
        if self.relative is None:
            return None
        return noise_at(self.relative, to_epoch(self.at), self.half_life, now)


CURVE = msgspec.json.Decoder(Curve)
INDEX_CURVE = msgspec.json.Decoder(IndexCurve)
POINT = msgspec.json.Decoder(Point)
INDEX_NOW = msgspec.json.Decoder(IndexNow)
INDEX_POINT = msgspec.json.Decoder(IndexPoint)
