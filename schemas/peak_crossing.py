"""`peak-crossings`: a new peak, its confirmation, and the crossing of a noise level."""

from __future__ import annotations

from msgspec import Struct

from schemas.noise_score import Peak
from schemas.times import Moment
from schemas.words import PeakKind


class PeakCrossing(Struct, frozen=True, gc=False):
    """A crossing; keyed by `incident_id`.

    `level` is the noise level entered (`rose_above`), left (`fell_below`) or stood in (peaks). `peak` is
    given with `peaked` alone: that a peak was one is known only after the noise has stayed below it for a
    while.
    """

    incident_id: str
    revision: int
    at: Moment
    kind: PeakKind
    noise: float
    level: str
    peak: Peak | None = None
