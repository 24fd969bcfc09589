"""Lead time: how long before mainstream media an incident was seen."""

from __future__ import annotations

from typing import Final

from schemas.times import DAY_S, HOUR_S
from scoring.incident import Incident

MINUTE_S: Final = 60.0


def lead_time_s(incident: Incident) -> float | None:
    """Return seconds from the first coverage to the first in mainstream media; None as long as those have none.

    0 says that they were first. Both times are those of standing items, so a retraction can change them.
    """
    if not incident.mainstream_first:
        return None
    return round(incident.mainstream_first - incident.first_seen, 3)


def told(lead_s: float | None) -> str:
    """Return the lead in words, rounded down: no more is claimed than is true, in hours up to two days as on the pages.

    >>> told(2.9 * 86400.0), told(1.9 * 86400.0)
    ('seen 2 days before mainstream media', 'seen 45 h before mainstream media')
    >>> told(0.0), told(None)
    ('mainstream media had it first', 'mainstream media do not have it yet')
    """
    if lead_s is None:
        return "mainstream media do not have it yet"
    if lead_s == 0.0:
        return "mainstream media had it first"
    for least, unit, name in ((2 * DAY_S, DAY_S, "days"), (HOUR_S, HOUR_S, "h"), (MINUTE_S, MINUTE_S, "min")):
        if lead_s >= least:
            return f"seen {lead_s // unit:.0f} {name} before mainstream media"
    return "seen at the same time as in mainstream media"
