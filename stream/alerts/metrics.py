"""The metrics of the alerts' process (prometheus-client): labels are bounded by topics, and by rules and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.process_collector import ProcessCollector

from stream.alerts.answers import Outcome
from stream.alerts.heard import TOPICS
from stream.alerts.outbox import Backlog

OUTCOMES: Final = ("delivered", "failed")
"""How a delivery ends."""


class AlertMetrics:
    """Everything an operator sees of alerting; each instance has a registry of its own."""

    def __init__(self, channels: Iterable[str] = (), rules: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        registry, self._channels = self.registry, tuple(channels)
        self._events = Counter(
            "decibel_alerts_events", "Events read for alerting.", ["topic"], registry=registry
        )
        self._unreadable = Counter(
            "decibel_alerts_unreadable", "Records that could not be read.", ["topic"], registry=registry
        )
        self._notices = Counter(
            "decibel_alerts_notices", "Notices that rules have made, by rule.", ["rule"], registry=registry
        )
        self._attempts = Counter(
            "decibel_alerts_attempts",
            "Attempts to deliver, by what became of them.",
            ["channel", "outcome"],
            registry=registry,
        )
        self._deliveries = Counter(
            "decibel_alerts_deliveries",
            "Deliveries that ended: delivered, or failed for good.",
            ["channel", "outcome"],
            registry=registry,
        )
        self._pending = Gauge(
            "decibel_alerts_pending", "Notices that wait for their delivery.", ["channel"], registry=registry
        )
        self._pending_age = Gauge(
            "decibel_alerts_pending_age_seconds",
            "Age of the oldest notice that waits, 0 where none does.",
            ["channel"],
            registry=registry,
        )
        self._undelivered = Gauge(
            "decibel_alerts_failed",
            "Notices kept that failed for good; `decibel alerts list --pending` shows them.",
            ["channel"],
            registry=registry,
        )
        self._collecting = Gauge(
            "decibel_alerts_collecting",
            "Alerts that wait for their digest or for the end of quiet hours.",
            registry=registry,
        )
        self._lag_records = Gauge(
            "decibel_alerts_lag_records", "Records not yet judged.", ["topic"], registry=registry
        )
        for topic in TOPICS:  # at 0 from the start: no rate sees a 1 that had no 0 before it
            self._events.labels(topic)
            self._unreadable.labels(topic)
            self._lag_records.labels(topic)
        for rule in rules:
            self._notices.labels(rule)
        for channel in self._channels:
            for outcome in OUTCOMES:
                self._deliveries.labels(channel, outcome)
            for attempt in Outcome:
                self._attempts.labels(channel, attempt.value)
        self.backlogs({}, 0.0)

    def read(self, topic: str, *, readable: bool) -> None:
        """Count an event that was read, or could not be."""
        (self._events if readable else self._unreadable).labels(topic).inc()

    def told(self, rule: str) -> None:
        """Count a notice."""
        self._notices.labels(rule).inc()

    def attempted(self, channel: str, outcome: Outcome) -> None:
        """Count an attempt."""
        self._attempts.labels(channel, outcome.value).inc()

    def ended(self, channel: str, outcome: str, count: int = 1) -> None:
        """Count deliveries that ended, by one of OUTCOMES."""
        self._deliveries.labels(channel, outcome).inc(count)

    def backlogs(self, backlogs: Mapping[str, Backlog], now: float) -> None:
        """Note what waits, and what has failed."""
        for channel in self._channels:
            backlog = backlogs.get(channel, Backlog(0, None, 0))
            oldest = now if backlog.oldest is None else backlog.oldest
            self._pending.labels(channel).set(backlog.pending)
            self._pending_age.labels(channel).set(max(0.0, now - oldest))
            self._undelivered.labels(channel).set(backlog.failed)

    def collecting(self, count: int) -> None:
        """Note how many alerts wait to be told."""
        self._collecting.set(count)

    def lag(self, topic: str, records: int) -> None:
        """Note how many records of a topic are not judged yet."""
        self._lag_records.labels(topic).set(records)
