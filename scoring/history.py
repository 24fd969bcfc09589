"""The past of an incident: noise and polarity sampled over time, in bounded memory.

Time is cut into spans of equal length, counted from the epoch; of each span the last sample is kept. When there are
more than fit, the length of the spans doubles and every two become one. So what is kept is a function of what was
noted, whatever its order and however often: the shortest spans that are few enough, the last sample in each.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct, field

from schemas.noise_score import NoiseScore
from schemas.times import to_epoch
from scoring.decay import decay

MINUTE_S: Final = 60.0


class Sample(NamedTuple):
    """Noise and polarity (0 to 100 each) at `at` (epoch seconds), as of a revision."""

    at: float
    revision: int
    noise: float
    polarity: float


class History(Struct):
    """Samples in the order of their times, `most` (2 or more) of them, one for each span of `spacing_s` seconds.

    >>> past = History(most=2, spacing_s=60.0)
    >>> for minute in (0, 1, 2, 3):
    ...     past.note(Sample(60.0 * minute, minute, 10.0 * minute, 50.0))
    >>> past.spacing_s, [sample.noise for sample in past.samples]
    (120.0, [10.0, 30.0])
    """

    most: int
    spacing_s: float
    samples: list[Sample] = field(default_factory=list)

    def note(self, sample: Sample) -> None:
        """Keep a sample if it is the last of its span. O(1) but for thinning, if samples come in order."""
        span, samples = self._span(sample.at), self.samples
        place = len(samples)
        while place and self._span(samples[place - 1].at) > span:
            place -= 1
        if place and self._span(samples[place - 1].at) == span:
            samples[place - 1] = max(samples[place - 1], sample)
            return
        samples.insert(place, sample)
        while len(self.samples) > self.most:
            self._thin()

    def _thin(self) -> None:
        self.spacing_s *= 2.0
        last: dict[int, Sample] = {self._span(each.at): each for each in self.samples}
        self.samples = list(last.values())

    def _span(self, at: float) -> int:
        return math.floor(at / self.spacing_s)


def sample_of(score: NoiseScore) -> Sample:
    """Return the sample that a score is."""
    return Sample(to_epoch(score.as_of), score.revision, score.noise, score.polarity.value)


def noise_over(past: History, start: float, end: float, cells: int, half_life_s: float) -> list[float]:
    """Return the noise in each of `cells` equal parts of the time from `start` to `end` (epoch seconds).

    A part shows its loudest sample; one without any, what decay has left of the one before; 0 before the first.
    """

    def left(sample: Sample, at: float) -> float:
        return sample.noise * decay(at - sample.at, half_life_s)

    return [noise or 0.0 for noise in _over(past, start, end, cells, left, max)]


def polarity_over(past: History, start: float, end: float, cells: int) -> list[float | None]:
    """Return the polarity in each part, the last sample's; it does not decay. None before the first sample."""
    return _over(past, start, end, cells, lambda sample, _: sample.polarity, lambda values: values[-1])


def _over(
    past: History,
    start: float,
    end: float,
    cells: int,
    value_at: Callable[[Sample, float], float],
    pick: Callable[[list[float]], float],
) -> list[float | None]:
    times = [sample.at for sample in past.samples]
    step = (end - start) / cells
    found: list[float | None] = []
    for cell in range(cells):
        begins, ends = start + step * cell, start + step * (cell + 1)
        first = bisect_left(times, begins)
        # the last part holds the end itself
        stop = bisect_right(times, end) if cell == cells - 1 else bisect_left(times, ends)
        within = [value_at(sample, sample.at) for sample in past.samples[first:stop]]
        if not within and first:
            within = [value_at(past.samples[first - 1], begins)]
        found.append(pick(within) if within else None)
    return found
