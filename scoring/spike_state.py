"""What the spike detector remembers of a series (see `scoring.spike`); an incident's row holds one."""

from __future__ import annotations

from typing import Any

from mypy_extensions import mypyc_attr

from scoring.stored import Stored


@mypyc_attr(acyclic=True)
class Baseline(Stored):
    """One window: its decayed count of items, and mean and variance of the logarithm that is compared."""

    __slots__ = ("count", "mean", "variance")

    def __init__(self, count: float = 0.0, mean: float = 0.0, variance: float = 0.0) -> None:
        self.count, self.mean, self.variance = count, mean, variance

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return self.count, self.mean, self.variance

    def copied(self) -> Baseline:
        """Return a copy that may go its own way."""
        return Baseline(self.count, self.mean, self.variance)


@mypyc_attr(acyclic=True)
class SpikeState(Stored):
    """All that the detector remembers. Times are epoch seconds; `began` is when the series did, `at` where it stands.

    `alert_at` and `alert_surprise` tell of the last alert, which the next must be later or clearly more extreme than.
    """

    __slots__ = ("alert_at", "alert_surprise", "at", "began", "fast", "slow")

    def __init__(
        self,
        began: float = 0.0,
        at: float = 0.0,
        fast: Baseline | None = None,
        slow: Baseline | None = None,
        alert_at: float = 0.0,
        alert_surprise: float = 0.0,
    ) -> None:
        self.began, self.at = began, at
        self.fast, self.slow = fast or Baseline(), slow or Baseline()
        self.alert_at, self.alert_surprise = alert_at, alert_surprise

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them."""
        return (
            self.began,
            self.at,
            self.fast.stored(),
            self.slow.stored(),
            self.alert_at,
            self.alert_surprise,
        )

    @classmethod
    def read(cls, stored: list[Any]) -> SpikeState:
        """Return the value of these fields."""
        began, at, fast, slow, alert_at, alert_surprise = stored
        return cls(began, at, Baseline.read(fast), Baseline.read(slow), alert_at, alert_surprise)

    def copied(self) -> SpikeState:
        """Return a copy that may go its own way."""
        return SpikeState(
            self.began,
            self.at,
            self.fast.copied(),
            self.slow.copied(),
            self.alert_at,
            self.alert_surprise,
        )
