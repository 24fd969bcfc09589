"""Two sequences of timed steps side by side: which step of one is which of the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

Step = TypeVar("Step")


def align(
    a: Sequence[Step], b: Sequence[Step], kind: Callable[[Step], Hashable], at: Callable[[Step], float]
) -> list[tuple[Step | None, Step | None]]:
    """Return both sequences as pairs in their order; a step without a counterpart is paired with None.

    Steps of one kind are paired so that as few as possible stay alone, and of those ways so that the times are least
    apart: edit distance with the time as a tie-break (Wagner and Fischer, "The String-to-String Correction Problem",
    1974). O(len(a) * len(b)).

    >>> align([("up", 1.0)], [("up", 0.5), ("up", 1.1)], lambda step: step[0], lambda step: step[1])
    [(None, ('up', 0.5)), (('up', 1.0), ('up', 1.1))]
    """
    cost: list[list[tuple[int, float]]] = [[(0, 0.0)] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a), -1, -1):
        for j in range(len(b), -1, -1):
            if i < len(a) or j < len(b):
                cost[i][j] = min(each for each, _, _ in _ways(a, b, i, j, cost, kind, at))
    pairs: list[tuple[Step | None, Step | None]] = []
    i = j = 0
    while i < len(a) or j < len(b):
        _, left, right = min(_ways(a, b, i, j, cost, kind, at), key=lambda way: way[0])
        pairs.append((a[i] if left else None, b[j] if right else None))
        i, j = i + left, j + right
    return pairs


def _ways(
    a: Sequence[Step],
    b: Sequence[Step],
    i: int,
    j: int,
    cost: Sequence[Sequence[tuple[int, float]]],
    kind: Callable[[Step], Hashable],
    at: Callable[[Step], float],
) -> list[tuple[tuple[int, float], int, int]]:
    """The cost of each way to go on from step i of `a` and step j of `b`, and how many steps of each it takes."""
    ways = []
    if i < len(a) and j < len(b) and kind(a[i]) == kind(b[j]):
        alone, apart = cost[i + 1][j + 1]
        ways.append(((alone, apart + abs(at(a[i]) - at(b[j]))), 1, 1))
    if i < len(a):
        alone, apart = cost[i + 1][j]
        ways.append(((alone + 1, apart), 1, 0))
    if j < len(b):
        alone, apart = cost[i][j + 1]
        ways.append(((alone + 1, apart), 0, 1))
    return ways
