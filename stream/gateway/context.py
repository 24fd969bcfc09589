"""What every answer is made from: settings, policy, the view's reader, the hub of live events, metrics."""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web

from scoring.policy import Policy
from stream.gateway.hub import Hub
from stream.gateway.kafka_state import KafkaWatch
from stream.gateway.metrics import GatewayMetrics
from stream.settings import Settings
from stream.view.reader import ViewReader


class Context:
    """One gateway's parts; answers get it by `of(request)`."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        reader: ViewReader,
        hub: Hub,
        metrics: GatewayMetrics,
        kafka: KafkaWatch,
    ) -> None:
        self.settings, self.policy = settings, policy
        self.reader, self.hub, self.metrics, self.kafka = reader, hub, metrics, kafka
        self.started_at = time.time()


CONTEXT: Final = web.AppKey("context", Context)


def of(request: web.Request) -> Context:
    """The gateway that answers a request."""
    return request.app[CONTEXT]


def whole_seconds() -> float:
    """The wall clock in whole seconds: within one the same question has the same answer, so that an ETag can hold."""
    return float(int(time.time()))
