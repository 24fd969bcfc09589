"""Trend: where an incident is heading, from fast against slow item rates and the slope of the noise.

Every edge is crossed at a time known in advance, so the word changes at a deadline and never by polling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from schemas.times import HOUR_S, ceil_ms
from schemas.words import Trend
from scoring.curve import slope_turns
from scoring.decay import ALREADY, NEVER
from scoring.incident import LN2, Incident
from scoring.policy import Policy
from scoring.rates import count_falls_below

WORDS = (Trend.FADING, Trend.COOLING, Trend.STEADY, Trend.RISING, Trend.SURGING)
STEADY = WORDS.index(Trend.STEADY)


class Outlook(NamedTuple):
    """When each thing that holds up the present word will give way, if nothing new comes (epoch seconds).

    `edges` are the times at which the ratio of fast to slow rate falls below each edge, from fading to surging;
    `grows_until` and `falls_from` when the noise is no longer above, and is below, its own mean; `kept_until` when
    the present word has been told for long enough to be taken back.
    """

    edges: tuple[float, float, float, float]
    rise_ends: float
    fall_ends: float
    grows_until: float
    falls_from: float
    present: Trend
    kept_until: float

    def word(self, now: float) -> Trend:
        """Return the word that holds at `now`."""
        word = self._word(now)
        return self.present if now < self.kept_until and self._takes_back(word) else word

    def _word(self, now: float) -> Trend:
        rank = sum(now < edge for edge in self.edges)
        if rank > STEADY and now >= min(self.rise_ends, self.grows_until):
            return Trend.STEADY
        if rank < STEADY and not self.falls_from <= now < self.fall_ends:
            return Trend.STEADY
        return WORDS[rank]

    def _takes_back(self, word: Trend) -> bool:
        """Whether a word goes back on the present one. To rise is news at any time, and so is to fall further."""
        was, now = WORDS.index(self.present), WORDS.index(word)
        return not (now > max(was, STEADY) or now < was < STEADY)

    def changes(self, now: float) -> Iterator[float]:
        """Yield every time after `now` at which the word may change."""
        for at in (
            *self.edges,
            self.rise_ends,
            self.fall_ends,
            self.grows_until,
            self.falls_from,
            self.kept_until,
        ):
            if at > now:
                yield at


def outlook(incident: Incident, policy: Policy) -> Outlook:
    """Return the outlook of the incident's trend as it stands."""
    rule, horizons = policy.trend, policy.rates.horizons_h
    fast, slow = horizons.index(rule.fast_h), horizons.index(rule.slow_h)
    rank = WORDS.index(incident.trend)
    grows = 1.0 if rank > STEADY else 1.0 - rule.rise_share
    falls = 1.0 if rank < STEADY else 1.0 + rule.fall_share
    grows_until, falls_from = slope_turns(incident, policy, (grows, falls))
    return Outlook(
        _edges(incident, policy, fast, slow),
        count_falls_below(incident, fast, rule.fast_h, rule.rise_items),
        NEVER if rank < STEADY else count_falls_below(incident, slow, rule.slow_h, rule.fall_items),
        grows_until,
        falls_from,
        incident.trend,
        round(incident.trend_since + rule.hold_h * HOUR_S, 3),
    )


def turn(incident: Incident, policy: Policy, now: float) -> tuple[Trend | None, Outlook]:
    """Bring the trend up to `now`; return the former word if it has changed, and the outlook from now on."""
    previous, seen = incident.trend, outlook(incident, policy)
    word = seen.word(now)
    if word is previous:
        return None, seen
    incident.trend, incident.trend_since = word, now
    return previous, outlook(incident, policy)


def _edges(incident: Incident, policy: Policy, fast: int, slow: int) -> tuple[float, float, float, float]:
    rule, counts = policy.trend, incident.counts
    if counts[fast] <= 0.0 or counts[slow] <= 0.0:
        return (ALREADY, ALREADY, ALREADY, ALREADY)
    ratio = counts[fast] / rule.fast_h / (counts[slow] / rule.slow_h)
    per_doubling_s = HOUR_S / (1.0 / rule.fast_h - 1.0 / rule.slow_h)
    rank = WORDS.index(incident.trend)
    stay, leave = 1.0 - rule.hysteresis, 1.0 + rule.hysteresis
    edges = (
        rule.fading_ratio * (leave if rank <= 0 else 1.0),
        rule.cooling_ratio * (leave if rank <= 1 else 1.0),
        rule.rising_ratio * (stay if rank >= STEADY + 1 else 1.0),
        rule.surging_ratio * (stay if rank >= STEADY + 2 else 1.0),
    )
    first, second, third, fourth = (
        ceil_ms(incident.rates_at + per_doubling_s * math.log2(ratio / edge)) for edge in edges
    )
    return first, second, third, fourth


def multiple(incident: Incident, policy: Policy, at: float) -> float:
    """Return the fast rate in units of the usual rate; one without history is measured against the floor."""
    rule, horizons = policy.trend, policy.rates.horizons_h
    fast = incident.rate_at(horizons.index(rule.fast_h), rule.fast_h, at)
    usual = incident.rate_at(horizons.index(rule.usual_h), rule.usual_h, at)
    return fast / max(usual, rule.floor_items * LN2 / rule.fast_h)
