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
from schemas.source_item import SourceItem
from schemas.times import to_epoch
from schemas.words import Cause, Tier
from scoring import activity, events, evidence, factors, lifecycle, merge, polarity
from scoring.assessment import NOTHING_ELSE, assess, look_ahead, next_deadline
from scoring.changes import Changes, Tally
from scoring.clock import Clock, TimeJudge, Times
from scoring.curve import settle_averages
from scoring.deadlines import Deadlines
from scoring.decay import NEVER, decay
from scoring.held import Held
from scoring.incident import Incident
from scoring.index import PartitionIndex, part, part_of
from scoring.item import Counted, ItemRow, count, rewrite
from scoring.movement import Before
from scoring.policy import Policy
from scoring.policy_types import OTHER
from scoring.quiet import NEVER_CALM, Calm, stays
from scoring.rows import Rows
from scoring.teller import Teller

ROUNDING_S: Final = 0.01
"""By how much the time of a deadline that is worked out anew may be sooner than it was, at most: whole milliseconds,
and logarithms of other numbers."""


MOST_MOVED: Final = 512
"""Incidents whose curves may have changed before the index takes them in: each once, however often it changed."""

# Names of this module are read in place where the core is compiled; a member of an enum is looked up every time.
_OBSERVATION: Final = Cause.OBSERVATION
_MERGE: Final = Cause.MERGE


class Ledger:
    """The state of one partition. Records are applied in the order of their offsets; time never runs back.

    Where nothing `is_read`, what happens to incidents is counted (see `scoring.teller`), and no changed row is noted:
    for who wants what all comes to, and has no stored rows.
    """

    def __init__(
        self,
        policy: Policy,
        rows: Rows,
        *,
        clock: Clock = Clock.WALL,
        partition: int = 0,
        conflate: bool = False,
        is_read: bool = True,
    ) -> None:
        self.policy, self.rows, self.clock, self.partition = policy, rows, clock, partition
        self.time = 0.0
        self.tally = Tally()
        self.deadlines = Deadlines()
        self._index = PartitionIndex(partition, policy)
        self._judge = TimeJudge(clock, policy.limits)
        self._horizons_h = policy.rates.horizons_h
        self._held: dict[str, Held] = {}
        self._items_held = 0
        self._dirty: list[Held] = []
        self._moved: list[tuple[str, Held]] = []
        self._changes = Changes([], {}, {})
        self._is_read = is_read
        self._teller = Teller(policy, conflate=conflate, is_read=is_read)

    # -- what comes in -------------------------------------------------------------------------------------------

    def apply_item(self, item: SourceItem, offset: int, received_at: float) -> None:
        """Apply one observation (source offset `offset`, received at epoch seconds); RecordError if it is absurd."""
        incident_id, item_id, platform = item.incident_id, item.item_id, item.platform
        if "\0" in incident_id or "\0" in item_id:
            raise RecordError("an id must not hold the character U+0000 - at `$.item_id` or `$.incident_id`")
        times = self._judge.times(item, received_at)
        now = times.now
        self.advance(now, offset)
        held = self._hold(incident_id)
        if held is not None:
            incident = held.incident
            if offset <= incident.items_offset:
                self._count(platform, self.tally.repeated)
                return
            now = max(now, incident.as_of)
            if incident.merged_into is not None:
                if not merge.closes_circle(item):
                    self._forward(item, held, offset, times)
                    return
                self._undo_merge(incident_id, held, now)
        new = count(item, times.observed_at, times.at, self.policy)
        row = old = None
        if held is not None:
            row = held.items.get(item_id) or self.rows.item(incident_id, item_id)
            old = None if row is None else row.counted_at(held.incident.items_offset)
            if old is not None and not new.stands_against(old):
                self._count(platform, self.tally.unchanged)
                return
        else:
            row = self.rows.item(incident_id, item_id)
            held = self._held[incident_id] = Held(Incident())
        incident = held.incident
        self._touch(incident_id, held)
        if held.stored_at is None:
            held.stored_at = incident.items_offset
        self._note_item(held, incident_id, item_id, rewrite(row, offset, new, held.stored_at))
        incident.items_offset = offset
        if (old is None and new.retracted) or (old is not None and new.same_content(old)):
            self._count(platform, self.tally.unchanged)
            return
        self._count(platform, self.tally.applied)
        moved = item.moved
        by = _OBSERVATION if moved is None or moved.counted is None else _MERGE
        self._observe(incident_id, item_id, held, by, old, new, now)

    def apply_profile(self, profile: IncidentProfile, offset: int, received_at: float) -> None:
        """Apply the profile of an incident (source offset `offset`, received at epoch seconds).

        In stream time a profile has no time of its own: it holds from the incident's latest revision on.
        """
        incident_id = profile.incident_id
        if "\0" in incident_id:
            raise RecordError("an id must not hold the character U+0000 - at `$.incident_id`")
        held = self._hold(incident_id)
        if held is not None and offset <= held.incident.profiles_offset:
            return
        merge.check_merge(profile, None if held is None else held.incident)
        if held is None:
            held = self._held[incident_id] = Held(Incident())
        incident = held.incident
        self._touch(incident_id, held)
        incident.profiles_offset = offset
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
        if incident.detected:
            self._fire_until(incident_id, held, now)
        if incident.category is not profile.category:
            self._take_moves()  # the index takes it from one part to another as it stands now
        was = self._before(Cause.PROFILE, incident_id, held, now)
        self._settle(held, now)
        incident.category, incident.impact, incident.parties = (
            profile.category,
            profile.industry_impact,
            parties,
        )
        if profile.merged_into is not None and merges:
            self._merge(profile, profile.merged_into, held, now, was)
        elif incident.merged_into is None:
            self._weigh(held)
            self._jump(held, now, was)
            self._revise(incident_id, held, now, was)
        if held.part is not None and held.part.category is not profile.category:
            self._take_moves()

    def advance(self, until: float, offset: int | None = None) -> None:
        """Move the partition's time to `until` (epoch seconds), firing every deadline due by then at its due time.

        A record that is read again (its source offset being `offset`) fires nothing of an incident that is past it:
        where times are not in order, that would be earlier than the first time.
        """
        self.time = max(self.time, until)
        if self.deadlines.earliest > until:
            return
        past: list[tuple[str, float]] = []
        while (wake := self.deadlines.pop(until)) is not None:
            at, incident_id = wake
            held = self._hold(incident_id)
            if held is None:
                raise StateError(f"incident {incident_id!r} has a deadline but no row")
            if offset is not None and offset <= held.incident.items_offset:
                past.append((incident_id, at))
                continue
            self.deadlines.plan(incident_id, self._fire(incident_id, held, at))
        for incident_id, at in past:
            self.deadlines.plan(incident_id, at)

    # -- what goes out -------------------------------------------------------------------------------------------

    def emit(self, output: Output) -> None:
        """Put an event of the caller's own among the outputs, in its place in the order."""
        self._teller.tell(output)

    def tell(self) -> list[Output]:
        """Return the events since they were taken last; the rows that have changed are left to `collect`."""
        return self._teller.take()

    def collect(self) -> Changes:
        """Return everything that has changed since the last call, and begin anew."""
        changes = self._changes
        changes.outputs = self.tell()
        for held in self._dirty:
            held.dirty, held.stored_at = False, None
        self._dirty.clear()
        self._changes = Changes([], {}, {})
        return changes

    def take_tally(self) -> Tally:
        """Return the counts since the last call, and begin anew."""
        tally, self.tally = self.tally, Tally()
        return tally

    @property
    def untold(self) -> dict[str, int]:
        """How many events of each topic were counted instead of told, where nothing `is_read`."""
        return self._teller.untold

    def index_shares(self) -> Iterator[IndexShare]:
        """Yield this partition's share of every part of the index that changed since the last call."""
        return self.index.shares(self.time)

    @property
    def index(self) -> PartitionIndex:
        """This partition's share of the index, with all that has changed."""
        self._take_moves()
        return self._index

    def forget(self) -> None:
        """Let go of every row held in memory, to be read again when needed; only where nothing is left to collect."""
        self._take_moves()
        self._held.clear()
        self._items_held = 0

    @property
    def held(self) -> int:
        """How many rows are held in memory."""
        return len(self._held) + self._items_held

    def recover(self) -> int:
        """Rebuild deadlines and index from the stored rows; return how many incidents there are."""
        found, policy = 0, self.policy
        fingerprint = policy.fingerprint
        for incident_id, seen in self.rows.glances():
            found += 1
            self.time = max(self.time, seen.as_of)
            if not seen.state_since > 0.0:
                continue  # not detected yet
            merged = seen.merged_into is not None
            self._index.recover(
                part(
                    seen.category,
                    seen.composite,
                    seen.last_seen,
                    seen.averages_at,
                    seen.long_average,
                    seen.detected_at,
                    policy,
                    merged=merged,
                )
            )
            due = seen.due if seen.due_by == fingerprint else self._due(incident_id)
            self.deadlines.plan(incident_id, due)
        self._index.recovered()
        return found

    def _due(self, incident_id: str) -> float:
        """The next deadline of a stored incident, worked out anew: under another policy it comes at another time."""
        incident = self.rows.incident(incident_id)
        assert incident is not None
        return next_deadline(incident, self.policy, incident.as_of)

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident as it stands, or None; it stays in memory until `forget`."""
        held = self._hold(incident_id)
        return None if held is None else held.incident

    # -- how one change goes -------------------------------------------------------------------------------------

    def _observe(
        self,
        incident_id: str,
        item_id: str,
        held: Held,
        by: Cause,
        old: Counted | None,
        new: Counted,
        now: float,
    ) -> None:
        """The evidence of a known or new incident changes at `now`."""
        incident, policy = held.incident, self.policy
        mainstream = policy.lead_time.mainstream
        was = self._before(by, incident_id, held, now)
        noise_was = was.composite * was.decay
        stood = held.stands(policy, now, noise_was, look=old is not None) if incident.detected else NEVER_CALM
        self._settle(held, now, stood)
        came = evidence.change(incident, old, new, self._horizons_h, mainstream)
        if came >= evidence.FIGURES_LOST:
            evidence.recount(incident, came, self._horizons_h, mainstream, self._counted(incident_id))
        grown = came == evidence.GROWN
        if grown:
            values = held.factors = factors.grown(incident, policy, was.factors)
            incident.composite = factors.composite(incident, policy, values)
            noise = incident.composite * was.decay
        else:
            activity.count(incident, old, new, policy, now)
            self._weigh(held)
            noise = incident.noise_at(now, policy.derived.half_life_s)
        incident.last_item, incident.last_platform = item_id, new.platform
        incident.last_points = noise - noise_was
        held.points += incident.last_points
        if (
            grown
            and stood is not NEVER_CALM
            and noise >= noise_was
            and stays(incident, policy, stood, noise, now)
        ):
            self._grow(incident_id, held, noise, now, was)
        else:
            self._revise(incident_id, held, now, was)

    def _before(self, by: Cause, incident_id: str, held: Held, now: float) -> Before:
        """What stands of an incident at `now`, just before `by` changes it."""
        incident, policy = held.incident, self.policy
        if not held.moves:
            self._note_move(incident_id, held)
        left = decay(now - incident.last_seen, policy.derived.half_life_s) if incident.items else 0.0
        return Before(by, held.values(policy), incident.composite, left)

    def _note_move(self, incident_id: str, held: Held) -> None:
        """The curve of an incident is about to change: the index is to take it in, some time before it is asked."""
        if len(self._moved) >= MOST_MOVED:
            self._take_moves()
        held.moves = True
        if held.part is None and held.incident.detected:
            held.part = part_of(held.incident, self.policy)
        self._moved.append((incident_id, held))

    def _take_moves(self) -> None:
        """Let the index take in what has changed; not while an incident changes."""
        for incident_id, held in self._moved:
            incident, held.moves = held.incident, False
            if incident.detected:
                part = part_of(incident, self.policy)
                self._index.replace(incident_id, held.part, part, held.points, incident.as_of)
                held.part, held.points = part, 0.0
        self._moved.clear()

    def _jump(self, held: Held, now: float, was: Before) -> None:
        """By how much the noise has changed at `now`, for the movers of the index."""
        held.points += held.incident.noise_at(now, self.policy.curve.half_life_s) - was.noise

    def _weigh(self, held: Held) -> None:
        """After evidence or profile have changed: factors and composite anew."""
        values = held.factors = factors.factors(held.incident, self.policy)
        held.incident.composite = factors.composite(held.incident, self.policy, values)

    def _count(self, platform: str, came: dict[str, int]) -> None:
        """Count an observation among those of which the same came."""
        if platform not in self.policy.platforms:
            platform = OTHER
        came[platform] = came.get(platform, 0) + 1

    def _settle(self, held: Held, now: float, stood: Calm = NEVER_CALM) -> None:
        """Before anything changes: bring what depends on the curve that held until `now` up to now.

        Of an incident that stands as it `stood`, no rule's comparison has changed.
        """
        incident, policy = held.incident, self.policy
        if incident.detected:
            polarity.settle(incident, policy, now)
            settle_averages(incident, policy, now)
            if stood is NEVER_CALM:
                lifecycle.settle(incident, now, held.spans(policy))

    def _grow(self, incident_id: str, held: Held, noise: float, now: float, was: Before) -> None:
        """After amounts have grown and nothing can have come of it: a new revision, told; see `scoring.quiet`."""
        incident = held.incident
        self._begin_revision(incident, now)
        incident.polarity = held.values(self.policy).polarity
        polarity.begin(incident, now)
        if noise > incident.peak_noise:
            incident.peak_noise, incident.peak_at = noise, now
        held.stale = True
        if not held.hastened:
            # What comes next comes no sooner than planned, but for the rounding of its time.
            held.hastened = True
            self.deadlines.hasten(incident_id, ROUNDING_S, now)
        self._teller.score(incident_id, held, was, None)

    def _revise(self, incident_id: str, held: Held, now: float, was: Before) -> None:
        """After evidence or profile have changed: a new revision, assessed, told and planned."""
        policy, incident = self.policy, held.incident
        self._begin_revision(incident, now)
        if not incident.items and not incident.detected:
            return
        incident.polarity = held.values(policy).polarity
        polarity.begin(incident, now)
        if not incident.detected:
            self._detect(incident_id, incident, now)
        ahead = look_ahead(incident, policy)
        lifecycle.resume(incident, now, ahead.spans)
        assessed = assess(incident, policy, now, ahead)
        due = next_deadline(incident, policy, now, assessed.ahead)
        held.assessed(assessed.ahead)
        self._teller.happened(incident_id, held, now, assessed, was, due)
        self.deadlines.plan(incident_id, due)

    def _begin_revision(self, incident: Incident, now: float) -> None:
        incident.revision += 1
        incident.as_of = now
        self.tally.revisions += 1

    def _detect(self, incident_id: str, incident: Incident, now: float) -> None:
        """An incident has its first item."""
        incident.state_since = incident.averages_at = incident.detected_at = now
        incident.noise_average = incident.noise_at(now, self.policy.curve.half_life_s)
        self._teller.detected(incident_id, incident, now)

    def _fire(self, incident_id: str, held: Held, due: float) -> float:
        """Fire the deadline due at `due`; return the next one. The row changes only if something came of it."""
        policy, incident = self.policy, held.incident
        self.tally.deadlines += 1
        assessed = assess(incident, policy, due, held.look_ahead(policy))
        then = next_deadline(incident, policy, due, assessed.ahead)
        if assessed.happened:
            self._begin_revision(incident, due)
            self._touch(incident_id, held)
            held.assessed(assessed.ahead)
            self._teller.happened(incident_id, held, due, assessed, None, then)
        held.hastened = False
        return then

    def _fire_until(self, incident_id: str, held: Held, until: float) -> None:
        """Fire what is due of one incident by `until`."""
        due = next_deadline(held.incident, self.policy, held.incident.as_of, held.look_ahead(self.policy))
        while due <= until:
            due = self._fire(incident_id, held, due)

    # -- merges --------------------------------------------------------------------------------------------------

    def _merge(self, profile: IncidentProfile, into: str, held: Held, now: float, was: Before) -> None:
        """Merge an incident at `now`: its items go to the other one, and it falls silent. O(items).

        Its item rows stay as they are: should the merge close a circle, they say what to count again.
        """
        incident_id, incident = profile.incident_id, held.incident
        items = incident.items
        self._begin_revision(incident, now)
        counted = self._counted_by_item(incident_id)
        for output in merge.moved_items(incident_id, incident.revision, into, counted, now):
            self.emit(output)
        evidence.clear(incident)
        incident.merged_into = into
        self._weigh(held)
        self._jump(held, now, was)
        told_at = now
        if not incident.detected and profile.updated_at is not None:
            told_at = to_epoch(profile.updated_at)  # an incident without an item has no time of its own
        self.emit(events.incident_merged(incident_id, incident, into, told_at, items))
        if incident.detected:
            held.assessed(None)
            self._teller.happened(
                incident_id,
                held,
                now,
                NOTHING_ELSE,
                Before(Cause.MERGE, was.factors, was.composite, was.decay),
                NEVER,
            )
            self.deadlines.plan(incident_id, NEVER)

    def _forward(self, item: SourceItem, held: Held, offset: int, times: Times) -> None:
        """Send an observation of a merged incident on to the one it was merged into."""
        assert held.incident.merged_into is not None
        self.emit(merge.forwarded(item, held.incident.merged_into, offset, times))
        self._touch(item.incident_id, held)
        held.incident.items_offset = offset
        self._count(item.platform, self.tally.forwarded)

    def _undo_merge(self, incident_id: str, held: Held, now: float) -> None:
        """Take a merge back at `now`, since it closes a circle: the incident counts its items again. O(items)."""
        incident = held.incident
        self._touch(incident_id, held)
        was = self._before(Cause.MERGE, incident_id, held, now)
        into, incident.merged_into = incident.merged_into, None
        assert into is not None
        self._settle(held, now)
        mainstream = self.policy.lead_time.mainstream
        evidence.restore(incident, self._horizons_h, mainstream, self._counted(incident_id))
        self._weigh(held)
        self._jump(held, now, was)
        self._revise(incident_id, held, now, was)
        self.emit(events.incident_merged(incident_id, incident, into, now, incident.items, undone=True))

    # -- rows ----------------------------------------------------------------------------------------------------

    def _hold(self, incident_id: str) -> Held | None:
        """The incident in memory, read from its row if need be; None where there is none."""
        held = self._held.get(incident_id)
        if held is None:
            incident = self.rows.incident(incident_id)
            if incident is not None:
                held = self._held[incident_id] = Held(incident)
        return held

    def _touch(self, incident_id: str, held: Held) -> None:
        """The row of an incident is about to change, or has."""
        if self._is_read and not held.dirty:
            held.dirty = True
            self._dirty.append(held)
            self._changes.incidents[incident_id] = held.incident

    def _note_item(self, held: Held, incident_id: str, item_id: str, row: ItemRow) -> None:
        if self._is_read:
            self._changes.items[incident_id, item_id] = row
        self._items_held += item_id not in held.items
        held.items[item_id] = row

    def _counted(self, incident_id: str) -> Iterator[Counted]:
        """Yield what is counted of each item of an incident."""
        for _, counted in self._counted_by_item(incident_id):
            yield counted

    def _counted_by_item(self, incident_id: str) -> Iterator[tuple[str, Counted]]:
        """Yield the id of each item of an incident with what is counted of it."""
        held = self._held[incident_id]
        items, offset = held.items, held.incident.items_offset
        stored = (each for each in self.rows.items(incident_id) if each[0] not in items)
        for item_id, row in (*items.items(), *stored):
            counted = row.counted_at(offset)
            if counted is not None:
                yield item_id, counted
