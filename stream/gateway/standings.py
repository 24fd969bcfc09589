"""From what the view holds of an incident to what is answered of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Raw, Struct

from schemas.times import Moment
from scoring.levels import level_of
from scoring.policy import Policy
from scoring.verdict import line
from stream.gateway.bodies import Event, Incident
from stream.view.answers import Change, Standing


class _Peak(Struct, frozen=True, gc=False):
    noise: float
    at: Moment


class _Said(Struct, frozen=True):
    """What the verdict is made of; of events of any version."""

    state: str
    peak: _Peak
    items: int = 0
    platforms: int = 0
    merged_into: str | None = None


class _Titled(Struct, frozen=True, gc=False):
    title: str = ""


_SAID: Final = msgspec.json.Decoder(_Said)
_TITLED: Final = msgspec.json.Decoder(_Titled)


def incident(standing: Standing, policy: Policy) -> Incident:
    """Return the answer of an incident at the moment for which `standing` tells its noise."""
    noise = standing.noise
    return Incident(
        standing.incident_id,
        title_of(standing.incident_id, standing.profile),
        noise,
        level_of(noise, policy),
        verdict(standing.score, noise, policy),
        standing.rank,
        standing.score,
        standing.profile,
    )


def title_of(incident_id: str, profile: Raw | bytes | None) -> str:
    """Return the title that its profile gives an incident; without one, its id."""
    return (_TITLED.decode(profile).title if profile else "") or incident_id


def verdict(score: Raw, noise: float, policy: Policy) -> str:
    """Return the verdict line of a score at `noise`, which has become less since the score was told."""
    said = _SAID.decode(score)
    peak_at: datetime = said.peak.at
    return line(
        policy,
        said.state,
        noise,
        items=said.items,
        platforms=said.platforms,
        peak_noise=said.peak.noise,
        peak_at=peak_at,
        merged_into=said.merged_into,
    )


def merged_into(score: Raw) -> str | None:
    """Return the incident that this one was merged into, if it was."""
    return _SAID.decode(score).merged_into


def events(changes: tuple[Change, ...]) -> tuple[Event, ...]:
    """Return changes as they are answered."""
    return tuple(Event(change.topic, change.id, change.event) for change in changes)
