"""Merges: what an incident that was merged into another sends there, and who ends a circle of merges.

The items go as observations to the topic they came from, keyed by the other incident, so they cross partitions and are
counted there by the rule for all observations: the one that stands, once. So neither a repeat nor an item that both
incidents have can count twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.cloudevents import Output
from schemas.errors import RecordError
from schemas.incident_profile import IncidentProfile
from schemas.source_item import Moved, MovedCount, SourceItem
from schemas.times import from_epoch
from schemas.topics import SOURCE_ITEMS
from scoring.clock import Times
from scoring.incident import Incident
from scoring.item import UNKNOWN, Counted

MOST_HOPS: Final = 128
"""Merged incidents that an observation may come through: a circle is found at its second round at the latest, so those
of 64 incidents are; and their ids fill but an eighth of the largest record."""

REASON: Final = "merge"
"""Why a record is rejected that asks for a merge that cannot be, or has come through too many."""


def check_merge(profile: IncidentProfile, incident: Incident | None) -> None:
    """Raise RecordError if the profile asks for a merge that cannot be: a merge is for good, and into another."""
    into = profile.merged_into
    if into is None:
        return
    if into == profile.incident_id:
        raise RecordError(f"{into!r} cannot be merged into itself - at `$.merged_into`", REASON)
    if "\0" in into:
        raise RecordError("an id must not hold the character U+0000 - at `$.merged_into`")
    if incident is not None and incident.merged_into not in (None, into):
        raise RecordError(
            f"{profile.incident_id!r} was merged into {incident.merged_into!r}, which is final; merge that one into "
            f"{into!r} - at `$.merged_into`",
            REASON,
        )


def moved_items(
    incident_id: str, revision: int, into: str, items: Iterable[tuple[str, Counted]], now: float
) -> list[Output]:
    """Return the observations by which the items of a merged incident move, by time of observation.

    `items` are all that it counts, retracted ones too: they must still stand against what was observed before.
    `revision` is that of the merge.
    """
    by_time = sorted(items, key=lambda each: (each[1].observed_at, each[0]))
    return [
        Output(
            SOURCE_ITEMS,
            into,
            f"{incident_id}/{revision}/moved/{item_id}",
            now,
            _moved(incident_id, into, item_id, counted, now),
        )
        for item_id, counted in by_time
    ]


def _moved(incident_id: str, into: str, item_id: str, counted: Counted, now: float) -> SourceItem:
    return SourceItem(
        item_id=item_id,
        incident_id=into,
        platform=counted.platform,
        published_at=from_epoch(counted.at),
        observed_at=from_epoch(counted.observed_at),
        audience=None if counted.audience == UNKNOWN else counted.audience,
        retracted=counted.retracted,
        moved=Moved(
            via=(incident_id,),
            at=from_epoch(now),
            counted=MovedCount(counted.interactions, counted.critic, counted.defender, counted.figures),
        ),
    )


def forwarded(item: SourceItem, into: str, offset: int, times: Times) -> Output:
    """Return the observation that came for a merged incident (source offset `offset`) as it goes to the other one.

    It says all that it said, and when it was observed: that must not depend on how long the way was. RecordError if it
    has come too far.
    """
    via: tuple[str, ...] = () if item.moved is None else item.moved.via
    if len(via) >= MOST_HOPS:
        raise RecordError(
            f"it has come through {len(via)} merged incidents, the last of them {via[-1]!r}; send it to the incident "
            "that the last of them was merged into - at `$.moved.via`",
            REASON,
        )
    moved = Moved(
        via=(*via, item.incident_id),
        at=from_epoch(times.now),
        counted=None if item.moved is None else item.moved.counted,
    )
    observation = replace(item, incident_id=into, observed_at=from_epoch(times.observed_at), moved=moved)
    ident = f"{item.incident_id}/{offset}/forwarded/{item.item_id}"
    return Output(SOURCE_ITEMS, into, ident, times.now, observation)


def closes_circle(item: SourceItem) -> bool:
    """Say whether an observation that comes for a merged incident tells that this one must take its merge back.

    It has been here before, so the merges since then are a circle. Of its incidents the first by name takes its merge
    back, and so each of them comes to the same end, whichever merge was applied first: all that the circle has is
    counted in that one. The others send the observation on, until it is there.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 6, 24, tzinfo=UTC)
    >>> [
    ...     closes_circle(SourceItem("a", to, "x", at, moved=Moved(via, at)))
    ...     for to, via in [
    ...         ("leak", ("fire",)),
    ...         ("leak", ("leak", "fire")),
    ...         ("fire", ("leak", "fire", "leak")),
    ...     ]
    ... ]
    [False, False, True]
    """
    if item.moved is None or item.incident_id not in item.moved.via:
        return False
    via = item.moved.via
    since = len(via) - 1 - via[::-1].index(item.incident_id)
    return item.incident_id == min(via[since:])
