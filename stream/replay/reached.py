"""What a replay has come to at its end: figures that several processes' shares add up to, and the index."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from schemas.cloudevents import Output
from schemas.noise_index import IndexShare, NoiseIndex
from scoring.changes import Tally
from scoring.incident import Incident
from scoring.index import OVERALL, IndexBoard
from scoring.policy import Policy


class Reached(NamedTuple):
    """What a replay, or the share of it that one process had, has come to at `time` (epoch seconds).

    `incidents` counts those that have an item; `loudest` are the loudest of them, with their ids; `untold` counts the
    events of each topic that were not made.
    """

    time: float
    profiles: int
    items: int
    rejected: int
    untold: Counter[str]
    tally: Tally
    incidents: int
    loudest: list[tuple[str, Incident]]


def index_of(policy: Policy, shares: Iterable[IndexShare], at: float) -> list[Output]:
    """Return the index `at` (epoch seconds) that the shares of all partitions come to."""
    board = IndexBoard(policy)
    for share in shares:
        board.apply(share)
    return list(board.index(at))


def overall(outputs: Iterable[Output]) -> NoiseIndex | None:
    """Return the index over every category that is among `outputs`, if one is."""
    for output in outputs:
        if isinstance(output.event, NoiseIndex) and output.key == OVERALL:
            return output.event
    return None


def add_up(parts: Iterable[Reached], most: int, policy: Policy) -> Reached:
    """Return what the shares of several processes, of which none has an incident of another, come to together."""
    every = list(parts)
    at = max(each.time for each in every)
    incidents = (incident for each in every for incident in each.loudest)
    return Reached(
        at,
        sum(each.profiles for each in every),
        sum(each.items for each in every),
        sum(each.rejected for each in every),
        sum((each.untold for each in every), Counter[str]()),
        total_of(each.tally for each in every),
        sum(each.incidents for each in every),
        loudest_of(most, incidents, at, policy),
    )


def loudest_of(
    most: int, incidents: Iterable[tuple[str, Incident]], at: float, policy: Policy
) -> list[tuple[str, Incident]]:
    """Return the `most` loudest incidents `at` (epoch seconds), the loudest first, ties by incident."""
    half_life_s = policy.curve.half_life_s
    return heapq.nsmallest(most, incidents, key=lambda each: (-each[1].noise_at(at, half_life_s), each[0]))


def total_of(tallies: Iterable[Tally]) -> Tally:
    """Return the tallies of several partitions as one."""
    total = Tally()
    for tally in tallies:
        for outcome, by_platform in tally.items.items():
            counts = total.items[outcome]
            for platform, number in by_platform.items():
                counts[platform] = counts.get(platform, 0) + number
        total.profiles += tally.profiles
        total.deadlines += tally.deadlines
        total.revisions += tally.revisions
    return total
