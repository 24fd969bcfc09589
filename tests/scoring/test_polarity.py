"""The shift words say what a reader of the page expects: narrowed is less of a split, widened is more."""

import msgspec
import pytest

from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Shift
from scoring.polarity import average_at, shift
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY, Driver

TYPICAL = 100  # interactions that weigh a stance on `news` one more


def posts(first_h, critics, defenders):
    """Posts a minute apart, so many on each side, those of the lesser side spread among the others."""
    sides = [(number / critics, -1.0) for number in range(critics)]
    sides += [(number / defenders, 1.0) for number in range(defenders)]
    stances = [stance for _, stance in sorted(sides)] or [None]
    return [
        item(f"{first_h}-{number}", h=first_h + number / 60.0, likes=TYPICAL, stance=stance)
        for number, stance in enumerate(stances)
    ]


def polarity_after(*waves):
    driver = Driver()
    for wave in waves:
        for each in wave:
            driver.pipe(each)
    return driver.events(NOISE_SCORES)[-1].polarity


@pytest.mark.parametrize(
    ("before", "then", "word"),
    [
        ((8, 8), (40, 0), Shift.NARROWED),  # a debate, then all agree against it
        ((8, 8), (0, 40), Shift.NARROWED),  # ... or for it
        ((20, 0), (0, 20), Shift.WIDENED),  # critics alone, then as many answer
        ((8, 8), (20, 20), Shift.HELD),  # the same debate, only louder
        ((20, 0), (20, 0), Shift.HELD),  # the same choir, only louder
        ((30, 10), (3, 1), Shift.HELD),  # three to one, and it stays so
        ((0, 0), (0, 0), Shift.HELD),  # nobody has taken a side
    ],
)
def test_a_week_later_the_word_says_what_the_new_voices_did_to_the_split(before, then, word):
    assert polarity_after(posts(0.0, *before), posts(24.0 * 7, *then)).shift is word


def test_where_nobody_had_taken_a_side_critics_alone_leave_less_of_a_split_and_both_sides_more():
    calm = [item("calm", h=0.0)]
    assert polarity_after(calm, posts(24.0, 20, 0)).shift is Shift.NARROWED
    assert polarity_after(calm, posts(24.0, 10, 10)).shift is Shift.WIDENED


def test_the_published_page_a_polarity_of_50_to_which_the_split_has_narrowed():
    """Given a reaction evenly split; when critics come to be three to one; then it is 50, as without reaction."""
    polarity = polarity_after(posts(0.0, 10, 10), posts(24.0, 20, 0))

    assert (round(polarity.value), polarity.shift) == (50, "the split has narrowed")


def test_a_first_voice_is_no_shift():
    assert polarity_after(posts(0.0, 1, 0)).shift is Shift.HELD
    assert polarity_after(posts(0.0, 0, 1)).shift is Shift.HELD


def test_the_word_is_of_late_a_move_is_forgotten_in_days():
    # given
    driver = Driver()
    for each in (*posts(0.0, 20, 0), *posts(48.0, 0, 20)):
        driver.pipe(each)
    row = driver.state()

    # then: after a day half of the move is in the average, after a week all but a hundredth
    assert shift(row, SHIPPED_POLICY, row.as_of) is Shift.WIDENED
    assert shift(row, SHIPPED_POLICY, hours(72.0)) is Shift.WIDENED
    assert shift(row, SHIPPED_POLICY, hours(24.0 * 9)) is Shift.HELD
    assert average_at(row, SHIPPED_POLICY, hours(24.0 * 90)) == pytest.approx(row.polarity)


def test_retracting_one_side_narrows_the_split():
    # given
    stream = posts(0.0, 4, 4)
    driver = Driver()
    for each in stream:
        driver.pipe(each)

    # when
    for each in stream:
        if each.stance > 0.0:
            driver.pipe(msgspec.structs.replace(each, observed_at=from_epoch(hours(30.0)), retracted=True))

    # then
    assert driver.events(NOISE_SCORES)[-1].polarity.shift is Shift.NARROWED
