"""One partition as a worker has it, without Kafka: ledger, tables, encoding; what it writes is counted, not sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from agents.batch import apply_batch
from bench.throughput.loads import Record
from schemas.codec import encode
from schemas.topics import SOURCE_ITEMS
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import load_policy
from stream.worker.partitions import MOST_ROWS_HELD
from stream.worker.shelves import Shelf
from stream.worker.tables import PartitionRows, encode_rows

BATCH: Final = 2000
"""As `worker.max_batch_records`."""


class Raw(NamedTuple):
    """A record made to look like Kafka's."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes


class Cost(NamedTuple):
    """What so many events took: CPU seconds, and bytes of rows (keys with them) that go to the changelogs."""

    events: int
    cpu_s: float
    changelog: int

    @property
    def us(self) -> float:
        """Microseconds of CPU per event."""
        return 1e6 * self.cpu_s / self.events

    @property
    def bytes(self) -> float:
        """Bytes of changelog per event."""
        return self.changelog / self.events


class MeasuredPartition:
    """The partition; its tables lie on the shelves that it is given."""

    def __init__(self, incidents: Shelf, items: Shelf) -> None:
        self._rows = PartitionRows(incidents, items)
        self.ledger = Ledger(load_policy(), self._rows, clock=Clock.STREAM, conflate=True)
        self._offset = -1

    def apply(self, records: Iterable[Record], batch: int = BATCH) -> Cost:
        """Apply records in batches, and encode all they change; return what that took, without reading `records`."""
        events = changelog = 0
        cpu_s = 0.0
        coming = iter(records)
        while raws := [self._raw(record) for record in islice(coming, batch)]:
            began = time.process_time()
            changelog += self._apply(raws)
            cpu_s += time.process_time() - began
            events += len(raws)
        return Cost(events, cpu_s, changelog)

    def _apply(self, batch: Sequence[Raw]) -> int:
        changes = apply_batch(self.ledger, SOURCE_ITEMS, 0, batch)
        rows = encode_rows(changes)
        self._rows.coming(rows)
        for output in changes.outputs:
            encode(output.event)
        self._rows.arrived(rows, {"items": None, "incidents": None})
        if self.ledger.held > MOST_ROWS_HELD:
            self.ledger.forget()
        return sum(
            len(key) + len(row) for table in (rows.items, rows.incidents) for key, row in table.items()
        )

    def _raw(self, record: Record) -> Raw:
        self._offset += 1
        return Raw(self._offset, round(time.time() * 1000), *record)
