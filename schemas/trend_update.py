"""`trend-updates`: where an incident is heading and what its volume does, emitted when the word for either changes."""

from __future__ import annotations

from msgspec import Struct

from schemas.times import Moment
from schemas.words import Activity, Trend


class TrendUpdate(Struct, frozen=True, gc=False):
    """A change of direction or of activity, or of both at once; keyed by `incident_id`.

    `rates` are items per hour by horizon (the half-life of the count, as `"6h"`); `multiple` is the fast rate
    in units of the incident's usual one; `spike` (0 to 1) is how far the volume is above the incident's own usual
    level; `slope` is noise per hour. What has not changed has the same word in `previous` or `previous_activity`.
    """

    incident_id: str
    revision: int
    at: Moment
    trend: Trend
    previous: Trend
    rates: dict[str, float]
    multiple: float
    spike: float
    slope: float
    activity: Activity = Activity.NORMAL
    previous_activity: Activity = Activity.NORMAL
