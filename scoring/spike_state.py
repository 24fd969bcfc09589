"""What the spike detector remembers of a series (see `scoring.spike`); an incident's row holds one."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace


class Baseline(Struct, array_like=True, gc=False):
    """One window: its decayed count of items, and mean and variance of the logarithm that is compared."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 0.0


class SpikeState(Struct, array_like=True):
    """All that the detector remembers. Times are epoch seconds; `began` is when the series did, `at` where it stands.

    `alert_at` and `alert_surprise` tell of the last alert, which the next must be later or clearly more extreme than.
    """

    began: float = 0.0
    at: float = 0.0
    fast: Baseline = field(default_factory=Baseline)
    slow: Baseline = field(default_factory=Baseline)
    alert_at: float = 0.0
    alert_surprise: float = 0.0


def copied(state: SpikeState) -> SpikeState:
    """Return a copy that may go its own way."""
    return replace(state, fast=replace(state.fast), slow=replace(state.slow))
