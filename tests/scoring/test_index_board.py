"""The index over all partitions: the latest shares, summed at a common time."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.noise_index import IndexShare, Mover
from schemas.times import HOUR_S, from_epoch
from schemas.topics import NOISE_INDEX
from scoring.index import OVERALL, IndexBoard
from scoring.policy import Curve
from tests.builders import T0
from tests.driver import SHIPPED_POLICY

DAY_S = 24 * HOUR_S
POLICY = replace(
    SHIPPED_POLICY,
    curve=Curve(half_life_h=24.0),
    index=replace(SHIPPED_POLICY.index, movers=2, average_d=20.0),
)
"""Noise halves in a day, two movers are named, and the average forgets with a time constant of ten days."""


def share(
    partition=0, value=10.0, *, at=T0, category=OVERALL, incidents=1, movers=(), average=0.0, since=None
):
    return IndexShare(
        partition,
        category,
        from_epoch(at),
        value,
        incidents,
        tuple(Mover(*each) for each in movers),
        average,
        None if since is None else from_epoch(since),
    )


@pytest.fixture
def board():
    return IndexBoard(POLICY)


def test_shares_of_partitions_add_up(board):
    board.apply(share(0, 10.0, incidents=2))
    board.apply(share(1, 5.0, incidents=3))

    (output,) = board.index(T0)

    assert (output.event.value, output.event.incidents, output.event.half_life) == (15.0, 5, DAY_S)
    assert (output.topic, output.key, output.at) == (NOISE_INDEX, OVERALL, T0)


def test_each_share_decays_to_the_common_time(board):
    board.apply(share(0, 8.0, at=T0))
    board.apply(share(1, 8.0, at=T0 + DAY_S))

    (output,) = board.index(T0 + 2 * DAY_S)

    assert output.event.value == pytest.approx(2.0 + 4.0)
    assert output.event.at == from_epoch(T0 + 2 * DAY_S)


def test_the_index_never_holds_before_its_latest_share(board):
    board.apply(share(0, 8.0, at=T0))
    board.apply(share(1, 8.0, at=T0 + DAY_S))

    (output,) = board.index(T0)

    assert (output.at, output.event.value) == (T0 + DAY_S, pytest.approx(12.0))


def test_a_new_share_of_a_partition_replaces_its_last_one(board):
    board.apply(share(0, 10.0))
    board.apply(share(0, 4.0, incidents=7))

    (output,) = board.index(T0)

    assert (output.event.value, output.event.incidents) == (4.0, 7)


def test_a_repeated_share_moves_nothing_twice(board):
    once = share(0, 10.0, movers=[("leak", 3.0)])
    board.apply(once)
    board.apply(once)

    (output,) = board.index(T0)

    assert output.event.movers == (Mover("leak", 3.0),)


def test_a_share_of_nobody_takes_the_place_of_one_and_else_is_no_news(board):
    board.apply(share(0, 0.0, incidents=0))
    assert list(board.index(T0)) == []

    board.apply(share(0, 10.0))
    board.apply(share(0, 0.0, at=T0 + 1, incidents=0))
    (output,) = board.index(T0)
    assert (output.event.value, output.event.incidents) == (0.0, 0)


def test_the_greatest_movers_since_the_last_index_are_named_up_or_down(board):
    board.apply(share(0, movers=[("a", 1.0), ("b", -5.0)]))
    board.apply(share(1, movers=[("c", 2.0)]))
    board.apply(share(0, 9.0, at=T0 + 1, movers=[("a", 3.0)]))

    (output,) = board.index(T0)
    assert output.event.movers == (Mover("b", -5.0), Mover("a", 4.0))

    board.apply(share(1, 8.0, at=T0 + 2, movers=[("c", 1.0)]))
    (output,) = board.index(T0)
    assert output.event.movers == (Mover("c", 1.0),)


def test_only_categories_with_a_new_share_are_told_by_name(board):
    board.apply(share(category="Safety"))
    board.apply(share(category="Ethics"))
    assert [output.key for output in board.index(T0)] == ["Ethics", "Safety"]

    board.apply(share(category="Safety", value=11.0))
    assert [output.key for output in board.index(T0)] == ["Safety"]
    assert list(board.index(T0)) == []


def test_ids_tell_category_and_millisecond(board):
    board.apply(share(category="IP / Copyright", at=T0 + 0.25))

    (output,) = board.index(T0)

    assert output.id == f"IP / Copyright/{round(T0 * 1000) + 250}"
    assert output.event.category == "IP / Copyright"


def test_the_index_holds_at_a_whole_millisecond(board):
    board.apply(share())

    (output,) = board.index(T0 + 0.0014)

    assert output.at == T0 + 0.001
    assert output.event.at == from_epoch(T0 + 0.001)


# -- against its own average -------------------------------------------------------------------------------------


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(0.0, 50.0))
def test_the_average_follows_the_falling_value_until_the_common_time(value, average, days):
    # given
    board = IndexBoard(POLICY)
    board.apply(share(0, value, average=average, since=T0 - 1000 * DAY_S))

    # when: the midpoint rule, average' = (value - average) / 10 days
    (output,) = board.index(T0 + days * DAY_S)
    expected, steps = average, 1000
    width = days / steps
    for number in range(steps):
        begin, middle = (value * 0.5 ** ((number + part) * width) for part in (0.0, 0.5))
        half = expected + (begin - expected) / 10.0 * width / 2.0
        expected += (middle - half) / 10.0 * width

    # then
    assert output.event.average == pytest.approx(expected, abs=1e-2)


def test_averages_of_partitions_add_up_over_the_time_since_the_first_saw_anything(board):
    # given: one partition has watched for forty days, one for twenty, each told its average with silence before
    board.apply(share(0, 6.0, average=2.0, since=T0 - 40 * DAY_S))
    board.apply(share(1, 4.0, average=1.0, since=T0 - 20 * DAY_S))

    # when
    (output,) = board.index(T0)

    # then
    usual = 3.0 / (1.0 - math.exp(-4.0))
    assert output.event.average == pytest.approx(usual)
    assert output.event.since == from_epoch(T0 - 40 * DAY_S)
    assert output.event.relative == pytest.approx(10.0 / usual)


def test_a_category_is_averaged_over_all_the_time_that_anything_was_watched(board):
    board.apply(share(0, 6.0, average=2.0, since=T0 - 40 * DAY_S))
    board.apply(share(1, 4.0, average=2.0, since=T0 - 20 * DAY_S, category="Safety"))

    safety = next(output.event for output in board.index(T0) if output.key == "Safety")

    assert safety.average == pytest.approx(2.0 / (1.0 - math.exp(-4.0)))
    assert safety.since == from_epoch(T0 - 40 * DAY_S)


@pytest.mark.parametrize(("days", "told"), [(13.9, False), (14.0, True)])
def test_nothing_is_said_to_be_usual_before_two_weeks_have_been_watched(board, days, told):
    board.apply(share(0, 6.0, average=3.0, since=T0 - days * DAY_S))

    (output,) = board.index(T0)

    assert (output.event.relative is not None) is told


@pytest.mark.parametrize(("average", "told"), [(0.999, False), (1.0, True)])
def test_next_to_nothing_is_no_measure(board, average, told):
    board.apply(share(0, 6.0, average=average, since=T0 - 10_000 * DAY_S))

    (output,) = board.index(T0)

    assert output.event.relative == (pytest.approx(6.0) if told else None)


def test_at_the_first_moment_the_average_is_the_value(board):
    board.apply(share(0, 6.0, since=T0))

    (output,) = board.index(T0)

    assert (output.event.average, output.event.since, output.event.relative) == (6.0, from_epoch(T0), None)


def test_a_share_of_an_earlier_version_has_no_average_yet(board):
    board.apply(share(0, 6.0))

    (output,) = board.index(T0)

    assert (output.event.value, output.event.since, output.event.relative) == (6.0, None, None)
