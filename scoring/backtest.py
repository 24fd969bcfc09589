"""How good the forecasts were: each is held against what the noise then was, beside two that need no model.

It takes scores in the order in which they were emitted and knows nothing else, as a reader of `noise-scores` would: a
forecast is judged when a later score shows that its time has passed, by the curve that stood at that time.
"""

from __future__ import annotations

import heapq
import math
from typing import NamedTuple

from msgspec import Struct

from schemas.noise_score import Forecast, NoiseScore
from schemas.times import HOUR_S, to_epoch
from scoring.decay import decay


class Accuracy(Struct, frozen=True):
    """Mean absolute error and root of the mean squared error, in points of noise."""

    mae: float
    rmse: float


class Band(Struct, frozen=True):
    """Share (0 to 1) of the outcomes that a band held, and its mean width in points."""

    held: float
    width: float


class Result(Struct, frozen=True):
    """How good the forecasts over `hours` were: `forecast` beside mere decay and beside the noise staying as it is."""

    hours: float
    forecasts: int
    forecast: Accuracy
    decay_only: Accuracy
    persistence: Accuracy
    band_50: Band
    band_90: Band

    @property
    def better_by(self) -> float:
        """By which share (at most 1) the mean absolute error is below that of the better of the naive two."""
        naive = min(self.decay_only.mae, self.persistence.mae)
        return 1.0 - self.forecast.mae / naive if naive else 0.0


class Curve(NamedTuple):
    """The curve of a score: noise (0 to 100) at any time from its `as_of` until the next one's."""

    composite: float
    anchor: float
    half_life_s: float

    def noise(self, at: float) -> float:
        """Return the noise at `at` (epoch seconds)."""
        return self.composite * decay(at - self.anchor, self.half_life_s)


class _Open(NamedTuple):
    """A forecast whose time has not come: when it will, and what the two without a model say.

    Of one incident no two are due at the same time, so the order of a heap needs no more than the first two fields.
    """

    due: float
    incident_id: str
    forecast: Forecast
    decay_only: float
    persistence: float


class Backtest:
    """Takes scores and judges the forecasts in them.

    Of each incident the first score in every `every_h` hours is taken that moves its curve: so a busy incident does not
    count for more, and none is taken where nothing happens and every forecast is right. Of those before `begin`
    (epoch seconds) none is taken.
    """

    def __init__(self, every_h: float = 1.0, begin: float = -math.inf) -> None:
        self.scores = 0
        self._every_s, self._begin = every_h * HOUR_S, begin
        self._curves: dict[str, Curve] = {}
        self._taken: dict[str, int] = {}
        self._horizons: dict[float, _Horizon] = {}

    @property
    def incidents(self) -> int:
        """How many incidents there were."""
        return len(self._curves)

    @property
    def open(self) -> int:
        """How many forecasts wait for their time."""
        return sum(len(horizon.open) for horizon in self._horizons.values())

    def take(self, score: NoiseScore) -> None:
        """Judge what is due before this score; note its curve; take its forecasts if it is one of the sample."""
        at, incident_id = to_epoch(score.as_of), score.incident_id
        self.scores += 1
        self._judge(at)
        curve = Curve(score.composite, to_epoch(score.anchor), score.half_life)
        if curve == self._curves.get(incident_id):
            return
        self._curves[incident_id] = curve
        slot = int(at // self._every_s)
        if at < self._begin or self._taken.get(incident_id) == slot:
            return
        self._taken[incident_id] = slot
        for each in score.forecast:
            due = at + each.hours * HOUR_S
            horizon = self._horizons.setdefault(each.hours, _Horizon())
            heapq.heappush(horizon.open, _Open(due, incident_id, each, curve.noise(due), score.noise))

    def results(self, until: float) -> tuple[Result, ...]:
        """Judge what is due by `until` (epoch seconds), up to which everything is known; return the results so far."""
        self._judge(math.nextafter(until, math.inf))
        return tuple(self._horizons[hours].result(hours) for hours in sorted(self._horizons))

    def _judge(self, before: float) -> None:
        for horizon in self._horizons.values():
            while horizon.open and horizon.open[0].due < before:
                said = heapq.heappop(horizon.open)
                horizon.judge(said, self._curves[said.incident_id].noise(said.due))


class _Horizon:
    """The forecasts over one horizon: a heap of those whose time has not come, and sums over the others.

    A heap and not a queue: records that come late make scores that are older than those before.
    """

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self._judged = 0
        self._absolute, self._squared = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        self._held, self._width = [0, 0], [0.0, 0.0]

    def judge(self, said: _Open, noise: float) -> None:
        """Hold what was said against what the noise was."""
        forecast = said.forecast
        self._judged += 1
        for number, each in enumerate((forecast.noise, said.decay_only, said.persistence)):
            self._absolute[number] += abs(each - noise)
            self._squared[number] += (each - noise) ** 2
        bands = ((forecast.low_50, forecast.high_50), (forecast.low_90, forecast.high_90))
        for number, (low, high) in enumerate(bands):
            self._held[number] += low <= noise <= high
            self._width[number] += high - low

    def result(self, hours: float) -> Result:
        """Return the means; not a number where nothing was judged."""
        count = self._judged or math.nan
        ours, decay_only, persistence = (
            Accuracy(absolute / count, math.sqrt(squared / count))
            for absolute, squared in zip(self._absolute, self._squared, strict=True)
        )
        band_50, band_90 = (
            Band(held / count, width / count) for held, width in zip(self._held, self._width, strict=True)
        )
        return Result(hours, self._judged, ours, decay_only, persistence, band_50, band_90)
