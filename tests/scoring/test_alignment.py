"""Steps of two sequences are paired by kind, as many as can be, and then by time."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.alignment import align

steps = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 100.0)), max_size=5).map(
    lambda found: sorted(found, key=lambda step: step[1])
)


def aligned(a, b):
    return align(a, b, lambda step: step[0], lambda step: step[1])


def cost(pairs):
    alone = sum(1 for one, other in pairs if one is None or other is None)
    apart = sum(abs(one[1] - other[1]) for one, other in pairs if one is not None and other is not None)
    return alone, apart


def brute_force(a, b):
    """The least cost over every choice of as many steps of either sequence that are alike."""
    found = []
    for size in range(min(len(a), len(b)) + 1):
        for left in combinations(a, size):
            for right in combinations(b, size):
                if all(one[0] == other[0] for one, other in zip(left, right, strict=True)):
                    apart = sum(abs(one[1] - other[1]) for one, other in zip(left, right, strict=True))
                    found.append((len(a) + len(b) - 2 * size, apart))
    return min(found)


@given(steps, steps)
def test_it_leaves_as_few_alone_and_the_others_as_little_apart_as_brute_force(a, b):
    pairs = aligned(a, b)

    assert [one for one, _ in pairs if one is not None] == a
    assert [other for _, other in pairs if other is not None] == b
    alone, apart = cost(pairs)
    least_alone, least_apart = brute_force(a, b)
    assert (alone, apart) == (least_alone, pytest.approx(least_apart))


def test_an_extra_round_is_alone_and_the_rest_keep_their_counterparts():
    a = [("Emerging", 0.0), ("Debated", 50.0), ("Resolved", 90.0)]
    b = [("Emerging", 0.0), ("Growing", 5.0), ("Emerging", 20.0), ("Debated", 50.0), ("Resolved", 91.0)]

    assert [pair for pair in aligned(a, b) if pair[0] is None] == [(None, b[1]), (None, b[2])]
    assert (a[2], b[4]) in aligned(a, b)


def test_the_nearest_in_time_are_paired_and_the_rest_stays_in_its_place():
    a = [("up", 10.0), ("down", 20.0), ("up", 30.0)]
    b = [("up", 0.0), ("up", 9.0), ("down", 25.0)]

    assert aligned(a, b) == [(None, b[0]), (a[0], b[1]), (a[1], b[2]), (a[2], None)]


def test_of_two_that_are_unlike_the_one_of_the_first_sequence_comes_first():
    assert aligned([("up", 5.0)], [("down", 1.0)]) == [(("up", 5.0), None), (None, ("down", 1.0))]
