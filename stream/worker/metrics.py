"""The metrics of a worker (prometheus-client): base units, bounded labels, updated once a batch.

No label holds an incident or an item: their number has no bound.
"""

from __future__ import annotations

from collections import Counter as Tallies
from collections.abc import Collection
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from schemas.cloudevents import Output
from schemas.dead_letter import DeadLetter
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from scoring.changes import Tally

# From a fifth of a millisecond to ten seconds: a batch of one record, or one of thousands and a slow broker.
_SECONDS: Final = (0.0002, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REASONS: Final = ("empty", "not-json", "invalid", "absurd-time", "oversized", "key", "merge")
"""Why a worker rejects records. All are there from the start, at 0: no rate sees a 1 that had no 0 before it."""

_RECORDS: Final = (1, 5, 10, 50, 100, 500, 1000, 2000, 5000, 10000, 20000)


class WorkerMetrics:
    """Everything an operator sees of one worker; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # When it was started (so that restarts can be seen), memory, CPU time, open files.
        ProcessCollector(registry=self.registry)
        self._count_flow()
        self._count_state()

    def _count_flow(self) -> None:
        registry = self.registry
        self._items = Counter(
            "decibel_items",
            "Observations read, by platform and by what came of them.",
            ["platform", "outcome"],
            registry=registry,
        )
        self._profiles = Counter(
            "decibel_profiles", "Incident profiles that changed their incident.", registry=registry
        )
        self._revisions = Counter(
            "decibel_revisions",
            "Updates of incidents: by an observation, a profile or a deadline that changed one.",
            registry=registry,
        )
        self._events = Counter("decibel_events", "Events emitted, by topic.", ["topic"], registry=registry)
        self._states = Counter("decibel_state_changes", "State changes emitted.", ["to"], registry=registry)
        self._peaks = Counter(
            "decibel_peak_crossings", "Peak crossings emitted.", ["kind"], registry=registry
        )
        self._letters = Counter(
            "decibel_dead_letters", "Records not accepted.", ["reason"], registry=registry
        )
        for reason in _REASONS:
            self._letters.labels(reason)
        self._deadlines = Counter("decibel_deadlines", "Deadlines that came due.", registry=registry)
        self._batch_records = Histogram(
            "decibel_batch_records", "Records in a batch.", buckets=_RECORDS, registry=registry
        )
        self._apply = Histogram(
            "decibel_batch_apply_seconds",
            "Time to apply a batch to the ledger.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._window_records = Histogram(
            "decibel_window_records",
            "Records applied in a conflation window.",
            buckets=_RECORDS,
            registry=registry,
        )
        self._collect = Histogram(
            "decibel_window_collect_seconds",
            "Time to collect and encode what a window has changed.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._commit = Histogram(
            "decibel_batch_commit_seconds",
            "Time until the outputs and changelogs of a commit were acknowledged.",
            buckets=_SECONDS,
            registry=registry,
        )

    def _count_state(self) -> None:
        registry = self.registry
        self._lag_records = Gauge(
            "decibel_lag_records",
            "Records not yet read of a partition of source-items.",
            ["partition"],
            registry=registry,
        )
        self._lag_seconds = Gauge(
            "decibel_lag_seconds",
            "Age of the last record applied, 0 where all are.",
            ["partition"],
            registry=registry,
        )
        self._rows = Gauge("decibel_table_rows", "Rows in a table.", ["table"], registry=registry)
        self._planned = Gauge("decibel_deadlines_planned", "Incidents with a deadline.", registry=registry)
        self._owned = Gauge("decibel_partitions_owned", "Partitions this worker scores.", registry=registry)
        self._recovered = Counter(
            "decibel_recovered_incidents", "Incidents recovered from tables.", registry=registry
        )
        self._recovery = Counter(
            "decibel_recovery_seconds",
            "Time spent rebuilding ledgers from recovered tables.",
            registry=registry,
        )
        self._rebalances = Counter(
            "decibel_rebalances", "Rebalances this worker took part in.", registry=registry
        )
        self._ready = Gauge(
            "decibel_ready", "1 when the worker scores, 0 while it recovers.", registry=registry
        )

    def batch(self, records: int, apply_s: float) -> None:
        """Note a batch: how many records, and how long it took to apply (seconds)."""
        self._batch_records.observe(records)
        self._apply.observe(apply_s)

    def window(self, records: int, collect_s: float) -> None:
        """Note a window that has closed: how many records, and how long it took to collect (seconds)."""
        self._window_records.observe(records)
        self._collect.observe(collect_s)

    def tally(self, tally: Tally) -> None:
        """Add the counts of a ledger since they were last taken."""
        for outcome, by_platform in tally.items.items():
            for platform, count in by_platform.items():
                self._items.labels(platform, outcome.value).inc(count)
        self._profiles.inc(tally.profiles)
        self._revisions.inc(tally.revisions)
        self._deadlines.inc(tally.deadlines)

    def outputs(self, outputs: Collection[Output]) -> None:
        """Count what goes out."""
        counts: Tallies[tuple[Counter, str]] = Tallies()
        for output in outputs:
            event = output.event
            counts[self._events, output.topic] += 1
            if isinstance(event, StateChange):
                counts[self._states, event.to.value] += 1
            elif isinstance(event, PeakCrossing):
                counts[self._peaks, event.kind.value] += 1
            elif isinstance(event, DeadLetter):
                counts[self._letters, event.reason] += 1
        for (counter, label), count in counts.items():
            counter.labels(label).inc(count)

    def committed(self, seconds: float) -> None:
        """Note how long a commit took until all of it was acknowledged."""
        self._commit.observe(seconds)

    def recovered(self, incidents: int, seconds: float) -> None:
        """Note that a partition was rebuilt."""
        self._recovered.inc(incidents)
        self._recovery.inc(seconds)

    def owned(self, partitions: int) -> None:
        """Note how many partitions this worker has."""
        self._owned.set(partitions)

    def ready(self, *, ready: bool) -> None:
        """Note whether the worker scores."""
        self._ready.set(1 if ready else 0)

    def rebalanced(self) -> None:
        """Count a rebalance."""
        self._rebalances.inc()

    def planned(self, incidents: int) -> None:
        """Note how many incidents have a deadline."""
        self._planned.set(incidents)

    def rows(self, incidents: int, items: int) -> None:
        """Note the size of the tables."""
        self._rows.labels("incidents").set(incidents)
        self._rows.labels("items").set(items)

    def lag(self, partition: int, records: int, seconds: float) -> None:
        """Note how far a partition is behind its source."""
        self._lag_records.labels(str(partition)).set(records)
        self._lag_seconds.labels(str(partition)).set(seconds)

    def lag_gone(self, partition: int) -> None:
        """Forget a partition that is scored elsewhere now."""
        for gauge in (self._lag_records, self._lag_seconds):
            try:
                gauge.remove(str(partition))
            except KeyError:
                continue
