"""An incident in memory: its row, its items' rows, and what follows from them and need not be worked out again."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from scoring import factors
from scoring.assessment import Ahead, look_ahead
from scoring.incident import Incident
from scoring.index import Part
from scoring.item import ItemRow
from scoring.lifecycle import Spans, spans
from scoring.movement import Before
from scoring.per_factor import PerFactor
from scoring.policy import Policy
from scoring.quiet import NEVER_CALM, Calm, calm


@mypyc_attr(acyclic=True)
class ToScore:
    """What the score of the latest revision tells beside the row: what stood before, and the next deadline if known.

    `was` is None where a deadline brought the revision.
    """

    __slots__ = ("due", "was")

    def __init__(self, was: Before | None, due: float | None) -> None:
        self.was, self.due = was, due


@mypyc_attr(acyclic=True)
class Held:
    """One incident in memory. What is None is not known, or has changed since it was."""

    __slots__ = (
        "ahead",
        "calm",
        "dirty",
        "factors",
        "hastened",
        "incident",
        "items",
        "moves",
        "part",
        "points",
        "stale",
        "stored_at",
        "to_score",
    )

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.items: dict[str, ItemRow] = {}
        self.factors: PerFactor | None = None
        self.ahead: Ahead | None = None
        """What lies ahead; where it is `stale`, as it was before the noise, and nothing else, changed."""
        self.stale = False
        self.hastened = False
        """Whether its deadline was hastened since it was planned."""
        self.calm: Calm | None = None
        self.part: Part | None = None
        """What the index holds of it."""
        self.points = 0.0
        """By how much its noise has jumped since the index took it in."""
        self.moves = False
        """Whether its curve may have changed since the index took it in."""
        self.dirty = False
        """Whether it has changed since changes were collected last."""
        self.stored_at: int | None = None
        """The offset of its row as stored, from the first item that changes in a batch on."""
        self.to_score: ToScore | None = None

    def values(self, policy: Policy) -> PerFactor:
        """Return the factors; time does not move them."""
        values = self.factors
        if values is None:
            values = self.factors = factors.factors(self.incident, policy)
        return values

    def look_ahead(self, policy: Policy) -> Ahead:
        """Return what lies ahead as the row stands."""
        if self.ahead is None or self.stale:
            self.ahead, self.stale = look_ahead(self.incident, policy, self.ahead), False
        return self.ahead

    def spans(self, policy: Policy) -> Spans:
        """Return the spans of the rules that lead out of the state, as the row stands."""
        if self.ahead is None:
            return spans(self.incident, policy)
        seen = self.ahead.spans
        return spans(self.incident, policy, seen.by_rates) if self.stale else seen

    def stands(self, policy: Policy, now: float, noise: float, *, look: bool) -> Calm:
        """Return the comparisons that have stood from the last revision until `now`, or NEVER_CALM.

        `noise` (0 to 100) is that at `now`. Unless one is to `look`, they are looked for only if known. Whatever fell
        through a threshold, did so for good or would have been told.
        """
        stood = self.calm
        if stood is None:
            if not look:
                return NEVER_CALM
            stood = self.calm = calm(self.incident, policy, self.look_ahead(policy))
        return stood if now < stood.until and noise >= stood.low else NEVER_CALM

    def assessed(self, ahead: Ahead | None) -> None:
        """Take in what lies ahead after the incident was assessed."""
        self.ahead, self.stale, self.hastened, self.calm = ahead, False, False, None
