"""The ledger: applies observations, profiles and deadlines to the rows of one partition and tells what changed.

The same ledger runs in the worker, in `replay` and in the tests. One observation goes this way: its times are judged;
the deadlines due before it fire; what it adds is held against what stands for its item; the evidence changes; the
incident is assessed (peaks, trend, state); its next deadline is planned. `collect` hands over all that has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.cloudevents import Output
from schemas.errors import RecordError, StateError
from schemas.incident_profile import IncidentProfile
from schemas.noise_index import IndexShare
from schemas.source_item import SourceItem
from schemas.words import Activity, Category, Tier, Trend
from scoring import activity, events, evidence, factors, lifecycle, peaks, trend
from scoring.changes import Changes, ItemKey, Outcome, Tally
from scoring.clock import Clock, times_of
from scoring.curve import settle_averages
from scoring.deadlines import Deadlines
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.index import PartitionIndex
from scoring.item import Counted, ItemRow, count, rewrite
from scoring.policy import OTHER, Policy
from scoring.rows import Rows

DETECTED: Final = "first detected"
_A_MOMENT_S: Final = 0.0005
"""Less than the whole milliseconds that times are counted in."""


class Ledger:
    """The state of one partition. Records are applied in the order of their offsets; time never runs back."""

    def __init__(
        self,
        policy: Policy,
        rows: Rows,
        *,
        clock: Clock = Clock.WALL,
        partition: int = 0,
        conflate: bool = False,
    ) -> None:
        self.policy, self.rows, self.clock, self.partition = policy, rows, clock, partition
        self.conflate = conflate
        self.time = 0.0
        self.tally = Tally()
        self.deadlines = Deadlines()
        self.index = PartitionIndex(partition, policy.curve.half_life_s, policy.index.movers)
        self._earliest_at = policy.limits.earliest_at
        self._horizons_h = policy.rates.horizons_h
        self._incidents: dict[str, Incident] = {}
        self._items: dict[str, dict[str, ItemRow]] = {}
        self._items_held = 0
        self._changes = Changes()
        self._to_score: dict[str, Incident] = {}
        self._began_at: dict[str, int] = {}

    # -- what comes in -------------------------------------------------------------------------------------------

    def apply_item(self, item: SourceItem, offset: int, received_at: float) -> None:
        """Apply one observation (source offset `offset`, received at epoch seconds); RecordError if it is absurd."""
        if "\0" in item.incident_id or "\0" in item.item_id:
            raise RecordError("an id must not hold the character U+0000 - at `$.item_id` or `$.incident_id`")
        times = times_of(item, received_at, self.clock, self.policy.limits, self._earliest_at)
        self.advance(times.now, offset)
        incident = self.incident(item.incident_id)
        if incident is not None and offset <= incident.items_offset:
            self._count(item.platform, Outcome.REPEATED)
            return
        new = count(item, times.observed_at, times.at, self.policy)
        row = self._item((item.incident_id, item.item_id))
        old = None if row is None or incident is None else row.counted_at(incident.items_offset)
        if old is not None and not new.stands_against(old):
            self._count(item.platform, Outcome.UNCHANGED)
            return
        if incident is None:
            incident = self._incidents[item.incident_id] = Incident()
        stored_at = self._began_at.setdefault(item.incident_id, incident.items_offset)
        self._note_item((item.incident_id, item.item_id), rewrite(row, offset, new, stored_at))
        incident.items_offset = offset
        self._changes.incidents[item.incident_id] = incident
        if (old is None and new.retracted) or (old is not None and new.same_content(old)):
            self._count(item.platform, Outcome.UNCHANGED)
            return
        self._count(item.platform, Outcome.APPLIED)
        self._observe(item, incident, old, new, max(times.now, incident.as_of))

    def apply_profile(self, profile: IncidentProfile, offset: int, received_at: float) -> None:
        """Apply the profile of an incident (source offset `offset`, received at epoch seconds).

        In stream time a profile has no time of its own: it holds from the incident's latest revision on.
        """
        if "\0" in profile.incident_id:
            raise RecordError("an id must not hold the character U+0000 - at `$.incident_id`")
        incident = self.incident(profile.incident_id)
        if incident is None:
            incident = self._incidents[profile.incident_id] = Incident()
        if offset <= incident.profiles_offset:
            return
        incident.profiles_offset = offset
        self._changes.incidents[profile.incident_id] = incident
        parties: dict[str, Tier] = {party.name.casefold(): party.tier for party in profile.parties}
        if (incident.category, incident.impact, incident.parties) == (
            profile.category,
            profile.industry_impact,
            parties,
        ):
            return
        self.tally.profiles += 1
        now = incident.as_of if self.clock is Clock.STREAM else max(received_at, incident.as_of)
        before = _curve_of(incident) if incident.detected else None
        if incident.detected:
            self._fire_until(profile.incident_id, incident, now)
            self._settle(incident, now)
        incident.category, incident.impact, incident.parties = (
            profile.category,
            profile.industry_impact,
            parties,
        )
        incident.composite = factors.composite(incident, self.policy)
        self._revise(profile.incident_id, incident, now, before)

    def advance(self, until: float, offset: int | None = None) -> None:
        """Move the partition's time to `until` (epoch seconds), firing every deadline due by then at its due time.

        A record that is read again (its source offset being `offset`) fires nothing of an incident that is past it:
        where times are not in order, that would be earlier than the first time.
        """
        self.time = max(self.time, until)
        past: list[tuple[str, float]] = []
        while (wake := self.deadlines.pop(until)) is not None:
            at, incident_id = wake
            incident = self.incident(incident_id)
            if incident is None:
                raise StateError(f"incident {incident_id!r} has a deadline but no row")
            if offset is not None and offset <= incident.items_offset:
                past.append((incident_id, at))
                continue
            due = self._next_deadline(incident, max(incident.as_of, at - _A_MOMENT_S))
            if due <= at:  # one that has moved later is only put back: others may be due before it
                due = self._fire(incident_id, incident, due)
            self.deadlines.plan(incident_id, due)
        for incident_id, at in past:
            self.deadlines.plan(incident_id, at)

    # -- what goes out -------------------------------------------------------------------------------------------

    def emit(self, output: Output) -> None:
        """Put an event of the caller's own among the outputs, in its place in the order."""
        self._changes.outputs.append(output)

    def collect(self) -> Changes:
        """Return everything that has changed since the last call, and begin anew."""
        for incident_id, incident in self._to_score.items():
            self._changes.outputs.append(events.noise_score(incident_id, incident, self.policy))
        self._to_score.clear()
        self._began_at.clear()
        changes, self._changes = self._changes, Changes()
        return changes

    def take_tally(self) -> Tally:
        """Return the counts since the last call, and begin anew."""
        tally, self.tally = self.tally, Tally()
        return tally

    def index_shares(self) -> Iterator[IndexShare]:
        """Yield this partition's share of every part of the index that changed since the last call."""
        return self.index.shares(self.time)

    def forget(self) -> None:
        """Let go of every row held in memory, to be read again when needed; only where nothing is left to collect."""
        self._incidents.clear()
        self._items.clear()
        self._items_held = 0

    @property
    def held(self) -> int:
        """How many rows are held in memory."""
        return len(self._incidents) + self._items_held

    def recover(self) -> int:
        """Rebuild deadlines and index from the stored rows; return how many incidents there are."""
        found = 0
        for incident_id, incident in self.rows.incidents():
            found += 1
            self.time = max(self.time, incident.as_of)
            if incident.detected:
                self.index.recover(_curve_of(incident))
                self.deadlines.plan(incident_id, self._next_deadline(incident, incident.as_of))
        return found

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident as it stands, or None; it stays in memory until `forget`."""
        incident = self._incidents.get(incident_id)
        if incident is None:
            incident = self.rows.incident(incident_id)
            if incident is not None:
                self._incidents[incident_id] = incident
        return incident

    # -- how one change goes -------------------------------------------------------------------------------------

    def _observe(
        self, item: SourceItem, incident: Incident, old: Counted | None, new: Counted, now: float
    ) -> None:
        """The evidence of a known or new incident changes at `now`."""
        policy, half_life_s = self.policy, self.policy.curve.half_life_s
        before = _curve_of(incident) if incident.detected else None
        noise = incident.noise_at(now, half_life_s)
        self._settle(incident, now)
        evidence.change(incident, old, new, self._horizons_h, lambda: self._counted(item.incident_id))
        activity.count(incident, old, new, policy, now)
        incident.last_item, incident.last_platform = item.item_id, item.platform
        incident.composite = factors.composite(incident, policy)
        incident.last_points = incident.noise_at(now, half_life_s) - noise
        self._revise(item.incident_id, incident, now, before)

    def _count(self, platform: str, outcome: Outcome) -> None:
        key = (platform if platform in self.policy.platforms else OTHER, outcome)
        self.tally.items[key] = self.tally.items.get(key, 0) + 1

    def _settle(self, incident: Incident, now: float) -> None:
        """Before anything changes: bring what depends on the curve that held until `now` up to now."""
        if incident.detected:
            settle_averages(incident, self.policy, now)
            lifecycle.settle(incident, self.policy, now)

    def _revise(
        self, incident_id: str, incident: Incident, now: float, before: tuple[Category, float, float] | None
    ) -> None:
        """After evidence or profile have changed: a new revision, assessed, told and planned."""
        policy = self.policy
        incident.revision += 1
        incident.as_of = now
        self.tally.revisions += 1
        self._changes.incidents[incident_id] = incident
        if not incident.items and not incident.detected:
            return
        incident.polarity = factors.polarity(incident, policy)
        if not incident.detected:
            self._detect(incident_id, incident, now)
        lifecycle.resume(incident, policy, now)
        self._tell(incident_id, incident, now, self._assess(incident, now))
        self.index.replace(incident_id, before, _curve_of(incident), now)
        self.deadlines.plan(incident_id, self._next_deadline(incident, now))

    def _detect(self, incident_id: str, incident: Incident, now: float) -> None:
        """An incident has its first item."""
        incident.state_since = incident.averages_at = now
        incident.noise_average = incident.noise_at(now, self.policy.curve.half_life_s)
        incident.polarity_average = incident.polarity
        told = events.state_change(
            incident_id,
            incident,
            self.policy,
            now,
            None,
            incident.state,
            DETECTED,
            {"items": float(incident.items)},
        )
        self._changes.outputs.append(told)

    def _fire(self, incident_id: str, incident: Incident, due: float) -> float:
        """Fire the deadline due at `due`; return the next one. The row changes only if something came of it."""
        self.tally.deadlines += 1
        assessed = self._assess(incident, due)
        if assessed.happened:
            incident.revision += 1
            incident.as_of = due
            self.tally.revisions += 1
            self._changes.incidents[incident_id] = incident
            self._tell(incident_id, incident, due, assessed)
        return self._next_deadline(incident, due)

    def _fire_until(self, incident_id: str, incident: Incident, until: float) -> None:
        """Fire what is due of one incident by `until`."""
        due = self._next_deadline(incident, incident.as_of)
        while due <= until:
            due = self._fire(incident_id, incident, due)

    def _assess(self, incident: Incident, now: float) -> Assessment:
        """Bring peaks, trend and state up to `now`; the row changes, and what happened is returned."""
        crossings = list(peaks.cross(incident, self.policy, now))
        previous, incident.trend = incident.trend, trend.outlook(incident, self.policy).word(now)
        was = activity.step(incident, self.policy, now)
        turned = previous is not incident.trend or was is not incident.activity
        steps = list(lifecycle.step(incident, self.policy, now))
        return Assessment(crossings, (previous, was) if turned else None, steps)

    def _tell(self, incident_id: str, incident: Incident, now: float, assessed: Assessment) -> None:
        """Turn what happened into events, and ask for the score of this revision."""
        policy, outputs = self.policy, self._changes.outputs
        for crossing in assessed.crossings:
            outputs.append(events.peak_crossing(incident_id, incident, policy, now, crossing))
        if assessed.trend_was is not None:
            outputs.append(events.trend_update(incident_id, incident, policy, now, *assessed.trend_was))
        for step in assessed.steps:
            reason = lifecycle.reason(step.rule)
            outputs.append(
                events.state_change(
                    incident_id, incident, policy, now, step.previous, step.to, reason, step.evidence
                )
            )
        if self.conflate:
            self._to_score[incident_id] = incident
        else:
            outputs.append(events.noise_score(incident_id, incident, policy))

    def _next_deadline(self, incident: Incident, after: float) -> float:
        """Return the first time after `after` at which the incident may change by itself, or NEVER."""
        policy, earliest = self.policy, NEVER
        for at in trend.outlook(incident, policy).changes(after):
            earliest = min(earliest, at)
        for at in (
            peaks.peaked_at(incident, policy),
            peaks.level_ends(incident, policy),
            lifecycle.next_step(incident, policy),
            activity.subsides_at(incident, policy),
            activity.silent_at(incident, policy),
        ):
            if after < at < earliest:
                earliest = at
        return earliest

    # -- rows ----------------------------------------------------------------------------------------------------

    def _item(self, key: ItemKey) -> ItemRow | None:
        held = self._items.get(key[0])
        row = held.get(key[1]) if held is not None else None
        return row if row is not None else self.rows.item(*key)

    def _note_item(self, key: ItemKey, row: ItemRow) -> None:
        self._changes.items[key] = row
        held = self._items.setdefault(key[0], {})
        self._items_held += key[1] not in held
        held[key[1]] = row

    def _counted(self, incident_id: str) -> Iterator[Counted]:
        """Yield what is counted of each item of an incident."""
        held, offset = self._items.get(incident_id, {}), self._incidents[incident_id].items_offset
        stored = (row for item_id, row in self.rows.items(incident_id) if item_id not in held)
        for row in (*held.values(), *stored):
            counted = row.counted_at(offset)
            if counted is not None:
                yield counted


class Assessment(Struct):
    """What happened to an incident at one time: crossings, trend and activity before if one changed, and steps."""

    crossings: list[peaks.Crossing]
    trend_was: tuple[Trend, Activity] | None
    steps: list[lifecycle.Transition]

    @property
    def happened(self) -> bool:
        """Whether anything did."""
        return bool(self.crossings or self.steps or self.trend_was is not None)


def _curve_of(incident: Incident) -> tuple[Category, float, float]:
    return incident.category, incident.composite, incident.last_seen
