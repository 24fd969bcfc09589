"""The shift: whether the split between critics and defenders has narrowed, held or widened of late."""

from __future__ import annotations

from schemas.words import Shift
from scoring.incident import Incident
from scoring.policy import Policy


def shift(incident: Incident, policy: Policy) -> Shift:
    """Return how polarity stands against its own average over the last day or so (`polarity.half_life_h`).

    A lower polarity is a more one-sided reaction: the split has narrowed.
    """
    moved = incident.polarity - incident.polarity_average
    if moved <= -policy.polarity.shift_margin:
        return Shift.NARROWED
    if moved >= policy.polarity.shift_margin:
        return Shift.WIDENED
    return Shift.HELD
