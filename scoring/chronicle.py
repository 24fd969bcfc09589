"""What an incident has been through, gathered from its events as they come: what its row does not keep."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from schemas.cloudevents import Output
from schemas.noise_score import NoiseScore
from schemas.state_change import StateChange
from schemas.times import Moment
from schemas.words import Cause
from scoring import movement
from scoring.history import MINUTE_S, History, sample_of
from scoring.policy import Policy

BIGGEST: Final = 5
"""Moves that are kept beside the last one: as many as a reader takes in."""


NOTICED: Final = 0.05
"""Points of noise. Less is shown as 0.0, and no reader would call it a move."""


class Move(Struct, frozen=True):
    """A jump of the noise: `points` are `freshness` and what each factor's changed value gives (`values`) together.

    `item_id`, `platform` and `title` are those of the item whose observation brought it, empty where it was none or
    not known; `noise` (0 to 100) is what it led to.
    """

    at: Moment
    revision: int
    by: Cause
    item_id: str
    platform: str
    points: float
    freshness: float
    values: dict[str, float]
    noise: float
    title: str = ""


def move_of(score: NoiseScore) -> Move | None:
    """Return the jump that a score tells of; None where nobody would notice one."""
    change = score.change
    if change is None or abs(change.points) < NOTICED:
        return None
    item = score.last_item if change.by is Cause.OBSERVATION else None
    return Move(
        score.as_of,
        score.revision,
        change.by,
        item.id if item else "",
        item.platform if item else "",
        change.points,
        change.freshness,
        movement.by_value(change, score.contributions),
        score.noise,
    )


class Chronicle:
    """The last change of state, the last jump of the noise, the greatest ones, and the noise over time."""

    def __init__(self, policy: Policy) -> None:
        self.step: StateChange | None = None
        self.last: Move | None = None
        self.history = History(policy.history.most, policy.history.spacing_min * MINUTE_S)
        self._greatest: list[tuple[float, int, Move]] = []

    def note(self, outputs: Iterable[Output]) -> None:
        """Take the events of the incident, in order."""
        for output in outputs:
            event = output.event
            if isinstance(event, StateChange):
                self.step = event
            elif isinstance(event, NoiseScore):
                self.history.note(sample_of(event))
                self._note_move(move_of(event))

    @property
    def greatest(self) -> tuple[Move, ...]:
        """The jumps by the most points, up or down, the greatest first; of equals the earlier."""
        return tuple(move for _, _, move in sorted(self._greatest, reverse=True))

    def _note_move(self, move: Move | None) -> None:
        if move is None:
            return
        self.last = move
        entry = (abs(move.points), -move.revision, move)
        if len(self._greatest) < BIGGEST:
            heapq.heappush(self._greatest, entry)
        else:
            heapq.heappushpop(self._greatest, entry)
