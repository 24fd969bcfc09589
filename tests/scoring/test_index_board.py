"""The index over all partitions: the latest shares, summed at a common time."""

import pytest

from schemas.noise_index import IndexShare, Mover
from schemas.times import HOUR_S, from_epoch
from schemas.topics import NOISE_INDEX
from scoring.index import OVERALL, IndexBoard
from tests.builders import T0

DAY_S = 24 * HOUR_S


def share(partition=0, value=10.0, *, at=T0, category=OVERALL, incidents=1, movers=()):
    return IndexShare(
        partition, category, from_epoch(at), value, incidents, tuple(Mover(*each) for each in movers)
    )


@pytest.fixture
def board():
    return IndexBoard(half_life_s=DAY_S, movers=2)


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
