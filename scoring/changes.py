"""What a ledger hands over: the events and rows that a batch has changed, and counts for the metrics."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from schemas.cloudevents import Output
from scoring.incident import Incident
from scoring.item import ItemRow

ItemKey = tuple[str, str]
"""Incident and item: the same item may be coverage of two incidents."""


class Changes(Struct):
    """All that a batch has changed: events in the order they happened, and each changed row once."""

    outputs: list[Output] = field(default_factory=list)
    items: dict[ItemKey, ItemRow] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)


class Outcome(StrEnum):
    """What came of an observation: it changed its incident, changed nothing, or had been applied already; or it went on
    to the incident that its own was merged into.
    """

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    FORWARDED = "forwarded"


class Tally(Struct):
    """Counts for the metrics since they were last taken: observations by platform and outcome, and deadlines fired.

    A platform that the policy does not name is counted as `other`.
    """

    items: dict[tuple[str, Outcome], int] = field(default_factory=dict)
    profiles: int = 0
    deadlines: int = 0
    revisions: int = 0
