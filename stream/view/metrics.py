"""The metrics of the sink (prometheus-client): base units, labels that are bounded by the topics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from stream.view.entries import TOPICS

# From half a millisecond to the time after which Redis counts as away.
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
OUTCOMES: Final = ("new", "repeated", "unreadable")
ERRORS: Final = ("redis", "displaced")
"""What keeps a sink from going on: Redis did not serve; or the view stands elsewhere than the sink thought."""


class ViewMetrics:
    """Everything an operator sees of one sink; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        registry = self.registry
        self._events = Counter(
            "decibel_view_events",
            "Events read for the view, by topic and by what came of them.",
            ["topic", "outcome"],
            registry=registry,
        )
        self._lag_records = Gauge(
            "decibel_view_lag_records", "Records not yet in the view.", ["topic"], registry=registry
        )
        self._lag_seconds = Gauge(
            "decibel_view_lag_seconds",
            "Age of the last record in the view, 0 where all are.",
            ["topic"],
            registry=registry,
        )
        self._pipeline = Histogram(
            "decibel_view_pipeline_seconds",
            "Time of one write: records and their offsets, in one round trip.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "decibel_view_errors", "What kept the sink from going on.", ["kind"], registry=registry
        )
        self._last_error = Gauge(
            "decibel_view_last_error_timestamp_seconds",
            "When something last did, 0 for never.",
            registry=registry,
        )
        self._generation = Gauge(
            "decibel_view_generation", "The generation that is written.", registry=registry
        )
        self._ready = Gauge(
            "decibel_view_ready", "1 when the sink writes, 0 while it cannot.", registry=registry
        )
        for topic in TOPICS:  # at 0 from the start: no rate sees a 1 that had no 0 before it
            self._lag_records.labels(topic)
            self._lag_seconds.labels(topic)
            for outcome in OUTCOMES:
                self._events.labels(topic, outcome)
        for kind in ERRORS:
            self._errors.labels(kind)

    def read(self, outcome: str, counts: Mapping[str, int]) -> None:
        """Count events by topic, of one of OUTCOMES."""
        for topic, count in counts.items():
            self._events.labels(topic, outcome).inc(count)

    def written(self, seconds: float) -> None:
        """Note how long a write took."""
        self._pipeline.observe(seconds)

    def lag(self, topic: str, records: int, seconds: float) -> None:
        """Note how far the view is behind a topic."""
        self._lag_records.labels(topic).set(records)
        self._lag_seconds.labels(topic).set(seconds)

    def failed(self, kind: str) -> None:
        """Count one of ERRORS."""
        self._errors.labels(kind).inc()
        self._last_error.set(time.time())

    def generation(self, number: int) -> None:
        """Note which generation is written."""
        self._generation.set(number)

    def ready(self, *, ready: bool) -> None:
        """Note whether the sink writes."""
        self._ready.set(1 if ready else 0)
