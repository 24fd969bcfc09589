"""Rules, events and channels of alerting in one line each: times are hours since T0, as in tests/builders.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from schemas.incident_profile import IncidentProfile
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import from_epoch
from schemas.topics import INCIDENT_PROFILES, NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from schemas.trend_update import TrendUpdate
from schemas.words import Activity, PeakKind, State, Trend
from scoring.policy import load_policy
from stream.alerts.desk import Desk
from stream.alerts.heard import Heard, Score
from stream.alerts.notices import Notice
from stream.alerts.rules import Rule
from tests.builders import hours

POLICY = load_policy(None)
HALF_LIFE_S = 7 * 86400.0


def rule(name: str = "all", **fields: Any) -> Rule:
    """A rule as a file would hold it; what is not named: any state change, told at once to channel `hook`."""
    return msgspec.convert({"when": {"states": {}}, "channels": ["hook"]} | {"name": name} | fields, Rule)


def changed(
    incident: str = "leak", revision: int = 1, *, h: float = 0.0, to: State = State.MAJOR, **fields: Any
) -> Heard:
    """A state change at hour `h`."""
    fields = {
        "previous": State.DEBATED,
        "reason": "noise held",
        "evidence": {"noise": 80.0},
        "noise": 80.0,
    } | fields
    event = StateChange(incident_id=incident, revision=revision, at=from_epoch(hours(h)), to=to, **fields)
    return Heard(STATE_CHANGES, f"{incident}/{revision}/state/{to.value}", incident, event)


def crossed(
    incident: str = "leak",
    revision: int = 1,
    *,
    h: float = 0.0,
    kind: PeakKind = PeakKind.NEW_PEAK,
    **fields: Any,
) -> Heard:
    """A peak crossing at hour `h`."""
    fields = {"noise": 80.0, "level": "Uproar"} | fields
    event = PeakCrossing(
        incident_id=incident, revision=revision, at=from_epoch(hours(h)), kind=kind, **fields
    )
    return Heard(PEAK_CROSSINGS, f"{incident}/{revision}/{kind.value}/{event.level}", incident, event)


def turned(incident: str = "leak", revision: int = 1, *, h: float = 0.0, **fields: Any) -> Heard:
    """A trend update at hour `h`: from holding steady to surging, if nothing else is said."""
    plain = {"trend": Trend.SURGING, "previous": Trend.STEADY, "rates": {"6h": 2.0}, "multiple": 3.0}
    fields = plain | {"spike": 0.0, "slope": 1.0, "activity": Activity.NORMAL} | fields
    event = TrendUpdate(incident_id=incident, revision=revision, at=from_epoch(hours(h)), **fields)
    return Heard(TREND_UPDATES, f"{incident}/{revision}/trend", incident, event)


def scored(
    incident: str = "leak",
    revision: int = 1,
    *,
    h: float = 0.0,
    noise: float = 80.0,
    state: State = State.MAJOR,
    category: str = "Safety",
    merged_into: str | None = None,
) -> Heard:
    """A score at hour `h`, with a curve that begins there."""
    at = from_epoch(hours(h))
    event = Score(incident, revision, at, noise, at, HALF_LIFE_S, state, category, merged_into)
    return Heard(NOISE_SCORES, f"{incident}/{revision}/noise", incident, event)


def profiled(profile: IncidentProfile) -> Heard:
    """A profile."""
    return Heard(INCIDENT_PROFILES, "", profile.incident_id, profile)


def desk(*rules: Rule) -> Desk:
    """A desk with these rules."""
    return Desk(rules, POLICY, "https://decibel.example")


def restarted(before: Desk, stored: dict[tuple[str, str], bytes], *rules: Rule) -> Desk:
    """The desk after a restart: made anew from what was stored before and has changed since."""
    store(before, stored)
    after = desk(*rules)
    after.restore((kind, key, value) for (kind, key), value in sorted(stored.items()))
    return after


def store(desk: Desk, stored: dict[tuple[str, str], bytes]) -> None:
    """Store what has changed, as the outbox does."""
    for kind, key, value in desk.take_changes():
        if value is None:
            stored.pop((kind, key), None)
        else:
            stored[kind, key] = value


def told_until(desk: Desk, h: float) -> list[Notice]:
    """What is told up to hour `h` if nothing new comes, each at its time."""
    notices = []
    while desk.next_due <= hours(h):
        notices += desk.advance(desk.next_due)
    return notices + desk.advance(hours(h))


def rule_file(folder: Path, text: str) -> Path:
    """A file of rules."""
    file = folder / "alerts.toml"
    file.write_text(text)
    return file
