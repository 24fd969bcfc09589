"""Turns: the events of one read of the live stream, their bytes for all who want them alike, and the latest of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from stream.gateway.filters import Filter, Form, Heard, wanted
from stream.gateway.places import BEGINNING, Place, parse_place
from stream.gateway.wire import Wire, joined, one, told
from stream.view.answers import LiveEvent

REMEMBERED: Final = 10_000
"""Events that are kept for those who come back: about fifty megabytes where all of their bytes are asked for."""
PIECE: Final = 50
"""Events of one piece of what is remembered. Only in the first piece a listener gets are its own bytes made."""


class Turn:
    """The events of one read, with their bytes as far as somebody asked for them."""

    def __init__(self, events: Sequence[LiveEvent], heard: Sequence[Heard]) -> None:
        self.events = events
        self._heard = heard
        self.places = [parse_place(event.place) for event in events]
        self._parts: dict[tuple[Wire, Form], list[bytes]] = {}
        self._whole: dict[tuple[Wire, Form], tuple[bytes, int]] = {}

    def chosen(self, wire: Wire, asked: Filter, after: Place = BEGINNING) -> tuple[bytes, int]:
        """Return what a listener gets of the events after a place, and how many they are."""
        if not self.events or self.places[-1] <= after:
            return b"", 0
        kind = (wire, asked.form)
        if not asked.takes_all or after >= self.places[0]:
            return self._joined(kind, asked, after)
        if kind not in self._whole:  # what most ask for; other filters are as many as there are readers
            self._whole[kind] = self._joined(kind, asked, after)
        return self._whole[kind]

    def pieces(self) -> Iterator[Turn]:
        """Yield the turn in pieces: whoever comes back into the middle of it needs but a part of one."""
        for first in range(0, len(self.events), PIECE):
            yield Turn(self.events[first : first + PIECE], self._heard[first : first + PIECE])

    def _joined(self, kind: tuple[Wire, Form], asked: Filter, after: Place) -> tuple[bytes, int]:
        wire, form = kind
        if kind not in self._parts:
            self._parts[kind] = [one(wire, each.place, each.topic, told(each, form)) for each in self.events]
        chosen = [
            part
            for part, heard, place in zip(self._parts[kind], self._heard, self.places, strict=True)
            if place > after and (asked.takes_all or wanted(heard, asked))
        ]
        return joined(wire, chosen), len(chosen)


class Memory:
    """The latest turns: after a restart a thousand listeners come back at once, and each would read them anew."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()
        self._events = 0
        self._since: Place | None = None

    def keep(self, turn: Turn, since: Place) -> None:
        """Keep a turn, which has every event after `since` if it is the first."""
        if self._since is None:
            self._since = since
        self._turns.extend(turn.pieces())
        self._events += len(turn.events)
        while self._events > REMEMBERED and len(self._turns) > 1:
            oldest = self._turns.popleft()
            self._events -= len(oldest.events)
            self._since = oldest.places[-1]

    def clear(self) -> None:
        """Forget all: what follows does not follow on them."""
        self._turns.clear()
        self._events, self._since = 0, None

    def after(self, place: Place) -> Turn | None:
        """Return the first turn with events after a place, or None where it may not be the next."""
        if self._since is None or place < self._since:
            return None
        return next((turn for turn in self._turns if turn.places[-1] > place), None)
