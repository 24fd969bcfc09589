"""What a ledger hands over: the events and rows that a batch has changed, and counts for the metrics."""

from __future__ import annotations

from enum import StrEnum

from schemas.cloudevents import Output
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.stored import Stored

ItemKey = tuple[str, str]
"""Incident and item: the same item may be coverage of two incidents."""


class Changes:
    """All that a batch has changed: events in the order they happened, and each changed row once."""

    __slots__ = ("incidents", "items", "outputs")

    def __init__(
        self, outputs: list[Output], items: dict[ItemKey, ItemRow], incidents: dict[str, Incident]
    ) -> None:
        self.outputs, self.items, self.incidents = outputs, items, incidents


class Outcome(StrEnum):
    """What came of an observation: it changed its incident, changed nothing, or had been applied already; or it went on
    to the incident that its own was merged into.
    """

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    FORWARDED = "forwarded"


class Tally(Stored):
    """Counts for the metrics since they were last taken: observations by platform and outcome, and deadlines fired.

    A platform that the policy does not name is counted as `other`.
    """

    __slots__ = ("applied", "deadlines", "forwarded", "profiles", "repeated", "revisions", "unchanged")

    def __init__(self) -> None:
        self.applied: dict[str, int] = {}
        self.unchanged: dict[str, int] = {}
        self.repeated: dict[str, int] = {}
        self.forwarded: dict[str, int] = {}
        self.profiles = self.deadlines = self.revisions = 0

    @property
    def items(self) -> dict[Outcome, dict[str, int]]:
        """The observations by outcome and platform."""
        return {
            Outcome.APPLIED: self.applied,
            Outcome.UNCHANGED: self.unchanged,
            Outcome.REPEATED: self.repeated,
            Outcome.FORWARDED: self.forwarded,
        }

    def stored(self) -> tuple[object, ...]:
        """Return all counts."""
        return (
            self.applied,
            self.unchanged,
            self.repeated,
            self.forwarded,
            self.profiles,
            self.deadlines,
            self.revisions,
        )
