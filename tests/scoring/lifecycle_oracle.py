"""The lifecycle by brute force: metrics recounted from all items, timers started and stopped at every instant
at which a metric crosses a value, found by halving intervals. Slow, and without any closed form.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scoring.policy import Policy
from tests import oracle

HOUR_S = 3600.0


class Step(NamedTuple):
    at: float
    previous: str
    to: str


class LifecycleOracle:
    """Feed it observations in the order of their times, then let it run on; `steps` is what happened."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.rules = policy, policy.lifecycle.rules
        self.seen, self.items = [], []
        self.now = self.state_since = 0.0
        self.state, self.stepped_back = "Emerging", False
        self.since: dict[int, float] = {}
        self.steps: list[Step] = []
        self.impact: float | None = None

    def observe(self, item) -> None:
        at = round(item.observed_at.timestamp(), 3)
        if self.seen:
            self.run(at)
        else:
            self.state_since = at
        self.seen.append(item)
        self.items = oracle.standing(self.seen, self.policy)
        self.now = at
        self._evaluate()

    def profile(self, impact: float, at: float) -> None:
        """The editors assess the impact; it holds from `at` on."""
        if self.seen:
            self.run(at)
        self.impact = impact
        if self.seen:
            self._evaluate()

    def run(self, until: float) -> None:
        while (tick := self._next_tick(until)) is not None:
            self.now = tick
            self._evaluate()
        self.now = until

    def _next_tick(self, until: float) -> float | None:
        ticks = [round(self.state_since + HOUR_S * self.policy.lifecycle.cooldown_h[self.state], 3)]
        for number, rule in self._active():
            if number in self.since:
                ticks.append(round(self.since[number] + HOUR_S * rule.hold_h, 3))
            ticks += [
                self._crossing(condition, self.now, until)
                for condition in rule.when
                if self._above(condition, self.now) and not self._above(condition, until)
            ]
        return min((tick for tick in ticks if self.now < tick <= until), default=None)

    def _crossing(self, condition, low: float, high: float) -> float:
        while high - low > 0.0005:
            middle = (low + high) / 2.0
            low, high = (middle, high) if self._above(condition, middle) else (low, middle)
        return math.ceil(high * 1000.0) / 1000.0

    def _evaluate(self) -> None:
        while True:
            active = dict(self._active())
            self.since = {number: at for number, at in self.since.items() if number in active}
            for number, rule in active.items():
                if all(self._holds(condition) for condition in rule.when):
                    self.since.setdefault(number, self.now)
                else:
                    self.since.pop(number, None)
            rule = next((rule for number, rule in active.items() if self._met(number, rule)), None)
            if rule is None:
                return
            self.steps.append(Step(self.now, self.state, rule.to))
            self.state, self.state_since, self.stepped_back = rule.to, self.now, rule.step == "back"

    def _met(self, number: int, rule) -> bool:
        slack = 1e-4
        if number not in self.since or self.now < self.since[number] + HOUR_S * rule.hold_h - slack:
            return False
        waits = rule.step == "back" or self.stepped_back
        cooled = self.state_since + HOUR_S * self.policy.lifecycle.cooldown_h[self.state]
        return not waits or self.now >= cooled - slack

    def _holds(self, condition) -> bool:
        return self._above(condition, self.now) == (condition.comparison == "at_least")

    def _above(self, condition, at: float) -> bool:
        if condition.metric == "noise":
            return oracle.noise(self.items, self.policy, at, self.impact) >= condition.than
        if condition.metric == "platforms":
            return len({each.platform for each in self.items}) >= condition.than
        horizon_h = {"velocity": 1.0, "activity": 24.0}[condition.metric]
        return oracle.rate(self.items, horizon_h, at) >= condition.than

    def _active(self):
        return ((number, rule) for number, rule in enumerate(self.rules) if self.state in rule.sources)
