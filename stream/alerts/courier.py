"""The courier of one channel: takes deliveries from the outbox, one after the other, and notes what became of each.

Each channel has one of its own, so that a dead one holds up no other. What a channel has taken is noted, on the disk,
before anything else is done: only a process that is killed between the two tells a notice again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from schemas.times import HOUR_S
from stream.alerts.answers import Answer, Outcome, pause_s
from stream.alerts.metrics import AlertMetrics
from stream.alerts.notices import Notice
from stream.alerts.outbox import Delivery, Outbox
from stream.settings import AlertSettings

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0
"""How often a courier looks without being woken: whether something is to be given up."""


class Sender(Protocol):
    """What delivers to one channel."""

    async def send(self, notice: Notice) -> Answer:
        """Try once; what goes wrong outside is an answer, never an exception."""


class Courier:
    """Delivers to `channel` by `sender`. `wake` is set when there is something new."""

    def __init__(
        self,
        channel: str,
        sender: Sender,
        outbox: Outbox,
        settings: AlertSettings,
        metrics: AlertMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.channel, self.wake = channel, asyncio.Event()
        self._sender, self._outbox, self._settings = sender, outbox, settings
        self._metrics, self._clock = metrics, clock
        self._failures = 0
        self._paused_until = 0.0

    @property
    def away(self) -> bool:
        """Whether its last attempt failed."""
        return self._failures > 0

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, and `wake` with it."""
        while not stop.is_set():
            self.wake.clear()
            now = self._clock()
            self._give_up(now)
            delivery = self._outbox.next_for(self.channel, now) if now >= self._paused_until else None
            if delivery is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), self._sleep_s(now))
                continue
            self._note(delivery, await self._attempt(delivery.notice))

    async def _attempt(self, notice: Notice) -> Answer:
        try:
            return await self._sender.send(notice)
        except Exception as error:  # a fault in one channel's library must not end the others
            log.exception("channel %s: sending %s failed unexpectedly", self.channel, notice.id)
            return Answer(Outcome.FAILED, f"failed unexpectedly: {type(error).__name__}")

    def _note(self, delivery: Delivery, answer: Answer) -> None:
        now = self._clock()
        if answer.outcome is Outcome.TAKEN:
            self._outbox.delivered(delivery.number, now)
            self._failures, self._paused_until = 0, 0.0
            self._metrics.ended(self.channel, "delivered")
        elif answer.outcome is Outcome.REFUSED:
            self._outbox.failed(delivery.number, now, answer.detail)
            self._metrics.ended(self.channel, "failed")
            log.error("channel %s refuses %s: %s", self.channel, delivery.notice.id, answer.detail)
        else:
            self._postpone(delivery, answer, now)
        self._metrics.attempted(self.channel, answer.outcome)

    def _postpone(self, delivery: Delivery, answer: Answer, now: float) -> None:
        """Pause: the whole channel where it is away, longer each time; else above all this delivery."""
        self._failures += 1
        pause = max(self._pause_s(self._failures), answer.retry_after_s)
        due = now + pause
        if answer.outcome is Outcome.FAILED:
            due = now + self._pause_s(delivery.attempts + 1)
            pause = min(pause, self._pause_s(1))
        self._paused_until = now + pause
        self._outbox.postponed(delivery.number, due, answer.detail)
        log.warning(
            "channel %s did not take %s (attempt %d): %s; again in %.1f s",
            self.channel,
            delivery.notice.id,
            delivery.attempts + 1,
            answer.detail,
            due - now,
        )

    def _give_up(self, now: float) -> None:
        count = self._outbox.give_up(self.channel, now - self._settings.give_up_h * HOUR_S, now)
        if count:
            self._metrics.ended(self.channel, "failed", count)
            log.error("channel %s: %d notices given up; `decibel alerts list --pending`", self.channel, count)

    def _pause_s(self, failures: int) -> float:
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        return pause_s(failures, self._settings.first_retry_s, self._settings.longest_retry_s, chance)

    def _sleep_s(self, now: float) -> float:
        due = self._outbox.next_due(self.channel)
        wanted = LOOK_EVERY_S if due is None else max(due, self._paused_until) - now
        return min(LOOK_EVERY_S, max(0.0, wanted))
