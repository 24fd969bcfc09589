"""The shift: whether the split between critics and defenders has narrowed, held or widened of late."""

from __future__ import annotations

from schemas.times import HOUR_S
from schemas.words import Shift
from scoring.decay import decay
from scoring.incident import Incident
from scoring.policy import Policy


def average_at(incident: Incident, policy: Policy, at: float) -> float:
    """Return the average of polarity (0 to 100) at `at` (epoch seconds), its memory being `polarity.half_life_h`."""
    kept = decay(at - incident.averages_at, policy.polarity.half_life_h * HOUR_S)
    return incident.polarity - (incident.polarity - incident.polarity_average) * kept


def shift(incident: Incident, policy: Policy, at: float) -> Shift:
    """Return how polarity stands at `at` (epoch seconds) against its own average of late.

    A lower polarity is a more one-sided reaction, so there is less of a split: it has narrowed.
    """
    moved = incident.polarity - average_at(incident, policy, at)
    if moved <= -policy.polarity.shift_margin:
        return Shift.NARROWED
    if moved >= policy.polarity.shift_margin:
        return Shift.WIDENED
    return Shift.HELD
