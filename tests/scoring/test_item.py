"""The row of an item: what one observation counts, which of two stands, and which versions a row keeps."""

import msgspec
import pytest

from schemas.source_item import Moved, MovedCount
from schemas.times import from_epoch
from scoring.item import Counted, ItemRow, Version, count, rewrite
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY

FIELDS = (
    "observed_at",
    "at",
    "platform",
    "interactions",
    "audience",
    "critic",
    "defender",
    "figures",
    "retracted",
)


def counted(seen, **how) -> Counted:
    fields = count(seen, hours(2.0), hours(1.0), POLICY).stored()
    return Counted(**dict(zip(FIELDS, fields, strict=True)) | how)


def said(likes: int) -> Counted:
    """What an observation with so many likes counts: told apart in the tests by that."""
    return counted(item("a", likes=likes))


def test_interactions_are_weighed_by_what_they_cost_and_counted_in_thousandths():
    seen = counted(item("a", likes=1, comments=10, shares=100, views=1000))
    assert seen.interactions == 1000 * (1 + 2 * 10 + 3 * 100 + 0.01 * 1000)


def test_a_stance_weighs_one_typical_item_and_as_many_as_it_drew():
    # given: twice what is typical of Reddit
    likes = round(2 * POLICY.platform("reddit").typical)

    # then
    against = counted(item("a", platform="reddit", likes=likes, stance=-0.5))
    assert (against.critic, against.defender) == (1_500_000, 0)
    in_favour = counted(item("a", platform="reddit", likes=likes, stance=1.0))
    assert (in_favour.critic, in_favour.defender) == (0, 3_000_000)
    assert counted(item("a", likes=likes, stance=0.0)) == counted(item("a", likes=likes))


def test_figures_are_told_apart_without_regard_to_case_and_each_counts_once():
    assert counted(item("a", figures=("Zoe", "ANN", "ann"))).figures == ("ann", "zoe")


def test_counts_beyond_all_people_are_cut_and_an_unknown_audience_is_not_nothing():
    most = counted(item("a", likes=10**15, audience=10**15))
    assert (most.interactions, most.audience) == (1000 * 10**10, 10**10)
    assert counted(item("a", audience=0)).audience == 0
    assert counted(item("a")).audience == -1


@pytest.mark.parametrize(
    "change",
    [
        {"interactions": 1},
        {"at": hours(0.5)},
        {"audience": 7},
        {"retracted": True},
        {"critic": 1},
        {"defender": 1},
        {"platform": "x"},
        {"figures": ("ann",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_counts_is_content_and_when_it_was_seen_is_not(change):
    once = counted(item("a"))
    assert once.same_content(counted(item("a"), observed_at=hours(9.0)))
    assert not counted(item("a"), **change).same_content(once)
    assert counted(item("a"), **change, observed_at=hours(9.0)).stands_against(once)


def test_of_two_retracted_ones_neither_adds_anything():
    assert counted(item("a", likes=5), retracted=True).same_content(counted(item("a"), retracted=True))


def test_an_observation_does_not_replace_itself_or_a_later_one():
    once = counted(item("a"))
    assert not once.stands_against(once)
    assert not counted(item("a", likes=99)).stands_against(counted(item("a"), observed_at=hours(3.0)))


def test_of_two_of_one_time_the_greater_by_content_stands_and_never_both():
    few, many = said(1), said(9)
    assert (many.stands_against(few), few.stands_against(many)) == (True, False)


def test_what_was_counted_elsewhere_is_taken_as_it_is_up_to_the_bounds_that_it_had_there():
    # given
    most = 1_000_000 * (1 + 1_000_000)
    within, beyond = MovedCount(7, most, most, ("ann",)), MovedCount(10**14, most + 1, most + 1, ())

    # when
    kept, cut = (
        counted(msgspec.structs.replace(item("a"), moved=Moved(("old",), from_epoch(hours(1.0)), each)))
        for each in (within, beyond)
    )

    # then
    assert (kept.interactions, kept.critic, kept.defender, kept.figures) == (7, most, most, ("ann",))
    assert (cut.interactions, cut.critic, cut.defender) == (1000 * 10**10, most, most)


def test_a_first_version_has_none_before_it():
    assert rewrite(None, 9, said(1), -1) == ItemRow(9, said(1))


def test_the_version_that_the_incidents_stored_row_counts_is_kept_and_older_ones_are_not():
    row = ItemRow(5, said(2), (Version(2, said(1)),))
    assert rewrite(row, 9, said(3), 5) == ItemRow(9, said(3), (Version(5, said(2)),))
    assert rewrite(row, 9, said(3), 4) == ItemRow(9, said(3), (Version(2, said(1)),))
    assert rewrite(row, 9, said(3), 1) == ItemRow(9, said(3))


def test_what_a_crash_has_left_ahead_stays_ahead():
    row = ItemRow(12, said(3), (Version(5, said(1)),))
    assert rewrite(row, 9, said(2), 5) == ItemRow(12, said(3), (Version(5, said(1)), Version(9, said(2))))


def test_a_record_read_again_takes_its_own_place():
    row = ItemRow(9, said(2), (Version(5, said(1)),))
    assert rewrite(row, 9, said(2), 5) == row


def test_a_row_answers_with_what_stood_at_an_offset():
    row = ItemRow(9, said(3), (Version(2, said(1)), Version(5, said(2))))
    assert [row.counted_at(offset) for offset in (1, 2, 4, 5, 8, 9, 10)] == [
        None,
        said(1),
        said(1),
        said(2),
        said(2),
        said(3),
        said(3),
    ]
