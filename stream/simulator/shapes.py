"""The shapes a controversy comes in: items per hour as a function of the hours since its episode began.

Attention rises quickly and declines as a power law: Crane and Sornette, "Robust dynamic classes revealed by
measuring the response function of a social system", PNAS 105 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Pulse:
    """One wave of attention: a linear rise to `peak_per_hour`, then `(1 + age / tail_h) ** -exponent` of it.

    All times are hours of the episode; an exponent of 0 stays at the peak for ever.
    """

    peak_per_hour: float
    rise_h: float
    tail_h: float
    exponent: float
    onset_h: float = 0.0

    def rate(self, at_h: float) -> float:
        """Return items per hour at `at_h`.

        >>> wave = Pulse(peak_per_hour=40.0, rise_h=2.0, tail_h=8.0, exponent=1.0)
        >>> wave.rate(1.0), wave.rate(2.0), wave.rate(10.0)
        (20.0, 40.0, 20.0)
        """
        age_h = at_h - self.onset_h
        if age_h <= 0.0:
            return 0.0
        if age_h < self.rise_h:
            return self.peak_per_hour * age_h / self.rise_h
        declined: float = (1.0 + (age_h - self.rise_h) / self.tail_h) ** -self.exponent
        return self.peak_per_hour * declined

    def bound(self, from_h: float, to_h: float) -> float:
        """Return the highest rate in the window: at an end, or at the peak if that lies inside."""
        if from_h <= self.onset_h + self.rise_h <= to_h:
            return self.peak_per_hour
        return max(self.rate(from_h), self.rate(to_h))


class Coverage(NamedTuple):
    """A platform that covers an incident: its weight among them, and how many hours after birth it joins."""

    platform: str
    weight: float
    joins_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How a controversy runs and where: its pulses, the platforms that cover it, and how it divides people.

    `stance_known` and `critic_share` are shares (0 to 1): of items with a stance, and of critics among them.
    `prominence` says who speaks: above 1 mostly the large accounts, below 1 mostly the small ones.
    """

    name: str
    pulses: tuple[Pulse, ...]
    platforms: tuple[Coverage, ...]
    stance_known: float
    critic_share: float
    prominence: float

    def rate(self, at_h: float) -> float:
        """Return items per hour at `at_h` hours of the episode."""
        return sum(pulse.rate(at_h) for pulse in self.pulses)

    def bound(self, from_h: float, to_h: float) -> float:
        """Return a rate that is never exceeded between `from_h` and `to_h`."""
        return sum(pulse.bound(from_h, to_h) for pulse in self.pulses)


OUTBREAK: Final = Shape(
    name="outbreak",
    pulses=(Pulse(peak_per_hour=40.0, rise_h=3.0, tail_h=14.0, exponent=3.0),),
    platforms=(
        Coverage("x", 5.0),
        Coverage("reddit", 3.0, 2.0),
        Coverage("hackernews", 1.0, 2.0),
        Coverage("news", 3.0, 3.0),
        Coverage("bluesky", 1.0, 3.0),
        Coverage("youtube", 2.0, 5.0),
    ),
    stance_known=0.5,
    critic_share=0.6,
    prominence=1.0,
)
CONTESTED: Final = Shape(
    name="contested",
    pulses=(Pulse(peak_per_hour=14.0, rise_h=6.0, tail_h=24.0, exponent=1.5),),
    platforms=(
        Coverage("reddit", 3.0),
        Coverage("x", 4.0, 1.0),
        Coverage("bluesky", 3.0, 2.0),
        Coverage("hackernews", 2.0, 3.0),
        Coverage("news", 1.0, 6.0),
        Coverage("youtube", 1.0, 9.0),
    ),
    stance_known=0.9,
    critic_share=0.5,
    prominence=0.5,
)
SLOW_BURN: Final = Shape(
    name="slow burn",
    pulses=(Pulse(peak_per_hour=5.0, rise_h=60.0, tail_h=72.0, exponent=1.0),),
    platforms=(
        Coverage("bluesky", 2.0),
        Coverage("reddit", 2.0, 8.0),
        Coverage("facebook", 1.0, 16.0),
        Coverage("news", 2.0, 30.0),
    ),
    stance_known=0.2,
    critic_share=0.8,
    prominence=0.6,
)
TWO_PEAKS: Final = Shape(
    name="two peaks",
    pulses=(
        Pulse(peak_per_hour=32.0, rise_h=2.0, tail_h=5.0, exponent=2.5),
        Pulse(peak_per_hour=26.0, rise_h=3.0, tail_h=6.0, exponent=2.5, onset_h=30.0),
    ),
    platforms=(
        Coverage("hackernews", 3.0),
        Coverage("lobsters", 2.0, 6.0),
        Coverage("x", 3.0, 30.0),
        Coverage("news", 1.0, 32.0),
        Coverage("youtube", 1.0, 34.0),
    ),
    stance_known=0.3,
    critic_share=0.7,
    prominence=0.6,
)
FLAT: Final = Shape(
    name="flat",
    pulses=(Pulse(peak_per_hour=1.0, rise_h=1.0, tail_h=1.0, exponent=0.0),),
    platforms=(Coverage("hackernews", 1.0),),
    stance_known=0.1,
    critic_share=0.6,
    prominence=0.4,
)
FADING: Final = Shape(
    name="fading",
    pulses=(Pulse(peak_per_hour=16.0, rise_h=1.0, tail_h=4.0, exponent=5.0),),
    platforms=(
        Coverage("facebook", 2.0),
        Coverage("reddit", 1.0, 3.0),
    ),
    stance_known=0.1,
    critic_share=0.9,
    prominence=0.3,
)

SHAPES: Final = (OUTBREAK, CONTESTED, TWO_PEAKS, SLOW_BURN, FADING, FLAT)
"""All shapes, in the order in which incidents take them."""
