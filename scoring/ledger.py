"""The ledger: applies observations, profiles and deadlines to the rows of one partition and tells what changed.

The same ledger runs in the worker, in `replay` and in the tests. One observation goes this way: its times are judged;
the deadlines due before it fire; what it adds is held against what stands for its item; the evidence changes; the
incident is assessed (peaks, trend, state); its next deadline is planned. `collect` hands over all that has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.cloudevents import Output
from schemas.errors import RecordError, StateError
from schemas.incident_profile import IncidentProfile
from schemas.noise_index import IndexShare
from schemas.noise_score import Factors
from schemas.source_item import SourceItem
from schemas.times import to_epoch
from schemas.words import Cause, Tier
from scoring import activity, events, evidence, factors, lifecycle, merge, movement, polarity
from scoring.assessment import NOTHING_ELSE, Assessment, assess, look_ahead, next_deadline
from scoring.changes import Changes, ItemKey, Outcome, Tally
from scoring.clock import Clock, Times, times_of
from scoring.curve import settle_averages
from scoring.deadlines import Deadlines
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.index import Part, PartitionIndex, part_of
from scoring.item import Counted, ItemRow, count, rewrite
from scoring.movement import Before
from scoring.policy import OTHER, Policy
from scoring.rows import Rows

DETECTED: Final = "first detected"


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
        self.index = PartitionIndex(partition, policy)
        self._earliest_at = policy.limits.earliest_at
        self._horizons_h = policy.rates.horizons_h
        self._incidents: dict[str, Incident] = {}
        self._items: dict[str, dict[str, ItemRow]] = {}
        self._items_held = 0
        self._changes = Changes()
        self._factors: dict[str, Factors] = {}
        self._to_score: dict[str, tuple[Incident, Before | None, float]] = {}
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
        if incident is not None and incident.merged_into is not None:
            if not merge.closes_circle(item):
                self._forward(item, incident, offset, times)
                return
            self._undo_merge(item.incident_id, incident, max(times.now, incident.as_of))
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
        if incident is not None and offset <= incident.profiles_offset:
            return
        merge.check_merge(profile, incident)
        if incident is None:
            incident = self._incidents[profile.incident_id] = Incident()
        incident.profiles_offset = offset
        self._changes.incidents[profile.incident_id] = incident
        parties: dict[str, Tier] = {party.name.casefold(): party.tier for party in profile.parties}
        merges = profile.merged_into is not None and incident.merged_into is None
        if not merges and (incident.category, incident.impact, incident.parties) == (
            profile.category,
            profile.industry_impact,
            parties,
        ):
            return
        self.tally.profiles += 1
        now = incident.as_of if self.clock is Clock.STREAM else max(received_at, incident.as_of)
        before = part_of(incident, self.policy) if incident.detected else None
        if incident.detected:
            self._fire_until(profile.incident_id, incident, now)
            self._settle(incident, now)
        was = self._before(Cause.PROFILE, profile.incident_id, incident, now)
        incident.category, incident.impact, incident.parties = (
            profile.category,
            profile.industry_impact,
            parties,
        )
        if profile.merged_into is not None and merges:
            self._merge(profile, profile.merged_into, incident, now, before, was)
            return
        if incident.merged_into is not None:
            if before is not None:
                self.index.replace(profile.incident_id, before, part_of(incident, self.policy), now)
            return
        self._weigh(profile.incident_id, incident)
        self._revise(profile.incident_id, incident, now, before, was)

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
            self.deadlines.plan(incident_id, self._fire(incident_id, incident, at))
        for incident_id, at in past:
            self.deadlines.plan(incident_id, at)

    # -- what goes out -------------------------------------------------------------------------------------------

    def emit(self, output: Output) -> None:
        """Put an event of the caller's own among the outputs, in its place in the order."""
        self._changes.outputs.append(output)

    def collect(self) -> Changes:
        """Return everything that has changed since the last call, and begin anew."""
        for incident_id, (incident, was, due) in self._to_score.items():
            self._changes.outputs.append(self._score(incident_id, incident, was, due))
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
        self._factors.clear()
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
                self.index.recover(part_of(incident, self.policy))
                self.deadlines.plan(incident_id, next_deadline(incident, self.policy, incident.as_of))
        self.index.recovered()
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
        incident_id, mainstream = item.incident_id, self.policy.lead_time.mainstream
        before = part_of(incident, self.policy) if incident.detected else None
        by = Cause.OBSERVATION if item.moved is None or item.moved.counted is None else Cause.MERGE
        was = self._before(by, incident_id, incident, now)
        self._settle(incident, now)
        evidence.change(incident, old, new, self._horizons_h, mainstream, lambda: self._counted(incident_id))
        activity.count(incident, old, new, self.policy, now)
        self._weigh(incident_id, incident)
        incident.last_item, incident.last_platform = item.item_id, item.platform
        incident.last_points = incident.noise_at(now, self.policy.curve.half_life_s) - was.noise
        self._revise(incident_id, incident, now, before, was)

    def _values(self, incident_id: str, incident: Incident) -> Factors:
        """Return the factors of an incident as it stands; they are kept in memory, since time does not move them."""
        values = self._factors.get(incident_id)
        if values is None:
            values = self._factors[incident_id] = factors.factors(incident, self.policy)
        return values

    def _before(self, by: Cause, incident_id: str, incident: Incident, now: float) -> Before:
        """What stands of an incident at `now`, just before `by` changes it."""
        return movement.before(by, incident, self._values(incident_id, incident), self.policy, now)

    def _weigh(self, incident_id: str, incident: Incident) -> None:
        """After evidence or profile have changed: factors and composite anew."""
        values = self._factors[incident_id] = factors.factors(incident, self.policy)
        incident.composite = factors.composite(incident, self.policy, values)

    def _score(self, incident_id: str, incident: Incident, was: Before | None, due: float) -> Output:
        """The score of the latest revision; `was` is what stood before it, None if a deadline brought it.

        `due` is the incident's next deadline as of that revision.
        """
        values = self._values(incident_id, incident)
        change = movement.moved(was, incident, values, self.policy)
        return events.noise_score(incident_id, incident, self.policy, values, change, due)

    def _count(self, platform: str, outcome: Outcome) -> None:
        key = (platform if platform in self.policy.platforms else OTHER, outcome)
        self.tally.items[key] = self.tally.items.get(key, 0) + 1

    def _settle(self, incident: Incident, now: float) -> None:
        """Before anything changes: bring what depends on the curve that held until `now` up to now."""
        if incident.detected:
            polarity.settle(incident, self.policy, now)
            settle_averages(incident, self.policy, now)
            lifecycle.settle(incident, self.policy, now, lifecycle.spans(incident, self.policy))

    def _revise(
        self, incident_id: str, incident: Incident, now: float, before: Part | None, was: Before
    ) -> None:
        """After evidence or profile have changed: a new revision, assessed, told and planned."""
        policy = self.policy
        incident.revision += 1
        incident.as_of = now
        self.tally.revisions += 1
        self._changes.incidents[incident_id] = incident
        if not incident.items and not incident.detected:
            return
        incident.polarity = self._values(incident_id, incident).polarity
        polarity.begin(incident, now)
        if not incident.detected:
            self._detect(incident_id, incident, now)
        ahead = look_ahead(incident, policy)
        lifecycle.resume(incident, policy, now, ahead.spans)
        assessed = assess(incident, policy, now, ahead)
        due = next_deadline(incident, policy, now, assessed.ahead)
        self._tell(incident_id, incident, now, assessed, was, due)
        self.index.replace(incident_id, before, part_of(incident, policy), now)
        self.deadlines.plan(incident_id, due)

    def _detect(self, incident_id: str, incident: Incident, now: float) -> None:
        """An incident has its first item."""
        incident.state_since = incident.averages_at = incident.detected_at = now
        incident.noise_average = incident.noise_at(now, self.policy.curve.half_life_s)
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
        assessed = assess(incident, self.policy, due)
        then = next_deadline(incident, self.policy, due, assessed.ahead)
        if assessed.happened:
            incident.revision += 1
            incident.as_of = due
            self.tally.revisions += 1
            self._changes.incidents[incident_id] = incident
            self._tell(incident_id, incident, due, assessed, None, then)
        return then

    def _fire_until(self, incident_id: str, incident: Incident, until: float) -> None:
        """Fire what is due of one incident by `until`."""
        due = next_deadline(incident, self.policy, incident.as_of)
        while due <= until:
            due = self._fire(incident_id, incident, due)

    def _tell(
        self,
        incident_id: str,
        incident: Incident,
        now: float,
        assessed: Assessment,
        was: Before | None,
        due: float,
    ) -> None:
        """Turn what happened into events, and ask for the score of this revision."""
        policy, outputs = self.policy, self._changes.outputs
        for crossing in assessed.crossings:
            outputs.append(events.peak_crossing(incident_id, incident, policy, now, crossing))
        if assessed.words_were is not None:
            outputs.append(events.trend_update(incident_id, incident, policy, now, *assessed.words_were))
        for step in assessed.steps:
            reason = lifecycle.reason(step.rule)
            outputs.append(
                events.state_change(
                    incident_id, incident, policy, now, step.previous, step.to, reason, step.evidence
                )
            )
        if self.conflate:
            self._to_score[incident_id] = (incident, was, due)
        else:
            outputs.append(self._score(incident_id, incident, was, due))

    # -- merges --------------------------------------------------------------------------------------------------

    def _merge(
        self,
        profile: IncidentProfile,
        into: str,
        incident: Incident,
        now: float,
        before: Part | None,
        was: Before,
    ) -> None:
        """Merge an incident at `now`: its items go to the other one, and it falls silent. O(items).

        Its item rows stay as they are: should the merge close a circle, they say what to count again.
        """
        incident_id, items = profile.incident_id, incident.items
        incident.revision += 1
        incident.as_of = now
        self.tally.revisions += 1
        counted = self._counted_by_item(incident_id)
        self._changes.outputs += merge.moved_items(incident_id, incident.revision, into, counted, now)
        evidence.clear(incident)
        incident.merged_into = into
        self._weigh(incident_id, incident)
        told_at = now
        if not incident.detected and profile.updated_at is not None:
            told_at = to_epoch(profile.updated_at)  # an incident without an item has no time of its own
        self._changes.outputs.append(events.incident_merged(incident_id, incident, into, told_at, items))
        if incident.detected:
            self._tell(incident_id, incident, now, NOTHING_ELSE, was._replace(by=Cause.MERGE), NEVER)
            self.deadlines.plan(incident_id, NEVER)
            self.index.replace(incident_id, before, part_of(incident, self.policy), now)

    def _forward(self, item: SourceItem, incident: Incident, offset: int, times: Times) -> None:
        """Send an observation of a merged incident on to the one it was merged into."""
        assert incident.merged_into is not None
        self.emit(merge.forwarded(item, incident.merged_into, offset, times))
        incident.items_offset = offset
        self._changes.incidents[item.incident_id] = incident
        self._count(item.platform, Outcome.FORWARDED)

    def _undo_merge(self, incident_id: str, incident: Incident, now: float) -> None:
        """Take a merge back at `now`, since it closes a circle: the incident counts its items again. O(items)."""
        before = part_of(incident, self.policy) if incident.detected else None
        was = self._before(Cause.MERGE, incident_id, incident, now)
        into, incident.merged_into = incident.merged_into, None
        assert into is not None
        self._settle(incident, now)
        mainstream = self.policy.lead_time.mainstream
        evidence.restore(incident, self._horizons_h, mainstream, self._counted(incident_id))
        self._weigh(incident_id, incident)
        self._revise(incident_id, incident, now, before, was)
        self.emit(events.incident_merged(incident_id, incident, into, now, incident.items, undone=True))

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
        for _, counted in self._counted_by_item(incident_id):
            yield counted

    def _counted_by_item(self, incident_id: str) -> Iterator[tuple[str, Counted]]:
        """Yield the id of each item of an incident with what is counted of it."""
        held, offset = self._items.get(incident_id, {}), self._incidents[incident_id].items_offset
        stored = (each for each in self.rows.items(incident_id) if each[0] not in held)
        for item_id, row in (*held.items(), *stored):
            counted = row.counted_at(offset)
            if counted is not None:
                yield item_id, counted
