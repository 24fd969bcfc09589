"""Several partitions with what each has of both source topics, its ledger, its stored rows and its committed offsets.

A test says in which order the partitions read, in what batches, and where a worker dies in a commit. What a merged
incident sends to another one lands in that one's partition when the outputs of its batch are sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.cloudevents import Output
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from scoring.incident import Incident
from tests.builders import hours
from tests.driver import Driver, EncodedChanges, Raw

TOPICS = (SOURCE_ITEMS, INCIDENT_PROFILES)
ARRIVAL = hours(24.0 * 6)
"""When the first record arrives: what a test says was observed is not of the future then."""

ALL = -1
"""Bits that choose every one."""


class Step(NamedTuple):
    """A partition reads the next `size` records of a topic. It dies on the way if `dies`.

    Then the bits say which of the outputs were sent (each only if all before it were), which item rows stored if all
    outputs were sent, which incident rows if all item rows were; the offset is not committed.
    """

    partition: int
    profiles: bool
    size: int
    dies: bool = False
    outputs: int = ALL
    item_rows: int = ALL
    incident_rows: int = ALL


class Cluster:
    """The partitions of a deployment, the incidents placed in them as `places` says."""

    def __init__(self, places: Mapping[str, int], clock: str = "stream", *, conflate: bool = False) -> None:
        self.places = places
        numbers = range(max(places.values()) + 1)
        self.drivers = [Driver(clock=clock, conflate=conflate) for _ in numbers]
        self.logs: list[dict[str, list[Raw]]] = [{topic: [] for topic in TOPICS} for _ in numbers]
        self.committed = [dict.fromkeys(TOPICS, 0) for _ in numbers]
        self.arrived = 0

    def send(self, event: SourceItem | IncidentProfile) -> None:
        """Append a record to the partition of its incident, as a crawler or an editor does."""
        self.arrived += 1
        partition = self.places[event.incident_id]
        topic = SOURCE_ITEMS if isinstance(event, SourceItem) else INCIDENT_PROFILES
        record = self.drivers[partition].record(event, topic=topic, at=ARRIVAL + self.arrived)
        self.logs[partition][topic].append(record)

    def take(self, step: Step) -> None:
        """Read, apply and commit a batch as `step` says."""
        topic = TOPICS[step.profiles]
        driver, start = self.drivers[step.partition], self.committed[step.partition][topic]
        records = self.logs[step.partition][topic][start : start + step.size]
        if not records and not step.dies:
            return
        changes = driver.apply(records, topic)
        if not step.dies:
            self._send(changes.outputs)
            driver.store(changes)
            self.committed[step.partition][topic] += len(records)
            return
        self._die(driver, changes, step)

    def drain(self, size: int = 3) -> None:
        """Read until nothing is left anywhere; what goes round for ever fails."""
        for _ in range(2000):
            behind = [
                (partition, topic)
                for partition, log in enumerate(self.logs)
                for topic in TOPICS
                if self.committed[partition][topic] < len(log[topic])
            ]
            if not behind:
                return
            for partition, topic in behind:
                self.take(Step(partition, topic == INCIDENT_PROFILES, size))
        raise AssertionError("records go round for ever")

    def state(self, incident_id: str) -> Incident:
        """Return the row of an incident as it stands, without evidence if there is none."""
        return self.drivers[self.places[incident_id]].ledger.incident(incident_id) or Incident()

    def outputs(self, topic: str) -> list[Output]:
        """Return the outputs of a topic so far, partition by partition."""
        return [each for driver in self.drivers for each in driver.outputs(topic)]

    def _die(self, driver: Driver, changes: EncodedChanges, step: Step) -> None:
        sent = changes.outputs if step.outputs == ALL else changes.outputs[: step.outputs]
        self._send(sent)
        if len(sent) == len(changes.outputs):
            driver.rows.put_items(_some(changes.items, step.item_rows))
            if step.item_rows == ALL:
                driver.rows.put_incidents(_some(changes.incidents, step.incident_rows))
        driver.restart()

    def _send(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output.event, SourceItem):
                self.send(output.event)


def _some(rows: dict, bits: int) -> dict:
    return {key: row for number, (key, row) in enumerate(rows.items()) if bits >> number & 1}
