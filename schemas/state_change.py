"""`state-changes`: a transition of the lifecycle, with the figures that met the rule."""

from __future__ import annotations

from msgspec import Struct, field

from schemas.times import Moment
from schemas.words import State


class StateChange(Struct, frozen=True, gc=False):
    """A transition between display states; keyed by `incident_id`.

    `reason` says in words which rule was met; `evidence` holds the figures that met it. `noise` is 0 to 100
    at `at`. `from` is null when the incident was first detected.
    """

    incident_id: str
    revision: int
    at: Moment
    previous: State | None = field(name="from")
    to: State
    reason: str
    evidence: dict[str, float]
    noise: float
