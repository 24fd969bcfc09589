"""What a page of incidents is asked for by, and the order in which the view's boards are gone through for it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas.errors import RequestError
from schemas.words import Trend
from stream.view.answers import Cursor
from stream.view.entries import state_board, trend_board
from stream.view.keys import GenerationKeys

Order = Literal["noise", "recent", "rising"]
"""By noise; by the latest coverage; by trend, from the loudest rise to the deepest fall, then by noise."""

MOST_ON_A_PAGE: Final = 1000
"""Most incidents of one page: a megabyte or two."""
MOST_LOOKED_AT: Final = 2000
"""Incidents that are looked at for one page, where few match: their scores are five megabytes. A page may then hold
fewer than were asked for, and still give a cursor."""

_RECENT: Final = "recent"


class Query(Struct, frozen=True):
    """Which incidents, in which order, how many, and from where on; an empty tuple takes any.

    Of states, categories and platforms each matches that is named; `minimum` is noise (0 to 100) at the time of the
    answer.
    """

    categories: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    minimum: float = 0.0
    order: Order = "noise"
    limit: int = 50
    cursor: Cursor | None = None

    @property
    def plain(self) -> bool:
        """Whether everything on the boards gone through matches, but for its noise."""
        by_board = len(self.categories) + len(self.states) <= 1 and self.order == "noise"
        return not self.platforms and (by_board or not (self.categories or self.states or self.minimum))

    def boards(self) -> tuple[str, ...]:
        """Return the boards to go through, one after the other; "" is that of all."""
        if self.order == "recent":
            return (_RECENT,)
        if self.order == "rising":
            return tuple(trend_board(trend) for trend in Trend)
        if len(self.states) == 1:
            return (state_board(self.states[0]),)
        return (self.categories[0],) if len(self.categories) == 1 else ("",)

    def boards_left(self) -> tuple[str, ...]:
        """Return the boards from that of the cursor on; RequestError where it comes from another question."""
        boards = self.boards()
        if self.cursor is None:
            return boards
        if self.cursor.board not in boards:
            raise RequestError("cursor: it was given for another order or filter; leave it out to begin anew")
        return boards[boards.index(self.cursor.board) :]

    def matches(self, labels: Labels) -> bool:
        """Whether an incident of these labels is asked for, as far as they say."""
        return (
            (not self.categories or labels.category in self.categories)
            and (not self.states or labels.state in self.states)
            and (not self.platforms or not set(self.platforms).isdisjoint(labels.platform_names))
        )


class Labels(Struct, frozen=True, gc=False):
    """What a score says by which incidents are chosen."""

    category: str
    state: str
    platform_names: tuple[str, ...] = ()


LABELS: Final = msgspec.json.Decoder(Labels)


def by_noise(board: str) -> bool:
    """Whether a board stands in the order of noise, so that a minimum of noise cuts it off."""
    return board != _RECENT


def key_of(keys: GenerationKeys, board: str) -> str:
    """Return the key in Redis of a board."""
    return keys.recent if board == _RECENT else keys.board(board)
