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

    `average` is its exponentially weighted mean over months (`index.average_d` of the policy), over the time `since`
    anything was seen. `relative` is `value / average`; null while the history is short or next to nothing was seen.
    """

    category: str
    at: Moment
    value: float
    half_life: float
    incidents: int
    movers: tuple[Mover, ...]
    average: float = 0.0
    since: Moment | None = None
    relative: float | None = None


class IndexShare(Struct, frozen=True):
    """What one partition adds to one category of the index; keyed by `partition/category`. Internal.

    `average` counts the time before `since`, when the partition saw its first incident, as silence: such averages
    add up, and the sum is corrected for the short history.
    """

    partition: int
    category: str
    at: Moment
    value: float
    incidents: int
    movers: tuple[Mover, ...]
    average: float = 0.0
    since: Moment | None = None
