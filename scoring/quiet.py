"""Quiet growth: when an observation can bring nothing but more noise, so that nothing has to be assessed.

Most observations see an item again that has grown. If the noise then stays between the same two thresholds, no rate has
fallen through one meanwhile, and the noise lies on the same side of its own mean, then no peak, level, word of trend,
activity or state can change: each of them depends on just these comparisons. And what the incident will do by itself
comes no sooner than it would have: more noise only keeps it up for longer. `Calm` holds the comparisons as they were
when the incident was assessed last.
"""

from __future__ import annotations

import math
from typing import Final

from mypy_extensions import mypyc_attr

from scoring import peaks
from scoring.assessment import Ahead
from scoring.curve import slope_turns
from scoring.decay import ALREADY, NEVER, sooner
from scoring.derived import RANKS, STEADY
from scoring.incident import Incident
from scoring.policy import Policy


@mypyc_attr(acyclic=True)
class Calm:
    """The comparisons that stand of an incident. Until `until` (epoch seconds) none of them changes but by the noise.

    They stand while the noise is at least `low` and below `high` (0 to 100). `leans` says whether the trend's word
    hangs on the slope: 1, whether the noise is above its mean; -1, whether it is below; 0, it does not. `leaning` is
    whether it was.
    """

    __slots__ = ("high", "leaning", "leans", "low", "until")

    def __init__(self, until: float, low: float, high: float, leans: int, *, leaning: bool) -> None:
        self.until, self.low, self.high, self.leans, self.leaning = until, low, high, leans, leaning


NEVER_CALM: Final = Calm(ALREADY, 0.0, 0.0, 0, leaning=False)
"""Where more noise can bring something sooner: a peak waits for its pause to end, or a rule for its hold."""


def calm(incident: Incident, policy: Policy, ahead: Ahead) -> Calm:
    """Return the comparisons that stand of an incident as of its latest revision; `ahead` is what lies ahead of it."""
    at, seen = incident.as_of, ahead.outlook
    noise = incident.noise_at(at, policy.curve.half_life_s)
    least = peaks.to_announce(incident, policy)
    told_at = peaks.announced_at(incident, policy) if noise >= least else at
    bounds = _bounds(incident, policy, ahead, noise, least)
    if told_at == NEVER or bounds is None:
        return NEVER_CALM
    low, high = bounds
    until = sooner(told_at, seen.rates_give_way(at), at)
    for span in ahead.spans.by_rates:
        until = sooner(span.begins, sooner(span.ends, until, at), at)
    rank = seen.rank(at)
    if rank > STEADY and at < seen.rise_ends:
        return Calm(until, low, high, 1, leaning=at < seen.grows_until)
    if rank < STEADY and at < seen.fall_ends:
        return Calm(until, low, high, -1, leaning=seen.falls_from <= at)
    return Calm(until, low, high, 0, leaning=False)


def _bounds(
    incident: Incident, policy: Policy, ahead: Ahead, noise: float, least: float
) -> tuple[float, float] | None:
    """The thresholds that the noise lies between, `least` being that of a new peak; None where no calm can be."""
    edges = policy.level_edges
    low, high = 0.0, edges[incident.level + 1] if incident.level + 1 < len(edges) else math.inf
    if noise < least:
        high = min(high, least)
    else:
        low = least
    for span in ahead.spans.all:
        watch = span.watch
        noted = watch.number in incident.holds_since
        if span.holds(incident.as_of) is not noted and (noted or watch.begins_by_itself):
            return None  # what began to hold, or broke off, before the last deadline is still to be noted
        for at_least, than in watch.noise:
            if noise < than:
                high = min(high, than)
            elif at_least:
                return None  # more noise may hold out until the rule is met
            else:
                low = max(low, than)
    return low, high


def stays(incident: Incident, policy: Policy, stood: Calm, noise: float, now: float) -> bool:
    """Say whether an incident that has grown to `noise` at `now` stands as it stood: it is to have stood so until then.

    The row holds the growth already, and its averages are settled up to `now`.
    """
    if noise >= stood.high:
        return False
    if not stood.leans:
        return True
    grows, falls = policy.derived.slope_shares[RANKS[incident.trend]]
    share = grows if stood.leans > 0 else falls
    if incident.last_seen > now:
        turns, _ = slope_turns(incident, policy, share, share)
        under = turns <= now
    else:
        under = incident.noise_average >= share * noise  # settled up to now: what `slope_turns` compares
    return under is not stood.leaning if stood.leans > 0 else under is stood.leaning
