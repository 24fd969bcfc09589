"""`noise-index`: the noise of all incidents together, overall and per category; and the shares it sums."""

from __future__ import annotations

from msgspec import Struct

from schemas.times import Moment


class Mover(Struct, frozen=True, gc=False):
    """An incident that moved the index of late, and by how many points of noise."""

    incident_id: str
    points: float


class NoiseIndex(Struct, frozen=True):
    """The index at `at`; keyed by `category` (`overall`, or one of the categories).

    `value` is the sum of the noise of all incidents; at any later time t it is
    `value * 2 ** -((t - at) / half_life)` until the next event (`half_life` in seconds).
    """

    category: str
    at: Moment
    value: float
    half_life: float
    incidents: int
    movers: tuple[Mover, ...]


class IndexShare(Struct, frozen=True):
    """What one partition adds to one category of the index; keyed by `partition/category`. Internal."""

    partition: int
    category: str
    at: Moment
    value: float
    incidents: int
    movers: tuple[Mover, ...]
