"""The index: the noise of all incidents together. A sum of curves of one half-life is such a curve: O(1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.cloudevents import Output
from schemas.noise_index import IndexShare, Mover, NoiseIndex
from schemas.times import from_epoch, to_epoch
from schemas.topics import NOISE_INDEX
from schemas.words import Category
from scoring.decay import decay

OVERALL: Final = "overall"
"""The part of the index that takes in every category."""

MS_PER_S: Final = 1000


class Curve(Struct):
    """A sum of noise curves: `value` at `at`, halving in each half-life; and of how many incidents."""

    value: float = 0.0
    at: float = 0.0
    incidents: int = 0

    def add(self, value: float, at: float, half_life_s: float, incidents: int = 0) -> None:
        """Add a curve that has `value` at `at`; a negative one takes it away again."""
        if at > self.at:
            self.value, self.at = self.value * decay(at - self.at, half_life_s), at
        self.value += value * decay(self.at - at, half_life_s)
        self.incidents += incidents

    def value_at(self, at: float, half_life_s: float) -> float:
        """Return the value at `at` (epoch seconds), never below nothing."""
        return max(0.0, self.value * decay(at - self.at, half_life_s))


class PartitionIndex:
    """One partition's share of the index, per category and overall, and those that moved it of late."""

    def __init__(self, partition: int, half_life_s: float, movers: int) -> None:
        self._partition, self._half_life_s, self._most = partition, half_life_s, movers
        self._curves: dict[str, Curve] = {OVERALL: Curve()}
        self._moved: dict[str, dict[str, float]] = {}
        self._changed: set[str] = set()

    def replace(
        self,
        incident_id: str,
        old: tuple[Category, float, float] | None,
        new: tuple[Category, float, float] | None,
        now: float,
    ) -> None:
        """Put the curve `new` (category, composite, anchor) of an incident in place of `old` at `now`.

        None stands for an incident that is not in the index: not yet, or merged into another.
        """
        if old == new:
            return
        half_life_s, points = self._half_life_s, 0.0
        if new is not None:
            points += new[1] * decay(now - new[2], half_life_s)
        if old is not None:
            points -= old[1] * decay(now - old[2], half_life_s)
            for name in (OVERALL, old[0].value):
                self._curves[name].add(-old[1], old[2], half_life_s, -1)
                self._changed.add(name)
        if new is None:
            return
        for name in (OVERALL, new[0].value):
            self._curves.setdefault(name, Curve()).add(new[1], new[2], half_life_s, 1)
            self._changed.add(name)
            moved = self._moved.setdefault(name, {})
            moved[incident_id] = moved.get(incident_id, 0.0) + points

    def recover(self, curve: tuple[Category, float, float]) -> None:
        """Add the curve (category, composite, anchor) of an incident that was here before: it has not moved."""
        for name in (OVERALL, curve[0].value):
            self._curves.setdefault(name, Curve()).add(curve[1], curve[2], self._half_life_s, 1)
            self._changed.add(name)

    def recovered(self) -> None:
        """Tell every share anew, those of nobody too, once all curves are here.

        A worker may have ended after the last incident of a category had gone, and before it told so.
        """
        for name in (OVERALL, *Category):
            self._curves.setdefault(str(name), Curve())
            self._changed.add(str(name))

    def shares(self, at: float) -> Iterator[IndexShare]:
        """Yield the share of each category that changed since the last call, as of `at`; its movers anew."""
        for name in sorted(self._changed):
            curve, moved = self._curves[name], self._moved.get(name, {})
            yield IndexShare(
                self._partition,
                name,
                from_epoch(at),
                curve.value_at(at, self._half_life_s),
                curve.incidents,
                top_movers(moved, self._most),
            )
        self._changed.clear()
        self._moved.clear()


class IndexBoard:
    """The index over all partitions: the latest share of each, summed at a common time.

    A share decays as a curve does: `half_life_s` is theirs. An event names at most `movers` incidents.
    """

    def __init__(self, half_life_s: float, movers: int) -> None:
        self._half_life_s, self._most = half_life_s, movers
        self._shares: dict[str, dict[int, IndexShare]] = {}
        self._moved: dict[str, dict[str, float]] = {}
        self._latest = 0.0

    def apply(self, share: IndexShare) -> None:
        """Put `share` in the place of its partition's last one; the same one again changes nothing.

        Nor does one of no incidents where there was none.
        """
        shares = self._shares.setdefault(share.category, {})
        known = shares.get(share.partition)
        if known == share or (known is None and not share.incidents):
            return
        shares[share.partition] = share
        self._latest = max(self._latest, to_epoch(share.at))
        moved = self._moved.setdefault(share.category, {})
        for mover in share.movers:
            moved[mover.incident_id] = moved.get(mover.incident_id, 0.0) + mover.points

    def index(self, at: float) -> Iterator[Output]:
        """Yield the index of every category that had a share since the last call, by name; movers start anew.

        It holds at `at` (epoch seconds), or at the latest share's time where that is later: no share is read
        before its time.
        """
        at = round(max(at, self._latest), 3)
        changed, self._moved = self._moved, {}
        for name in sorted(changed):
            shares = self._shares[name]
            event = NoiseIndex(
                name,
                from_epoch(at),
                math.fsum(self._value_at(share, at) for share in shares.values()),
                self._half_life_s,
                sum(share.incidents for share in shares.values()),
                top_movers(changed[name], self._most),
            )
            yield Output(NOISE_INDEX, name, f"{name}/{round(at * MS_PER_S)}", at, event)

    def _value_at(self, share: IndexShare, at: float) -> float:
        return share.value * decay(at - to_epoch(share.at), self._half_life_s)


def top_movers(moved: dict[str, float], most: int) -> tuple[Mover, ...]:
    """Return the `most` incidents that moved most, up or down, the greatest move first, ties by incident."""
    ranked = sorted(moved.items(), key=lambda each: (-abs(each[1]), each[0]))
    return tuple(Mover(incident_id, points) for incident_id, points in ranked[:most])
