"""The index: the noise of all incidents together. A sum of curves of one half-life is such a curve: O(1).

So is its average over months: each incident's is `gain * noise + residue` (`curve.long_residue`), and the residues
share a half-life of their own. The index keeps two sums of each part, and its average is `gain * value + residue`.
Where coverage is dated ahead of its arrival, both are told as of that time until it comes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from mypy_extensions import mypyc_attr

from schemas.cloudevents import Output
from schemas.noise_index import IndexShare, Mover, NoiseIndex
from schemas.times import DAY_S, from_epoch, to_epoch, whole_ms
from schemas.topics import NOISE_INDEX
from schemas.words import Category
from scoring.curve import long_residue
from scoring.decay import LN2, NEVER, decay
from scoring.incident import Incident
from scoring.policy import Policy

OVERALL: Final = "overall"
"""The part of the index that takes in every category."""

MS_PER_S: Final = 1000


@mypyc_attr(acyclic=True)
class Part:
    """What one incident is to the index: its curve, the residue of its long average, and when it was detected.

    `incidents` is 0 for one that was merged into another: it makes no noise, but what it made stays in the average.
    """

    __slots__ = ("anchor", "category", "composite", "incidents", "residue", "residue_at", "since")

    def __init__(
        self,
        category: Category,
        composite: float,
        anchor: float,
        incidents: int,
        residue: float,
        residue_at: float,
        since: float,
    ) -> None:
        self.category = category
        self.composite = composite
        self.anchor = anchor
        self.incidents = incidents
        self.residue = residue
        self.residue_at = residue_at
        self.since = since

    def same_curve(self, other: Part) -> bool:
        """Say whether both give the index the same noise at any time."""
        return (
            self.composite == other.composite
            and self.anchor == other.anchor
            and self.category is other.category
            and self.incidents == other.incidents
        )

    def noise_at(self, at: float, half_life_s: float) -> float:
        """Return the incident's noise (0 to 100) at `at`."""
        return self.composite * decay(at - self.anchor, half_life_s)


def part_of(incident: Incident, policy: Policy) -> Part:
    """Return what a detected incident is to the index as it stands."""
    return part(
        incident.category,
        incident.composite,
        incident.last_seen,
        incident.averages_at,
        incident.long_average,
        incident.detected_at,
        policy,
        merged=incident.merged_into is not None,
    )


def part(
    category: Category,
    composite: float,
    last_seen: float,
    averages_at: float,
    long_average: float,
    detected_at: float,
    policy: Policy,
    *,
    merged: bool,
) -> Part:
    """Return what a detected incident with these fields in its row is to the index.

    A row from before long averages were kept has had one since it was settled last.
    """
    residue, residue_at = long_residue(composite, last_seen, averages_at, long_average, policy)
    return Part(
        category,
        composite,
        last_seen,
        0 if merged else 1,
        residue,
        residue_at,
        detected_at or averages_at,
    )


@mypyc_attr(acyclic=True)
class Curve:
    """A sum of curves of one half-life: `value` at `at`."""

    __slots__ = ("at", "half_life_s", "value")

    def __init__(self, half_life_s: float, value: float = 0.0, at: float = 0.0) -> None:
        self.half_life_s, self.value, self.at = half_life_s, value, at

    def add(self, value: float, at: float) -> None:
        """Add a curve that has `value` at `at`; a negative one takes it away again."""
        if at > self.at:
            self.value, self.at = self.value * decay(at - self.at, self.half_life_s), at
        self.value += value * decay(self.at - at, self.half_life_s)

    def value_at(self, at: float) -> float:
        """Return the value at `at` (epoch seconds)."""
        return self.value * decay(at - self.at, self.half_life_s)


@mypyc_attr(acyclic=True)
class Sum:
    """The noise of some incidents, and the residue of its average."""

    __slots__ = ("incidents", "noise", "residue")

    def __init__(self, noise: Curve, residue: Curve, incidents: int = 0) -> None:
        self.noise, self.residue, self.incidents = noise, residue, incidents

    def add(self, part: Part) -> None:
        """Take an incident in."""
        self.noise.add(part.composite, part.anchor)
        self.residue.add(part.residue, part.residue_at)
        self.incidents += part.incidents

    def remove(self, part: Part) -> None:
        """Let an incident go that was taken in as `part`."""
        self.noise.add(-part.composite, part.anchor)
        self.residue.add(-part.residue, part.residue_at)
        self.incidents -= part.incidents


class PartitionIndex:
    """One partition's share of the index, per category, and those that moved it of late. Overall is their sum."""

    def __init__(self, partition: int, policy: Policy) -> None:
        self._partition, self._most = partition, policy.index.movers
        self._half_life_s = policy.curve.half_life_s
        self._residue_half_life_s = LN2 / policy.index.decay_constant
        self._gain = policy.derived.long_gain
        self._sums: dict[str, Sum] = {}
        self._moved: dict[str, dict[str, float]] = {}
        self._changed: set[str] = set()
        self._since = NEVER

    def replace(self, incident_id: str, old: Part | None, new: Part, points: float, now: float) -> None:
        """Put `new` of an incident in place of `old`, its noise having jumped by `points` in all until `now`."""
        if old is None:
            self.recover(new)
            self._move(new.category, incident_id, points)
        elif old.same_curve(new):
            # It may have gone another way meanwhile, which is no news; but the average has it.
            residue = self._sums[old.category].residue
            residue.add(-old.residue, old.residue_at)
            residue.add(new.residue, new.residue_at)
            if points:
                self._changed.add(new.category)
                self._move(new.category, incident_id, points)
        elif old.category is new.category:
            both = self._sum(old.category)
            both.remove(old)
            both.add(new)
            self._move(new.category, incident_id, points)
        else:
            self._sum(old.category).remove(old)
            self._sum(new.category).add(new)
            self._move(old.category, incident_id, -old.noise_at(now, self._half_life_s))
            self._move(new.category, incident_id, new.noise_at(now, self._half_life_s))

    def recover(self, part: Part) -> None:
        """Take in an incident that was here before: it has not moved."""
        self._since = min(self._since, part.since)
        self._sum(part.category).add(part)

    def recovered(self) -> None:
        """Tell every share anew, those of nobody too, once all curves are here.

        A worker may have ended after the last incident of a category had gone, and before it told so.
        """
        for name in Category:
            self._sum(name)

    def shares(self, at: float) -> Iterator[IndexShare]:
        """Yield the share of each category that changed since the last call, as of `at`; its movers anew."""
        if self._changed:
            changed = [OVERALL, *[str(name) for name in self._changed]]
            moved: dict[str, dict[str, float]] = {**self._moved, OVERALL: _together(self._moved.values())}
            for name in sorted(changed):
                value, average = self.value_at(name, at)
                yield IndexShare(
                    self._partition,
                    name,
                    from_epoch(at),
                    value,
                    sum([each.incidents for each in self._of(name)]),
                    top_movers(moved.get(name, {}), self._most),
                    average,
                    None if self._since == NEVER else from_epoch(self._since),
                )
        self._changed.clear()
        self._moved.clear()

    def value_at(self, name: str, at: float) -> tuple[float, float]:
        """Return value and average of a part of the index at `at` (epoch seconds), never below nothing."""
        sums = self._of(name)
        value = math.fsum([each.noise.value_at(at) for each in sums])
        residue = math.fsum([each.residue.value_at(at) for each in sums])
        return max(0.0, value), max(0.0, self._gain * value + residue)

    def _of(self, name: str) -> list[Sum]:
        """The sums that a part of the index is made of."""
        if name == OVERALL:
            return list(self._sums.values())
        found = self._sums.get(name)
        return [] if found is None else [found]

    def _sum(self, name: str) -> Sum:
        """The sum of a part that is about to change."""
        self._changed.add(name)
        found = self._sums.get(name)
        if found is None:
            curves = Curve(self._half_life_s), Curve(self._residue_half_life_s)
            found = self._sums[name] = Sum(*curves)
        return found

    def _move(self, name: str, incident_id: str, points: float) -> None:
        moved = self._moved.get(name)
        if moved is None:
            moved = self._moved[name] = {}
        moved[incident_id] = moved.get(incident_id, 0.0) + points


class IndexBoard:
    """The index over all partitions: the latest share of each, summed at a common time."""

    def __init__(self, policy: Policy) -> None:
        self._rule, self._half_life_s = policy.index, policy.curve.half_life_s
        self._gain = policy.derived.long_gain
        self._shares: dict[str, dict[int, IndexShare]] = {}
        self._moved: dict[str, dict[str, float]] = {}
        self._latest = 0.0
        self._since = NEVER

    def apply(self, share: IndexShare) -> None:
        """Put `share` in the place of its partition's last one; the same one again changes nothing.

        Nor does one of nobody where there was none.
        """
        shares = self._shares.setdefault(share.category, {})
        known = shares.get(share.partition)
        if share.since is not None:
            self._since = min(self._since, to_epoch(share.since))
        of_nobody = not (share.incidents or share.average or share.movers)
        if known == share or (known is None and of_nobody):
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
        at = whole_ms(max(at, self._latest))
        changed, self._moved = self._moved, {}
        for name in sorted(changed):
            shares = self._shares[name].values()
            value = math.fsum(self._value_at(share, at) for share in shares)
            average = self._usual(value, math.fsum(self._average_at(share, at) for share in shares), at)
            event = NoiseIndex(
                name,
                from_epoch(at),
                value,
                self._half_life_s,
                sum(share.incidents for share in shares),
                top_movers(changed[name], self._rule.movers),
                average,
                from_epoch(self._since) if self._since < NEVER else None,
                self._relative(value, average, at),
            )
            yield Output(NOISE_INDEX, name, f"{name}/{round(at * MS_PER_S)}", at, event)

    def _value_at(self, share: IndexShare, at: float) -> float:
        return share.value * decay(at - to_epoch(share.at), self._half_life_s)

    def _average_at(self, share: IndexShare, at: float) -> float:
        """The average of a share, along its curve; not yet corrected for a short history."""
        elapsed_s = at - to_epoch(share.at)
        residue = (share.average - self._gain * share.value) * math.exp(
            -self._rule.decay_constant * elapsed_s
        )
        return self._gain * self._value_at(share, at) + residue

    def _usual(self, value: float, average: float, at: float) -> float:
        """The average over the time since there has been anything: an empty past is no quiet one."""
        weight = -math.expm1(-self._rule.decay_constant * max(0.0, at - self._since))
        return average / weight if weight > 0.0 else value

    def _relative(self, value: float, average: float, at: float) -> float | None:
        rule = self._rule
        if at - self._since < rule.history_d * DAY_S or average < rule.average_floor:
            return None
        return value / average


def _together(moved: Iterable[dict[str, float]]) -> dict[str, float]:
    """By how many points each incident moved in all categories: one may have gone from one to another."""
    total: dict[str, float] = {}
    for of_one in moved:
        for incident_id, points in of_one.items():
            total[incident_id] = total.get(incident_id, 0.0) + points
    return total


def top_movers(moved: dict[str, float], most: int) -> tuple[Mover, ...]:
    """Return the `most` incidents that moved most, up or down, the greatest move first, ties by incident."""
    # Many thousands may have moved: their numbers are sorted at once, and only the few that are told by their order.
    least = sorted(map(abs, moved.values()))[-most] if len(moved) > most else 0.0
    ranked = sorted(
        [each for each in moved.items() if each[1] and abs(each[1]) >= least],
        key=lambda each: (-abs(each[1]), each[0]),
    )
    return tuple(Mover(incident_id, points) for incident_id, points in ranked[:most])
