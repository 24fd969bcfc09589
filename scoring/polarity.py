"""The shift: whether the split between critics and defenders has narrowed, held or widened of late.

The split of today is held against its mean since somebody first took a side, in which the past counts less and less
(`polarity.half_life_h`). Nobody shifts a split by speaking first: critics alone, from the first on, leave it as it was.
"""

from __future__ import annotations

from schemas.times import HOUR_S
from schemas.words import Shift
from scoring import factors
from scoring.decay import decay
from scoring.incident import Incident
from scoring.policy import Policy


def settle(incident: Incident, policy: Policy, now: float) -> None:
    """Before anything changes: bring the mean of the split from `averages_at` up to `now` (epoch seconds)."""
    split = factors.split(incident)
    if split is not None:
        incident.split_mean = mean_at(incident, policy, now, split)


def begin(incident: Incident, now: float) -> None:
    """After the evidence has changed: the mean begins with the first side taken, and is lost with the last."""
    split = factors.split(incident)
    if split is None:
        incident.reaction_since, incident.split_mean = 0.0, 0.0
    elif not incident.reaction_since:
        incident.reaction_since, incident.split_mean = now, split


def mean_at(incident: Incident, policy: Policy, at: float, split: float) -> float:
    """Return the mean of the split (0 to 100) at `at`, `split` having held since `averages_at` (epoch seconds).

    An exponentially weighted mean over the time since the first reaction alone: the weights add up to `1 - 2 ** -(age /
    half_life)`, by which it is divided, so that a young incident is held against its own short past.
    """
    half_life_s, since = policy.polarity.half_life_h * HOUR_S, incident.reaction_since
    kept = decay(at - incident.averages_at, half_life_s)
    had = kept * (1.0 - decay(incident.averages_at - since, half_life_s))
    came = 1.0 - kept
    return (had * incident.split_mean + came * split) / (had + came) if had + came else split


def moved(incident: Incident, policy: Policy, at: float) -> float:
    """Return by how many points polarity is above what it would be if the split were as in the mean, at `at`.

    That is the distance of the split, shrunk by the prior as polarity itself is: few voices shift little.
    """
    split = factors.split(incident)
    if split is None:
        return 0.0
    mass = factors.stance_mass(incident)
    return mass / (policy.polarity.prior_mass + mass) * (split - mean_at(incident, policy, at, split))


def shift(incident: Incident, policy: Policy, at: float) -> Shift:
    """Return how the split stands at `at` (epoch seconds) against its mean.

    A lower polarity is a more one-sided reaction, so there is less of a split: it has narrowed.
    """
    points = moved(incident, policy, at)
    if points <= -policy.polarity.shift_margin:
        return Shift.NARROWED
    if points >= policy.polarity.shift_margin:
        return Shift.WIDENED
    return Shift.HELD
