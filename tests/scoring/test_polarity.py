"""The shift words say what a reader of the page expects: narrowed is less of a split, widened is more."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Shift
from scoring.incident import Incident
from scoring.polarity import begin, mean_at, moved, settle, shift
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


@pytest.mark.parametrize("sides", [(1, 0), (0, 1), (20, 0), (0, 20)])
def test_those_who_speak_first_shift_nothing(sides):
    """Given days of coverage without reaction; when one side alone comes; then there was no split to narrow."""
    calm = [item("calm", h=0.0), item("calm-2", h=24.0)]
    assert polarity_after(calm, posts(48.0, *sides)).shift is Shift.HELD
    assert polarity_after(calm, posts(48.0, *sides), posts(72.0, *sides)).shift is Shift.HELD


def test_a_debate_from_the_start_has_held_within_hours():
    driver = Driver()
    for each in posts(0.0, 10, 10):
        driver.pipe(each)
    assert shift(driver.state(), SHIPPED_POLICY, hours(6.0)) is Shift.HELD


def test_one_voice_against_one_shifts_less_than_a_hundred_against_a_hundred():
    few, many = Driver(), Driver()
    for driver, number in ((few, 1), (many, 100)):
        for each in (*posts(0.0, number, 0), *posts(24.0, 0, number)):
            driver.pipe(each)
    points = [moved(driver.state(), SHIPPED_POLICY, hours(26.0)) for driver in (few, many)]
    assert 3.0 < points[0] < points[1]


sides = st.tuples(st.floats(0.0, 100.0), st.integers(0, 9), st.integers(0, 9))


@given(st.lists(sides, min_size=1, max_size=12), st.floats(0.01, 200.0))
def test_the_mean_is_that_of_an_integral_over_the_past_since_the_first_reaction(reactions, later_h):
    # given: sides that hold from hour to hour
    reactions = sorted(reactions)
    row, told, began = Incident(), [], None
    for h, critics, defenders in reactions:
        now = hours(h)
        settle(row, SHIPPED_POLICY, now)
        row.averages_at = now
        row.critic, row.defender = critics * 10**6, defenders * 10**6
        begin(row, now)
        if not critics + defenders:
            told, began = [], None
        else:
            began = now if began is None else began
            told.append((now, 100.0 * (1.0 - abs(critics - defenders) / (critics + defenders))))

    # when
    at = hours(reactions[-1][0] + later_h)

    # then: every span weighs what the past of its length and age does
    half_life_s = SHIPPED_POLICY.polarity.half_life_h * 3600.0

    def weigh(start, end):
        return 0.5 ** ((at - end) / half_life_s) - 0.5 ** ((at - start) / half_life_s)

    if not told:
        assert moved(row, SHIPPED_POLICY, at) == 0.0
        return
    spans = list(zip(told, [start for start, _ in told[1:]] + [at], strict=True))
    whole = sum(weigh(start, end) for (start, _), end in spans)
    expected = sum(split * weigh(start, end) for (start, split), end in spans) / whole
    assert mean_at(row, SHIPPED_POLICY, at, told[-1][1]) == pytest.approx(expected, abs=1e-6)


def test_the_published_page_a_polarity_of_50_to_which_the_split_has_narrowed():
    """Given a reaction evenly split; when critics come to be three to one; then it is 50, as without reaction."""
    polarity = polarity_after(posts(0.0, 10, 10), posts(24.0, 20, 0))

    assert (round(polarity.value), polarity.shift) == (50, "the split has narrowed")


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
    assert moved(row, SHIPPED_POLICY, hours(24.0 * 90)) == pytest.approx(0.0, abs=1e-6)


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
