"""The shift: whether the split between critics and defenders has narrowed, held or widened of late."""

from __future__ import annotations

from schemas.times import HOUR_S
from schemas.words import Shift
from scoring.decay import decay
from scoring.incident import Incident
from scoring.policy import Policy


def shift(incident: Incident, policy: Policy) -> Shift:
    """Return how polarity stands, as of the latest revision, against its own average (`polarity.half_life_h`).

    A lower polarity is a more one-sided reaction: the split has narrowed.
    """
    kept = decay(incident.as_of - incident.averages_at, policy.polarity.half_life_h * HOUR_S)
    moved = (incident.polarity - incident.polarity_average) * kept
    if moved <= -policy.polarity.shift_margin:
        return Shift.NARROWED
    if moved >= policy.polarity.shift_margin:
        return Shift.WIDENED
    return Shift.HELD
