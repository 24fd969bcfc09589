"""Trend: where an incident is heading, from fast against slow item rates and the slope of the noise.

Every edge is crossed at a time known in advance, so the word changes at a deadline and never by polling.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S, ceil_ms, whole_ms
from schemas.words import Trend
from scoring.curve import slope_turns
from scoring.decay import ALREADY, LN2, NEVER, doublings, falls_below, sooner
from scoring.derived import RANKS, STEADY, WORDS
from scoring.incident import Incident
from scoring.policy import Policy

_HOLDING_STEADY: Final = Trend.STEADY


@mypyc_attr(acyclic=True)
class Outlook:
    """When each thing that holds up the present word will give way, if nothing new comes (epoch seconds).

    `edges` are the times at which the ratio of fast to slow rate falls below each edge, from fading to surging;
    `grows_until` and `falls_from` when the noise is no longer above, and is below, its own mean; `kept_until` when
    the present word has been told for long enough to be taken back.
    """

    __slots__ = ("edges", "fall_ends", "falls_from", "grows_until", "kept_until", "present", "rise_ends")

    def __init__(
        self,
        edges: tuple[float, float, float, float],
        rise_ends: float,
        fall_ends: float,
        grows_until: float,
        falls_from: float,
        present: Trend,
        kept_until: float,
    ) -> None:
        self.edges = edges
        self.rise_ends = rise_ends
        self.fall_ends = fall_ends
        self.grows_until = grows_until
        self.falls_from = falls_from
        self.present = present
        self.kept_until = kept_until

    def word(self, now: float) -> Trend:
        """Return the word that holds at `now`."""
        word = self._word(now)
        if word is not self.present and now < self.kept_until and self._takes_back(word):
            return self.present
        return word

    def rank(self, now: float) -> int:
        """Return the place of the word that the ratio of the rates alone would give at `now`."""
        first, second, third, fourth = self.edges
        return (now < first) + (now < second) + (now < third) + (now < fourth)

    def _word(self, now: float) -> Trend:
        rank = self.rank(now)
        if rank > STEADY and (now >= self.rise_ends or now >= self.grows_until):
            return _HOLDING_STEADY
        if rank < STEADY and not self.falls_from <= now < self.fall_ends:
            return _HOLDING_STEADY
        return WORDS[rank]

    def _takes_back(self, word: Trend) -> bool:
        """Whether a word goes back on the present one. To rise is news at any time, and so is to fall further."""
        was, now = RANKS[self.present], RANKS[word]
        return not (now > max(was, STEADY) or now < was < STEADY)

    def rates_give_way(self, after: float) -> float:
        """Return when something next gives way after `after` that the noise has no part in, or NEVER."""
        one, two, three, four = self.edges
        first = sooner(one, sooner(two, sooner(three, sooner(four, NEVER, after), after), after), after)
        return sooner(
            self.rise_ends, sooner(self.fall_ends, sooner(self.kept_until, first, after), after), after
        )

    def turns_at(self, after: float) -> float:
        """Return when the word will next be another than the present one, `after` a time (epoch seconds), or NEVER."""
        at = after
        while (at := self._gives_way(at)) < NEVER:
            if self.word(at) is not self.present:
                return at
        return NEVER

    def _gives_way(self, after: float) -> float:
        """When something next gives way after `after`, or NEVER."""
        return sooner(self.grows_until, sooner(self.falls_from, self.rates_give_way(after), after), after)


def outlook(incident: Incident, policy: Policy, by_rates: Outlook | None = None) -> Outlook:
    """Return the outlook of the incident's trend as it stands.

    `by_rates` is one from before, where only the noise has changed since.
    """
    rank = RANKS[incident.trend]
    grows, falls = policy.derived.slope_shares[rank]
    grows_until, falls_from = slope_turns(incident, policy, grows, falls)
    if by_rates is not None:
        return Outlook(
            by_rates.edges,
            by_rates.rise_ends,
            by_rates.fall_ends,
            grows_until,
            falls_from,
            by_rates.present,
            by_rates.kept_until,
        )
    rule, known, counts, at = policy.trend, policy.derived, incident.counts, incident.rates_at
    fast, slow = counts[known.fast], counts[known.slow]
    return Outlook(
        _edges(fast, slow, at, policy, rank),
        falls_below(fast, at, known.horizons_s[known.fast], rule.rise_items),
        NEVER if rank < STEADY else falls_below(slow, at, known.horizons_s[known.slow], rule.fall_items),
        grows_until,
        falls_from,
        incident.trend,
        whole_ms(incident.trend_since + rule.hold_h * HOUR_S),
    )


def turn(
    incident: Incident, policy: Policy, now: float, seen: Outlook | None = None
) -> tuple[Trend | None, Outlook]:
    """Bring the trend up to `now`; return the former word if it has changed, and the outlook from now on.

    `seen` is the outlook as the row stands, where it is known already.
    """
    previous, seen = incident.trend, seen or outlook(incident, policy)
    word = seen.word(now)
    if word is previous:
        return None, seen
    incident.trend, incident.trend_since = word, now
    return previous, outlook(incident, policy)


def _edges(
    fast: float, slow: float, at: float, policy: Policy, rank: int
) -> tuple[float, float, float, float]:
    if fast <= 0.0 or slow <= 0.0:
        return (ALREADY, ALREADY, ALREADY, ALREADY)
    rule, known = policy.trend, policy.derived
    ratio, per_doubling_s = fast / rule.fast_h / (slow / rule.slow_h), known.doubling_s
    first, second, third, fourth = known.edges[rank]
    return (
        ceil_ms(at + per_doubling_s * doublings(ratio / first)),
        ceil_ms(at + per_doubling_s * doublings(ratio / second)),
        ceil_ms(at + per_doubling_s * doublings(ratio / third)),
        ceil_ms(at + per_doubling_s * doublings(ratio / fourth)),
    )


def multiple(incident: Incident, policy: Policy, at: float) -> float:
    """Return the fast rate in units of the usual rate; one without history is measured against the floor."""
    rule, known = policy.trend, policy.derived
    fast = incident.rate_at(known.fast, rule.fast_h, at)
    usual = incident.rate_at(known.usual, rule.usual_h, at)
    return fast / max(usual, rule.floor_items * LN2 / rule.fast_h)
