"""The demo from broker to summary, to be read from top to bottom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stream.demo.story import Story

TICK_S: Final = 0.02
"""How long one look for events lasts at most: so exactly observations are sent when they are due."""
QUIET_S: Final = 0.5
"""Silence after which all that was sent counts as scored: the worker answers in a tenth of that."""
DRAIN_S: Final = 10.0
"""Longest wait for that silence."""

_KEPT: Final = ("DECIBEL_POLICY",)
"""Settings that the demo takes over; where Kafka is and how it is reached are its own business."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: `speed` is story time over time, `seconds` None for until it is stopped (or told).

    With `stay` the end of a recording does not end the demo.
    """

    story: Story
    speed: float
    seconds: float | None
    workers: int = 1
    stay: bool = False


def environment(bootstrap: str, policy: str = "", base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of the demo's workers: `base` without the settings of another deployment."""
    inherited = {name: value for name, value in base.items() if not name.startswith("DECIBEL_")}
    chosen = {
        "DECIBEL_POLICY": policy,
        "DECIBEL_APP_ID": "decibel-demo",
        "DECIBEL_CLOCK": "stream",
        "DECIBEL_KAFKA_BOOTSTRAP": bootstrap,
        "DECIBEL_KAFKA_API_VERSION": "2.3",
        "DECIBEL_WORKER_HTTP_PORT": "0",
        # A member that joins again waits for a session: see `stream.embedded_broker`.
        "DECIBEL_WORKER_SESSION_TIMEOUT_S": "2",
        "DECIBEL_WORKER_HEARTBEAT_S": "0.5",
        # The embedded broker wakes no fetch that waits: what comes meanwhile is this much late.
        "DECIBEL_WORKER_FETCH_WAIT_MS": "20",
    }
    return inherited | chosen
