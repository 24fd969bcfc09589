"""What a load must come to, incident by incident, so that nobody wins by losing events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from bench.throughput.loads import Record


class _Engagement(msgspec.Struct, gc=False):
    likes: int = 0
    comments: int = 0
    shares: int = 0
    views: int = 0


class _Observed(msgspec.Struct, gc=False):
    item_id: str
    engagement: _Engagement


_DECODE: Final = msgspec.json.Decoder(_Observed).decode


class Standing(NamedTuple):
    """Interactions in the last observations of all items of an incident."""

    likes: int
    comments: int
    shares: int
    views: int


class Sums(NamedTuple):
    """Of one incident: observations, interactions in all of them together, distinct items, and what stands of those."""

    observations: int
    interactions: int
    items: int
    standing: Standing


def sums(records: Iterable[Record]) -> dict[str, Sums]:
    """Return what the peers must have counted of each incident once they have read `records`."""
    observations: dict[bytes, int] = {}
    interactions: dict[bytes, int] = {}
    items: dict[bytes, dict[str, _Engagement]] = {}
    for key, value in records:
        seen = _DECODE(value)
        counts = seen.engagement
        observations[key] = observations.get(key, 0) + 1
        interactions[key] = (
            interactions.get(key, 0) + counts.likes + counts.comments + counts.shares + counts.views
        )
        items.setdefault(key, {})[seen.item_id] = counts
    return {
        key.decode(): Sums(number, interactions[key], len(items[key]), _standing(items[key].values()))
        for key, number in observations.items()
    }


def _standing(last: Collection[_Engagement]) -> Standing:
    return Standing(
        sum(each.likes for each in last),
        sum(each.comments for each in last),
        sum(each.shares for each in last),
        sum(each.views for each in last),
    )


def differences(expected: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """Return what is wrong, incident by incident, in words; nothing if `found` is what was expected.

    >>> differences({"a": 3, "b": 1}, {"a": 2})
    ['a: 2 instead of 3', 'b: None instead of 1']
    """
    return [
        f"{incident_id}: {found.get(incident_id)} instead of {expected.get(incident_id)}"
        for incident_id in {**expected, **found}
        if found.get(incident_id) != expected.get(incident_id)
    ]
