"""Replay: the ledger without a broker, in stream time, on records from files.

There is one ledger for each partition, as in a worker: a partition's time is moved by its own records alone.
So what a replay emits equals, byte for byte, what a live run over as many partitions emits, late records
included.

What a merged incident sends to another one comes to that one's ledger directly after the record that it came of. A live
worker reads it later, behind what was on the topic already: the evidence is the same, and so is every event where the
records of `source-items` are read in the same order.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator

from agents.batch import apply_batch, check_size, dead_letter
from schemas.cloudevents import Output
from schemas.codec import decode_item, decode_profile, encode
from schemas.errors import RecordError
from schemas.noise_index import IndexShare
from schemas.source_item import SourceItem
from schemas.topics import SOURCE_ITEMS
from scoring.changes import Tally
from scoring.clock import Clock, TimeJudge
from scoring.incident import Incident
from scoring.ledger import Ledger
from scoring.policy import Policy
from scoring.rows import NoRows
from stream.partitioner import Partitioner
from stream.replay.lines import MS_PER_S, Place, Raw
from stream.replay.reached import Reached, index_of, loudest_of, total_of


class Replay:
    """Scores the records of files in order; every call returns the events that came of its record, in order.

    Args:
        policy: the scoring policy.
        received_at: when the records arrive (epoch seconds): what lies further ahead is absurd.
        partitions: how many partitions the live topic has.
        conflate: of one record, emit the last score alone.
        until: no observation after this time (epoch seconds) is applied.
        is_read: give what happens to incidents; else it is counted, as `untold`, and no event of it is made.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        received_at: float,
        partitions: int = 8,
        conflate: bool = False,
        until: float = math.inf,
        is_read: bool = True,
    ) -> None:
        self.policy, self.received_at, self.until = policy, received_at, until
        self.profiles = self.items = self.rejected = 0
        self.ledgers = [
            Ledger(policy, NoRows(), clock=Clock.STREAM, partition=number, conflate=conflate, is_read=is_read)
            for number in range(partitions)
        ]
        self._partition_of = Partitioner(partitions)
        self._judge = TimeJudge(Clock.STREAM, policy.limits)
        self._ledger_of: dict[str, Ledger] = {}
        self._is_read = is_read
        self._offset = 0
        self._merges = False
        self._most_bytes = policy.limits.record_bytes

    # -- what comes in --------------------------------------------------------------------------------------

    def profile(self, value: bytes, place: Place) -> list[Output]:
        """Apply an incident profile (JSON). Profiles come before items, as when editors put them first."""
        key = None
        self.profiles += 1
        try:
            check_size(value, self._most_bytes)
            profile = decode_profile(value)
            key = profile.incident_id
            ledger = self._ledger(key)
            ledger.apply_profile(profile, self.profiles, self.received_at)
        except RecordError as error:
            return self._reject(value, key, place, error)
        self._merges = self._merges or profile.merged_into is not None
        return self._follow(ledger.collect().outputs)

    def item(self, value: bytes, place: Place) -> list[Output] | None:
        """Apply one observation (JSON); None: it is after `until`, and nothing was applied."""
        outputs, applied = self.apply_items(place[0], [(place[1], value)])
        return outputs if applied else None

    def apply_items(self, file: str, lines: Iterable[tuple[int, bytes]]) -> tuple[list[Output], bool]:
        """Apply the observations (JSON) in some lines of a file; return what came of them, and whether all were.

        It ends before the first one that is after `until`.
        """
        outputs: list[Output] = []
        for line, value in lines:
            key = None
            self.items += 1
            self._offset = offset = self._offset + 1
            try:
                check_size(value, self._most_bytes)
                item = decode_item(value)
                key = item.incident_id
                if self.until < math.inf and self._is_after(item):
                    self.items -= 1
                    return outputs, False
                ledger = self._ledger_of.get(key)
                if ledger is None:
                    ledger = self._ledger(key)
                ledger.apply_item(item, offset, self.received_at)
            except RecordError as error:
                outputs += self._reject(value, key, (file, line), error)
                continue
            if self._merges:
                outputs += self._follow(ledger.collect().outputs)
            elif self._is_read:
                outputs += ledger.collect().outputs
        return outputs, True

    def finish(self) -> Iterator[Output]:
        """Move every partition to `until`, if there is one; yield what falls due, then the index over all."""
        for number in range(len(self.ledgers)):
            yield from self.close(number)
        shares = [share for number in range(len(self.ledgers)) for share in self.shares(number)]
        yield from index_of(self.policy, shares, self.time)

    def close(self, number: int) -> list[Output]:
        """Move a partition to `until`, if there is one; return what falls due."""
        ledger = self.ledgers[number]
        if self.until < math.inf:
            ledger.advance(self.until)
        return ledger.collect().outputs

    def shares(self, number: int) -> list[IndexShare]:
        """Return the shares that a closed partition has in the index."""
        return list(self.ledgers[number].index_shares())

    def is_after(self, value: bytes) -> bool:
        """Say whether `item` would find an observation (JSON) to be after `until`; one it would reject is not."""
        try:
            check_size(value, self._most_bytes)
            return self._is_after(decode_item(value))
        except RecordError:
            return False

    # -- what stands ----------------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """The latest time that any partition has reached (epoch seconds); 0 before the first observation."""
        return max(ledger.time for ledger in self.ledgers)

    @property
    def tally(self) -> Tally:
        """What the ledgers have counted, all partitions together."""
        return total_of(ledger.tally for ledger in self.ledgers)

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident as it stands, or None."""
        return self._ledger(incident_id).incident(incident_id)

    def loudest(self, most: int) -> list[tuple[str, Incident]]:
        """Return the `most` loudest incidents at `time`, the loudest first, ties by incident."""
        return loudest_of(most, self.incidents(), self.time, self.policy)

    def reached(self, most: int, at: float | None = None) -> Reached:
        """Return what all has come to, with the `most` loudest incidents, at `time` or `at` (epoch seconds)."""
        at = self.time if at is None else at
        untold = sum((Counter(ledger.untold) for ledger in self.ledgers), Counter[str]())
        incidents = list(self.incidents())
        loudest = loudest_of(most, incidents, at, self.policy)
        return Reached(
            at, self.profiles, self.items, self.rejected, untold, self.tally, len(incidents), loudest
        )

    def incidents(self) -> Iterator[tuple[str, Incident]]:
        """Yield every incident that has an item, in the order in which they were met; merged ones are left out."""
        for incident_id, ledger in self._ledger_of.items():
            incident = ledger.incident(incident_id)
            if incident is not None and incident.detected and incident.merged_into is None:
                yield incident_id, incident

    def resolve(self, incident_id: str) -> str:
        """Return the incident that counts the items of `incident_id`: itself, or the last it was merged into.

        A circle that no observation has gone round yet is left where it closes.
        """
        passed = {incident_id}
        while (incident := self.incident(incident_id)) is not None and incident.merged_into is not None:
            if incident.merged_into in passed:
                break
            incident_id = incident.merged_into
            passed.add(incident_id)
        return incident_id

    # -- within ---------------------------------------------------------------------------------------------

    def _follow(self, outputs: list[Output]) -> list[Output]:
        """Apply the observations among `outputs`, and what comes of them, in order; return all that is left to tell."""
        told: list[Output] = []
        coming = deque(outputs)
        while coming:
            output = coming.popleft()
            if not isinstance(output.event, SourceItem):
                told.append(output)
                continue
            self._offset += 1
            ledger = self._ledger(output.key)
            record = Raw(
                self._offset, round(self.received_at * MS_PER_S), output.key.encode(), encode(output.event)
            )
            coming.extend(apply_batch(ledger, SOURCE_ITEMS, ledger.partition, [record]).outputs)
        return told

    def _ledger(self, incident_id: str) -> Ledger:
        ledger = self._ledger_of.get(incident_id)
        if ledger is None:
            ledger = self._ledger_of[incident_id] = self.ledgers[self._partition_of(incident_id)]
        return ledger

    def _is_after(self, item: SourceItem) -> bool:
        return self._judge.times(item, self.received_at).now > self.until

    def _reject(self, value: bytes, key: str | None, place: Place, error: RecordError) -> list[Output]:
        """Return the dead letter of a record, after whatever fell due before it was found wanting."""
        self.rejected += 1
        file, line = place
        record = Raw(line, round(self.received_at * MS_PER_S), None if key is None else key.encode(), value)
        outputs = [] if key is None else self._ledger(key).collect().outputs
        return [*outputs, dead_letter(file, 0, record, error)]
