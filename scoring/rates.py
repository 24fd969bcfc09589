"""Item rates at several horizons: forward-decayed counts, O(1) in memory, mergeable, subtractable, order-free."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from schemas.times import HOUR_S
from scoring.incident import Incident


def add_item(incident: Incident, at: float, horizons_h: Sequence[float]) -> None:
    """Count an item dated `at` (epoch seconds); one that comes late counts as if it had come in time."""
    counts, elapsed = incident.counts, at - incident.rates_at
    if elapsed > 0.0:
        for i, horizon_h in enumerate(horizons_h):
            counts[i] = counts[i] * math.pow(2.0, -(elapsed / (horizon_h * HOUR_S))) + 1.0
        incident.rates_at = at
    else:
        for i, horizon_h in enumerate(horizons_h):
            counts[i] += math.pow(2.0, elapsed / (horizon_h * HOUR_S))


def remove_item(incident: Incident, at: float, horizons_h: Sequence[float]) -> None:
    """Take an item dated `at` out again; what rounding leaves below nothing is nothing."""
    counts, elapsed = incident.counts, at - incident.rates_at
    for i, horizon_h in enumerate(horizons_h):
        left = counts[i] - math.pow(2.0, elapsed / (horizon_h * HOUR_S))
        counts[i] = left if left > 1e-12 else 0.0


def recount_items(incident: Incident, dates: Iterable[float], horizons_h: Sequence[float]) -> None:
    """Count again the items of these dates (epoch seconds, in order), as of the last of them.

    Where the last coverage is taken away, the counts would else be as of a time of which nothing is left.
    """
    incident.rates_at, incident.counts = 0.0, [0.0] * len(horizons_h)
    for at in dates:
        add_item(incident, at, horizons_h)
