"""`trend-updates`: where an incident is heading, emitted when the word for it changes."""

from __future__ import annotations

from msgspec import Struct

from schemas.times import Moment
from schemas.words import Trend


class TrendUpdate(Struct, frozen=True):
    """A change of direction; keyed by `incident_id`.

    `rates` are items per hour by horizon (the half-life of the count, as `"6h"`); `multiple` is the fast rate
    in units of the incident's usual one; `spike` (0 to 1) says how sure it is that this is no chance; `slope`
    is noise per hour.
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
