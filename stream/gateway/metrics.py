"""The metrics of the gateway (prometheus-client): base units, labels bounded by routes, forms and topics."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FORMS: Final = ("sse", "websocket")
ENDS: Final = ("left", "slow", "stopped", "failed")
"""How a live connection ends: the reader left; it was too slow and was cut off; the gateway stopped; Redis was away
before all that was missed had been told."""


class GatewayMetrics:
    """Everything an operator sees of one gateway; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        registry = self.registry
        self._requests = Counter(
            "decibel_gateway_requests",
            "Requests answered, by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "decibel_gateway_request_seconds",
            "Time until an answer stood; live connections and exports are not in it.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._clients = Gauge(
            "decibel_gateway_live_clients", "Live connections now.", ["form"], registry=registry
        )
        self._ended = Counter(
            "decibel_gateway_live_ended", "Live connections that ended, by how.", ["how"], registry=registry
        )
        self._read = Counter(
            "decibel_gateway_live_events", "Events read from the live stream.", registry=registry
        )
        self._sent = Counter(
            "decibel_gateway_live_sent", "Events handed to live connections.", registry=registry
        )
        self._bytes = Counter(
            "decibel_gateway_live_sent_bytes", "Bytes handed to live connections.", registry=registry
        )
        self._delivery = Histogram(
            "decibel_gateway_delivery_seconds",
            "From when Redis took the oldest of the events read at once until they were handed to all connections.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._gaps = Counter(
            "decibel_gateway_live_gaps",
            "How often live connections were told to read everything anew: events were gone before they were read.",
            registry=registry,
        )
        self._errors = Counter(
            "decibel_gateway_view_errors", "Failed attempts to read the live stream.", registry=registry
        )
        self._ready = Gauge(
            "decibel_gateway_ready",
            "1 while the live stream is read, 0 while it cannot be.",
            registry=registry,
        )
        for form in FORMS:
            self._clients.labels(form)
        for how in ENDS:
            self._ended.labels(how)
        self.dropped = 0
        self.delivered = 0

    def answered(self, route: str, status: int, seconds: float | None) -> None:
        """Count a request; `seconds` is how long it took, None where that says nothing."""
        self._requests.labels(route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def joined(self, form: str) -> None:
        """Note a live connection, of one of FORMS."""
        self._clients.labels(form).inc()

    def ended(self, form: str, how: str) -> None:
        """Note that one has ended, by one of ENDS."""
        self._clients.labels(form).dec()
        self._ended.labels(how).inc()
        if how == "slow":
            self.dropped += 1

    def heard(self, events: int) -> None:
        """Count events read from the live stream."""
        self._read.inc(events)

    def sent(self, events: int, size: int) -> None:
        """Count events handed to connections, and their bytes."""
        self.delivered += events
        self._sent.inc(events)
        self._bytes.inc(size)

    def delivered_after(self, seconds: float) -> None:
        """Note how old the oldest event of a turn was when all had it."""
        self._delivery.observe(seconds)

    def gap(self) -> None:
        """Count that listeners were told to begin anew."""
        self._gaps.inc()

    def failed(self) -> None:
        """Count a failed read of the live stream."""
        self._errors.inc()

    def ready(self, *, ready: bool) -> None:
        """Note whether the live stream is read."""
        self._ready.set(1 if ready else 0)
