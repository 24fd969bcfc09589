"""The work that every peer does for an event: decode it, carry the incident's sums on, encode an update.

An incident's state is observations, interactions, a noise that decays by half in six hours, and the time of the last
observation. Decibel does more for an event (see docs/benchmarks.md).
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

HALF_LIFE_S: Final = 6.0 * 3600.0

SESSION_MS: Final = 60_000
"""A group waits so long for a member without a sign of life: longer than one is held while its topic is filled."""

State = tuple[int, int, float, float]
"""Observations, interactions, noise, and when it was observed last (epoch seconds)."""

NEW: Final[State] = (0, 0, 0.0, 0.0)


class Place(NamedTuple):
    """Where a peer works, as the harness says in the environment."""

    bootstrap: str
    group: str
    source: str
    output: str
    changelog: str
    folder: str

    @classmethod
    def given(cls) -> Place:
        """Read it from the environment; KeyError names what is missing."""
        return cls(*(os.environ[f"BENCH_{field.upper()}"] for field in cls._fields))

    def environ(self) -> dict[str, str]:
        """Return the environment that says it."""
        return {f"BENCH_{name.upper()}": value for name, value in self._asdict().items()}


class Engagement(msgspec.Struct, gc=False):
    """Interactions as observed."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    views: int = 0


class Observed(msgspec.Struct, gc=False):
    """What a peer looks at of a source item."""

    incident_id: str
    observed_at: datetime
    engagement: Engagement

    @property
    def interactions(self) -> int:
        """All of them together."""
        seen = self.engagement
        return seen.likes + seen.comments + seen.shares + seen.views


decode: Final = msgspec.json.Decoder(Observed).decode
_encode: Final = msgspec.json.Encoder().encode
row: Final = msgspec.msgpack.Encoder().encode


def heard(state: Any, at: float, interactions: int) -> State:
    """Return the state after an observation at `at` (epoch seconds).

    >>> heard((1, 10, 8.0, 0.0), 6.0 * 3600.0, 5)
    (2, 15, 9.0, 21600.0)
    """
    observations, sum_so_far, noise, last = state
    if at >= last:
        noise = noise * 2.0 ** ((last - at) / HALF_LIFE_S) + interactions
        last = at
    else:
        noise += interactions * 2.0 ** ((at - last) / HALF_LIFE_S)
    return observations + 1, sum_so_far + interactions, noise, last


class Update(msgspec.Struct, gc=False, omit_defaults=True):
    """The update that goes out."""

    incident_id: str
    observations: int
    interactions: int
    noise: float
    at: float
    fill: str = ""


def update(incident_id: str, state: Any, fill: bytes = b"", size: int = 0) -> bytes:
    """Return the update in JSON, with about `size` more bytes in it, made of `fill` (as digits: any bytes will do).

    >>> update("leak", (2, 15, 9.0, 21600.0))
    b'{"incident_id":"leak","observations":2,"interactions":15,"noise":9.0,"at":21600.0}'
    """
    return _encode(Update(incident_id, *state, (fill.hex() * (size // len(fill) + 1))[:size] if size else ""))
