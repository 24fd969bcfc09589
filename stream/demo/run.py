"""The demo from broker to summary, to be read from top to bottom."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.noise_score import NoiseScore
from schemas.times import to_epoch
from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.board import BoardModel
from stream.board.reader import BoardReader, board_reader
from stream.board.screen import Show
from stream.demo.latency import Stopwatch
from stream.demo.pages import Pages
from stream.demo.story import Pace, Story
from stream.demo.summary import Seen, Summary, summarise
from stream.demo.workers import Workers
from stream.embedded_broker import EmbeddedBroker
from stream.kafka_clients import broker_errors, producer
from stream.settings import Settings, load_settings
from stream.topics import physical, specs

TICK_S: Final = 0.02
"""How long one look for events lasts at most: so exactly observations are sent when they are due."""
QUIET_S: Final = 0.5
"""Silence after which all that was sent counts as scored: the worker answers in a tenth of that."""
LINGER_MS: Final = 40
"""The embedded broker gives a fetch one batch of a partition at a time: small batches would make it the bottleneck."""
DRAIN_S: Final = 10.0
"""Longest wait for that silence."""
CLOSE_S: Final = 1.0
"""How long the producer may still send when the demo ends early; then nobody looks at it any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: `speed` is story time over time, `seconds` None for until it is stopped (or told).

    With `stay` the end of a recording does not end the demo. `port` is where the pages are.
    """

    story: Story
    speed: float
    seconds: float | None
    port: int
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


def play(
    plan: Plan, policy: str, model: BoardModel, show: Show, stopped: Callable[[], bool]
) -> Summary | None:
    """Play `plan` on `model`, showing it, until it is over or `stopped`; None if that was before it began.

    Raises ChildDiedError if a worker or the pages end, BrokerError if the embedded broker fails.
    """
    with ExitStack() as stack:
        settings = _settings("127.0.0.1:1", policy)
        broker = stack.enter_context(EmbeddedBroker({spec.name: spec.partitions for spec in specs(settings)}))
        settings = _settings(broker.bootstrap, policy)
        environ = environment(broker.bootstrap, policy)
        workers = stack.enter_context(Workers(plan.workers, environ))
        pages = stack.enter_context(Pages(plan.port, environ))
        stack.enter_context(broker_errors(settings, "the demo cannot go on"))
        reader = stack.enter_context(board_reader(settings))
        sender = stack.enter_context(_sender(settings))
        show(model)
        if not workers.until_ready(given_up=stopped) or not pages.until_ready(given_up=stopped):
            return None
        return _Performance(plan, settings, model, show, workers, pages, reader, sender).run(stopped)


def _settings(bootstrap: str, policy: str) -> Settings:
    """Return the settings of the demo as this process has them: those of its workers."""
    return load_settings(None, environment(bootstrap, policy, base={}))


@contextmanager
def _sender(settings: Settings) -> Iterator[KafkaProducer]:
    """Give a producer. What it could not send in the end is not worth an error: it would hide the real one."""
    client = producer(settings, linger_ms=LINGER_MS)
    try:
        yield client
    finally:
        with suppress(KafkaError):
            client.close(timeout=CLOSE_S)


class _Performance:
    """One demo under way: what is due is sent, what comes back is put on the board."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        model: BoardModel,
        show: Show,
        workers: Workers,
        pages: Pages,
        reader: BoardReader,
        producer: KafkaProducer,
    ) -> None:
        self._plan, self._model, self._show = plan, model, show
        self._workers, self._pages, self._reader, self._producer = workers, pages, reader, producer
        self._items, self._profiles = physical(settings, SOURCE_ITEMS), physical(settings, INCIDENT_PROFILES)
        self._stopwatch = Stopwatch()
        self._sent = 0
        self._failure: BaseException | None = None

    def run(self, stopped: Callable[[], bool]) -> Summary:
        """Play until it is over; then wait for what is on its way, but not if it was stopped."""
        plan, pace = self._plan, Pace(self._plan.story.observations, self._plan.speed)
        for profile, value in plan.story.profiles:
            self._send(self._profiles, profile.incident_id, value)
        began, now_s = time.monotonic(), 0.0
        while (
            not stopped() and (plan.seconds is None or now_s < plan.seconds) and (plan.stay or not pace.told)
        ):
            for observation in pace.due(now_s):
                self._send(self._items, observation.incident_id, observation.value, observation.at)
                if observation.incident_id is not None:
                    self._stopwatch.sent(observation.incident_id, observation.at, time.monotonic())
                self._sent += 1
            self._take()
            now_s = time.monotonic() - began
        if not stopped():
            self._drain()
        seen = Seen(self._pages.address, self._pages.shown(len(self._model.rows)))
        deadlines, latency = self._workers.deadlines(), self._stopwatch.latency()
        return summarise(self._model, now_s, self._sent, deadlines, latency, seen)

    def _drain(self) -> None:
        """Take what comes until nothing more does."""
        self._producer.flush()
        now = quiet_since = time.monotonic()
        give_up = now + DRAIN_S
        while now - quiet_since < QUIET_S and now < give_up:
            if self._take():
                quiet_since = time.monotonic()
            now = time.monotonic()

    def _take(self) -> bool:
        """Put on the board what has come, and show it; say whether a score was among it."""
        self._workers.check()
        self._pages.check()
        if self._failure is not None:
            raise self._failure
        scored = False
        events = self._reader.poll(TICK_S)
        now = time.monotonic()
        self._model.tick(now)
        for topic, event in events:
            self._model.apply(topic, event)
            if isinstance(event, NoiseScore):
                scored = True
                self._stopwatch.scored(event.incident_id, to_epoch(event.as_of), now)
        self._show(self._model)
        return scored

    def _send(self, topic: str, incident_id: str | None, value: bytes, at: float = 0.0) -> None:
        """Send a record; its time is that of the story, where it has one."""
        key = None if incident_id is None else incident_id.encode()
        stamp = round(at * 1000.0) if at else None
        self._producer.send(topic, key=key, value=value, timestamp_ms=stamp).add_errback(self._failed)

    def _failed(self, error: Any) -> None:
        self._failure = self._failure or error
