"""Drive the ledger as Kafka Streams' TopologyTestDriver drives a topology: pipe a record, advance the clock,
read what comes out, look into the state.

Records go through `agents.batch` as bytes, as in the worker. With `stored=True` every batch begins with the rows
that the one before has left in a store of bytes, and `restart` begins with those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agents.batch import apply_batch, apply_records
from schemas.cloudevents import Output
from schemas.codec import encode
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.times import to_epoch
from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from scoring.changes import Changes, ItemKey
from scoring.clock import Clock
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.ledger import Ledger
from scoring.policy import Policy, load_policy
from scoring.rows import Glance, decode_incident, decode_item_row, encode_row, glance

SHIPPED_POLICY = load_policy()


class Raw(NamedTuple):
    """A record as the consumer gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class StoredRows:
    """Rows as the worker's tables hold them: bytes by key, decoded anew at each read.

    As in a recovery from the changelogs, a row never gives way to one with a lower stamp.
    """

    def __init__(self) -> None:
        self.incident_rows: dict[str, bytes] = {}
        self.item_rows: dict[ItemKey, bytes] = {}

    def incident(self, incident_id: str) -> Incident | None:
        row = self.incident_rows.get(incident_id)
        return None if row is None else decode_incident(row)

    def item(self, incident_id: str, item_id: str) -> ItemRow | None:
        row = self.item_rows.get((incident_id, item_id))
        return None if row is None else decode_item_row(row)

    def items(self, incident_id: str) -> Iterator[tuple[str, ItemRow]]:
        for (group, item_id), row in self.item_rows.items():
            if group == incident_id:
                yield item_id, decode_item_row(row)

    def glances(self) -> Iterator[tuple[str, Glance]]:
        for incident_id, row in self.incident_rows.items():
            yield incident_id, glance(row)

    def put_items(self, rows: dict[ItemKey, bytes]) -> None:
        for key, row in rows.items():
            present = self.item(*key)
            if present is None or decode_item_row(row).offset >= present.offset:
                self.item_rows[key] = row

    def put_incidents(self, rows: dict[str, bytes]) -> None:
        self.incident_rows.update(rows)


class EncodedChanges(NamedTuple):
    """What one batch has changed, its rows encoded at once: they go on changing with the next batch."""

    outputs: list[Output]
    items: dict[ItemKey, bytes]
    incidents: dict[str, bytes]


class Driver:
    """A ledger with its records, its clock and its outputs. `clock` is "stream" or "wall"."""

    def __init__(
        self,
        policy: Policy | None = None,
        clock: str = "stream",
        *,
        conflate: bool = False,
        stored: bool = False,
        partition: int = 0,
    ) -> None:
        self.policy, self.clock, self.conflate, self.stored = (
            policy or SHIPPED_POLICY,
            Clock(clock),
            conflate,
            stored,
        )
        self.partition = partition
        self.rows = StoredRows()
        self.ledger = self._ledger()
        self.log: list[Output] = []
        self._next_offset = {SOURCE_ITEMS: 0, INCIDENT_PROFILES: 0}
        self._read = 0

    # -- in ------------------------------------------------------------------------------------------------------

    def pipe(
        self, value: SourceItem | bytes | None, *, key: bytes | str | None = "", at: float | None = None
    ) -> list[Output]:
        """Apply one record of source-items as a batch of its own; `at` is its Kafka timestamp, epoch seconds."""
        return self.batch([self.record(value, key=key, at=at)])

    def profile(self, value: IncidentProfile | bytes | None, *, at: float | None = None) -> list[Output]:
        """Apply one record of incident-profiles as a batch of its own."""
        return self.batch([self.record(value, topic=INCIDENT_PROFILES, at=at)], INCIDENT_PROFILES)

    def record(
        self,
        value: SourceItem | IncidentProfile | bytes | None,
        *,
        topic: str = SOURCE_ITEMS,
        key: bytes | str | None = "",
        at: float | None = None,
    ) -> Raw:
        """Return the next record of a topic; its key is the incident's unless given, its time that of the item."""
        if at is None:
            observed = value.observed_at or value.published_at if isinstance(value, SourceItem) else None
            at = self.ledger.time if observed is None else to_epoch(observed)
        if key == "":
            key = value.incident_id if isinstance(value, SourceItem | IncidentProfile) else "leak"
        offset = self._next_offset[topic]
        self._next_offset[topic] += 1
        return Raw(
            offset,
            round(at * 1000.0),
            key.encode() if isinstance(key, str) else key,
            encode(value) if isinstance(value, SourceItem | IncidentProfile) else value,
        )

    def batch(self, records: Sequence[Raw], topic: str = SOURCE_ITEMS) -> list[Output]:
        """Apply records as one batch, store its rows, and return its outputs.

        What a merged incident sends to another one is read as the next batches, until nothing more comes.
        """
        outputs = self._keep(apply_batch(self.ledger, topic, 0, records))
        sent = [each for each in outputs if isinstance(each.event, SourceItem)]
        if sent:
            outputs += self.batch([self.record(each.event, at=each.at) for each in sent])
        return outputs

    def advance(self, to: float) -> list[Output]:
        """Move the clock, firing what is due on the way; return the outputs."""
        self.ledger.advance(to)
        return self._keep(self.ledger.collect())

    # -- out -----------------------------------------------------------------------------------------------------

    def outputs(self, topic: str | None = None) -> list[Output]:
        """Return the outputs since the last call, or all so far of one topic."""
        if topic is not None:
            return [each for each in self.log if each.topic == topic]
        new, self._read = self.log[self._read :], len(self.log)
        return new

    def events(self, topic: str) -> list:
        """Return the events of a topic so far."""
        return [each.event for each in self.outputs(topic)]

    def state(self, incident_id: str = "leak") -> Incident:
        """Return the row of an incident as it stands."""
        incident = self.ledger.incident(incident_id)
        assert incident is not None, f"no incident {incident_id!r}"
        return incident

    # -- storing and crashing ------------------------------------------------------------------------------------

    def apply(self, records: Iterable[Raw], topic: str = SOURCE_ITEMS) -> EncodedChanges:
        """Apply a batch and return what it changed, without storing anything: the caller says what is stored."""
        changes = encode_changes(apply_batch(self.ledger, topic, 0, records))
        self.log.extend(changes.outputs)
        return changes

    def tell(self, records: Iterable[Raw], topic: str = SOURCE_ITEMS) -> None:
        """Apply a batch whose events leave before its rows, which are still to be collected."""
        apply_records(self.ledger, topic, 0, records)
        self.log.extend(self.ledger.tell())

    def store(self, changes: EncodedChanges) -> None:
        """Store the rows of a batch, items first, and let the ledger read them anew."""
        self.rows.put_items(changes.items)
        self.rows.put_incidents(changes.incidents)
        self.ledger.forget()

    def restart(self) -> None:
        """Begin anew with the stored rows alone, as a worker does after a crash."""
        self.ledger = self._ledger()
        self.ledger.recover()

    def _ledger(self) -> Ledger:
        return Ledger(
            self.policy, self.rows, clock=self.clock, partition=self.partition, conflate=self.conflate
        )

    def _keep(self, changes: Changes) -> list[Output]:
        self.log.extend(changes.outputs)
        if self.stored:
            self.store(encode_changes(changes))
        return list(changes.outputs)


def encode_changes(changes: Changes) -> EncodedChanges:
    """Encode the rows of a batch while they are as the batch left them."""
    return EncodedChanges(
        list(changes.outputs),
        {key: encode_row(row) for key, row in changes.items.items()},
        {incident_id: encode_row(row) for incident_id, row in changes.incidents.items()},
    )


def wire(outputs: Iterable[Output]) -> dict[str, bytes]:
    """Return outputs as id -> bytes on the wire; the same id must not say two things."""
    said: dict[str, bytes] = {}
    for output in outputs:
        value = encode(output.event)
        assert said.setdefault(output.id, value) == value, f"{output.id} says two things"
    return said
