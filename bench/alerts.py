"""Which events a newsroom would be alerted by, and which of them were false: a rule of ours, written down here.

There is no truth to hold alerts against: nobody has written down when each story "really" rose. So an alert is held
against the recorded volume (items published), by the rules in `RULES`, which the table repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.story import Story
from schemas.times import DAY_S, HOUR_S, to_epoch
from schemas.words import PeakKind, State, Trend

AROUND_S: Final = 6.0 * HOUR_S
"""How far before and after an alert items count for it."""

LEAST_ITEMS: Final = 3
"""Items around an alert below which nothing can be said to have risen."""

TIMES_USUAL: Final = 1.5
"""How far the volume around an alert must exceed that of the week before."""

WEEK_S: Final = 7.0 * DAY_S
STANDS_S: Final = 2.0 * DAY_S
"""How long what is said to be over must stay over."""

RULES: Final = f"""\
- An alert of a **rise** (a new peak, *Surging*, a spike, a step up other than the first detection) is false if the
  twelve hours around it ({AROUND_S / HOUR_S:.0f} h before to {AROUND_S / HOUR_S:.0f} h after) hold fewer than
  {LEAST_ITEMS} items, or no more than {TIMES_USUAL:g} times as many as twelve hours of the week before on average.
- An alert of an **end** (`peaked`, a step back) is false if what it says is over comes back within
  {STANDS_S / DAY_S:.0f} days: a higher peak, a step up."""
"""The rules in words, for the table."""

ORDER: Final = (State.RESOLVED, State.EMERGING, State.GROWING, State.DEBATED, State.MAJOR)


class Alert(NamedTuple):
    """What was told, when (epoch seconds), on which row of the picture, and whether it was false."""

    at: float
    row: str
    words: str
    false: bool


def alerts(story: Story) -> list[Alert]:
    """Return every alert of a story in the order of time, the first detection left out."""
    return sorted([*_steps(story), *_peaks(story), *_surges(story), *_spikes(story)])


def _steps(story: Story) -> Iterator[Alert]:
    for change in story.states:
        if change.previous is None:
            continue
        at, up = to_epoch(change.at), ORDER.index(change.to) > ORDER.index(change.previous)
        false = not _rises(story, at) if up else _steps_up_again(story, at)
        yield Alert(at, "state", change.to.value, false)


def _peaks(story: Story) -> Iterator[Alert]:
    for each in story.crossed(PeakKind.NEW_PEAK):
        at = to_epoch(each.at)
        yield Alert(at, "new peak", f"new peak {each.noise:.0f}", not _rises(story, at))
    for each in story.crossed(PeakKind.PEAKED):
        at = to_epoch(each.at)
        later = [
            other for other in story.crossed(PeakKind.NEW_PEAK) if at < to_epoch(other.at) < at + STANDS_S
        ]
        yield Alert(at, "peaked", "peaked", bool(later))


def _surges(story: Story) -> Iterator[Alert]:
    for update in story.trends:
        if update.trend is Trend.SURGING and update.previous is not Trend.SURGING:
            at = to_epoch(update.at)
            yield Alert(at, "surge", "Surging", not _rises(story, at))


def _spikes(story: Story) -> Iterator[Alert]:
    """The moments at which the activity begins to spike."""
    before = ""
    for update in story.trends:
        activity = str(update.activity)
        if activity == "spiking" and before != "spiking":
            at = to_epoch(update.at)
            yield Alert(at, "spike", "spiking", not _rises(story, at))
        before = activity


def _rises(story: Story, at: float) -> bool:
    around = story.volume(at - AROUND_S, at + AROUND_S)
    before = story.volume(at - AROUND_S - WEEK_S, at - AROUND_S)
    usual = before / WEEK_S * 2.0 * AROUND_S
    return around >= LEAST_ITEMS and around > TIMES_USUAL * usual


def _steps_up_again(story: Story, at: float) -> bool:
    return any(
        change.previous is not None
        and ORDER.index(change.to) > ORDER.index(change.previous)
        and at < to_epoch(change.at) < at + STANDS_S
        for change in story.states
    )
