"""The index and its long average from every score ever told: slow, and sharing no code with scoring/.

Each incident's noise is piecewise exponential, from score to score; its mean with time constant tau is the integral
of noise(s) * exp(-(t - s) / tau) / tau, piece by piece in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from schemas.noise_score import NoiseScore

OVERALL = "overall"


class Piece(NamedTuple):
    """What a score says, from `begins` on: `composite`, halving in each half-life since `anchor` (epoch seconds)."""

    begins: float
    composite: float
    anchor: float
    half_life_s: float

    def noise_at(self, at: float) -> float:
        return self.composite * 0.5 ** (max(0.0, at - self.anchor) / self.half_life_s)


class Told(NamedTuple):
    """The index at a time: its value, and its average over the time `since` anything was told (None: nothing was)."""

    value: float
    average: float
    since: float | None


def pieces_of(scores: Iterable[NoiseScore]) -> dict[str, list[Piece]]:
    """What each incident's scores say, in their order."""
    found: dict[str, list[Piece]] = {}
    for score in scores:
        said = Piece(score.as_of.timestamp(), score.composite, score.anchor.timestamp(), score.half_life)
        found.setdefault(score.incident_id, []).append(said)
    return found


def told(scores: list[NoiseScore], average_d: float, at: float, category: str = OVERALL) -> Told:
    """The index of the incidents that are in `category` by their last score, at a time after all of them."""
    tau = average_d / 2.0 * 86400.0
    pieces = pieces_of(scores)
    since = min((each[0].begins for each in pieces.values()), default=None)
    category_of = {score.incident_id: score.category.value for score in scores}
    chosen = [each for name, each in pieces.items() if category in (OVERALL, category_of[name])]
    value = math.fsum(each[-1].noise_at(at) for each in chosen)
    weighed = math.fsum(mean(each, tau, at) for each in chosen)
    if since is None or at <= since:
        return Told(value, value, since)
    return Told(value, weighed / (1.0 - math.exp(-(at - since) / tau)), since)


def mean(pieces: list[Piece], tau: float, at: float) -> float:
    """The mean of an incident's noise at `at`, silence before its first score."""
    ends = [*(each.begins for each in pieces), at]
    return math.fsum(
        integral(piece, tau, begin, end, at)
        for piece, (begin, end) in zip(pieces, pairwise(ends), strict=True)
    )


def integral(piece: Piece, tau: float, begin: float, end: float, at: float) -> float:
    """What the noise between two times is to the mean at `at`: flat up to the anchor, decaying after it."""
    middle = min(max(begin, piece.anchor), end)
    flat = piece.composite * (math.exp(-(at - middle) / tau) - math.exp(-(at - begin) / tau))
    a, b = math.log(2.0) / piece.half_life_s, 1.0 / tau

    def antiderivative(s: float) -> float:
        return piece.noise_at(s) * math.exp(-b * (at - s)) * b / (b - a)

    return flat + (antiderivative(end) - antiderivative(middle) if end > middle else 0.0)
