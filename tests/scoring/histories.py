"""What may happen to one incident, in order: items one by one and in bursts, retractions, profiles, time that passes;
and lifecycles as a desk might declare them, any that the policy's checks let pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from schemas.errors import PolicyError
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.times import to_epoch
from schemas.words import State
from scoring.lifecycle_rules import Condition, Lifecycle, Rule, check_lifecycle
from scoring.policy import Policy
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver
from tests.scoring.strategies import CROWD, PLATFORMS

GAPS_H = (0.0, 0.01, 0.05, 0.3, 1.0, 3.0, 6.0, 13.0, 30.0, 100.0, 400.0)
VALUES = {
    "velocity": (1.0, 7.5, 15.0, 40.0),
    "activity": (0.005, 0.02, 0.08, 1.0),
    "platforms": (1.0, 2.0, 3.0),
    "noise": (5.0, 20.0, 30.0, 45.0, 65.0, 75.0),
}
END_H = 24.0 * 120


class History(list):
    """What happens to one incident; shown in short, since Hypothesis prints what fails."""

    def __repr__(self) -> str:
        return f"[{', '.join(map(_shown, self))}]"


class Advance(NamedTuple):
    """Nothing comes, and the clock is moved to hour `h`."""

    h: float


def _shown(each) -> str:
    if isinstance(each, Advance):
        return f"until {each.h}"
    if isinstance(each, IncidentProfile):
        return f"impact {each.industry_impact}"
    at = (to_epoch(each.observed_at) - hours(0.0)) / 3600.0
    return f"{'no more ' if each.retracted else ''}{each.item_id} {each.platform} {each.engagement.likes} at {at:g}"


@st.composite
def histories(draw, most: int = 20) -> History:
    """Observations, profiles and moves of the clock, in the order of their times."""
    found = History()
    sent: list[SourceItem] = []
    h = 0.0
    for number in range(draw(st.integers(1, most))):
        h = round(h + draw(st.sampled_from(GAPS_H)), 2)
        kind = draw(st.sampled_from(["item", "item", "burst", "burst", "retract", "profile", "advance"]))
        if kind == "profile":
            found.append(profile(impact=draw(st.sampled_from([0.0, 50.0, 100.0]))))
        elif kind == "advance":
            found.append(Advance(h))
        elif kind == "retract" and sent:
            gone = draw(st.sampled_from(sent))
            where = (to_epoch(gone.published_at) - hours(0.0)) / 3600.0
            found.append(item(gone.item_id, h=where, seen=h, platform=gone.platform, retracted=True))
        else:
            platform = draw(st.sampled_from(PLATFORMS[:3]))
            likes = draw(st.sampled_from([0, 300, 10**6, 10**9]))
            figures = draw(st.sampled_from([(), CROWD]))
            for each in range(draw(st.integers(5, 25)) if kind == "burst" else 1):
                h = round(h + 0.02, 2)
                name = f"i{number}.{each}"
                sent.append(item(name, h=h, platform=platform, likes=likes, figures=figures))
                found.append(sent[-1])
    return found


@st.composite
def policies(draw) -> Policy:
    """The shipped policy with a lifecycle of its own: rules at random, kept as far as the checks let them pass."""
    cooldown_h = {state: draw(st.sampled_from([0.01, 1.0, 12.0, 48.0])) for state in State}
    kept: list[Rule] = []
    for rule in draw(st.lists(_rules(), min_size=3, max_size=9)):
        try:
            check_lifecycle(Lifecycle(cooldown_h, (*kept, rule)), SHIPPED_POLICY.rates.horizons_h)
        except PolicyError:
            continue
        kept.append(rule)
    return replace(SHIPPED_POLICY, lifecycle=Lifecycle(cooldown_h, tuple(kept)))


@st.composite
def _rules(draw) -> Rule:
    to, *others = draw(st.permutations(list(State)))
    metrics = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=2, unique=True))
    when = tuple(
        Condition(metric, draw(st.sampled_from(["at_least", "below"])), draw(st.sampled_from(VALUES[metric])))
        for metric in metrics
    )
    sources = tuple(others[: draw(st.integers(1, 3))])
    hold_h = draw(st.sampled_from([0.0, 0.5, 4.0, 12.0]))
    return Rule(sources, to, when, hold_h, draw(st.sampled_from(["forward", "back"])))


def play(driver: Driver, history: list) -> None:
    """Let a history happen."""
    for each in history:
        play_one(driver, each)


def play_one(driver: Driver, each: SourceItem | IncidentProfile | Advance) -> None:
    """Let one thing happen."""
    if isinstance(each, Advance):
        driver.advance(hours(each.h))
    elif isinstance(each, IncidentProfile):
        driver.profile(each)
    else:
        driver.pipe(each)
