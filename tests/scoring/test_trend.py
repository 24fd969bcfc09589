"""The trend word: what it claims is true at every instant, and it changes at times known in advance."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.topics import TREND_UPDATES
from schemas.words import Trend
from scoring.activity import score
from scoring.curve import slope_per_hour
from scoring.trend import STEADY, WORDS, multiple
from tests import oracle
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import bursts

RULE = POLICY.trend
A_BIT = 1e-6


def words(driver: Driver) -> list[Trend]:
    """The words in the order in which they were told, where it was the word that changed."""
    return [each.trend for each in driver.events(TREND_UPDATES) if each.trend is not each.previous]


def flood(driver: Driver, first_h: float, count: int, every_h: float) -> None:
    for number in range(count):
        h = first_h + number * every_h
        driver.pipe(item(f"{first_h}/{number}", h=h, likes=10 * number))


def test_one_item_holds_steady_for_a_day_and_then_fades():
    # given
    driver = Driver()
    driver.pipe(item("a"))

    # when
    driver.advance(hours(20.0))
    assert words(driver) == []
    driver.advance(hours(24.0 * 30))

    # then
    assert words(driver) == [Trend.COOLING, Trend.FADING]


def test_a_burst_surges_and_then_fades_until_something_new_comes():
    # given
    driver = Driver()
    flood(driver, 0.0, 30, 0.1)
    assert words(driver)[-1] is Trend.SURGING

    # when
    driver.advance(hours(24.0 * 30))

    # then
    assert words(driver)[-1] is Trend.FADING
    driver.pipe(item("new", h=24.0 * 30))
    assert driver.state().trend is Trend.STEADY


def test_a_word_is_kept_for_the_hold_before_it_is_taken_back_but_a_rise_is_told_at_once():
    # given: a story that fades
    driver = Driver()
    flood(driver, 0.0, 30, 0.1)
    driver.advance(hours(24.0 * 30))

    # when: one item turns it to steady, and within the hold a flood comes
    driver.pipe(item("new", h=24.0 * 30))
    flood(driver, 24.0 * 30 + 0.1, 60, 0.01)
    surged = driver.state().trend_since
    assert driver.state().trend is Trend.SURGING
    for number in range(30):
        driver.pipe(item(f"i{number}", h=24.0 * 30 + 0.7, retracted=True))
        driver.pipe(item(f"{24.0 * 30 + 0.1}/{number}", h=24.0 * 30 + 0.7, retracted=True))
    for number in range(30, 60):
        driver.pipe(item(f"{24.0 * 30 + 0.1}/{number}", h=24.0 * 30 + 0.7, retracted=True))

    # then: nothing of it is left, and yet it surges until it has been said for three hours
    driver.advance(surged + 3600.0 * RULE.hold_h - 0.001)
    assert driver.state().trend is Trend.SURGING
    driver.advance(surged + 3600.0 * RULE.hold_h)
    assert driver.state().trend is Trend.STEADY


def test_an_update_says_what_was_before_and_the_figures_behind_it():
    # when
    driver = Driver()
    flood(driver, 0.0, 30, 0.1)
    driver.advance(hours(24.0 * 30))
    told = driver.events(TREND_UPDATES)

    # then
    assert [each.previous for each in told] == [Trend.STEADY, *(each.trend for each in told[:-1])]
    for each in told:
        assert set(each.rates) == {"1h", "6h", "24h", "168h"}
        assert 0.0 <= each.spike <= 1.0
        assert each.multiple >= 0.0


def test_the_multiple_and_the_spike_are_measured_against_the_incidents_own_past():
    # given: an item every two hours for a month, then a burst
    driver = Driver()
    flood(driver, 0.0, 360, 2.0)
    now = hours(720.0)
    assert 0.8 < multiple(driver.state(), POLICY, now) < 1.2
    assert score(driver.state(), POLICY, now) < 0.3

    # when
    flood(driver, 720.0, 40, 0.01)

    # then
    now = hours(720.4)
    assert multiple(driver.state(), POLICY, now) > 5.0
    assert score(driver.state(), POLICY, now) > 0.6


@given(bursts(), st.lists(st.floats(0.0, 24.0 * 40), min_size=1, max_size=12))
def test_the_word_is_true_at_any_time(stream, times):
    # given
    driver, seen = Driver(), []
    pending = sorted(hours(h) for h in times)
    for each in stream:
        while pending and pending[0] < to_epoch(each.observed_at):
            _check_word(driver, seen, pending.pop(0))
        driver.pipe(each)
        seen.append(each)
    for at in pending:
        _check_word(driver, seen, at)


def _check_word(driver: Driver, seen: list, at: float) -> None:
    # when
    driver.advance(at)
    if not seen:
        return
    word, incident = driver.state().trend, driver.state()

    # then: against rates recounted from all items
    items = oracle.standing(seen, POLICY)
    fast, slow = oracle.count(items, RULE.fast_h, at), oracle.count(items, RULE.slow_h, at)
    ratio = fast / RULE.fast_h / (slow / RULE.slow_h)
    noise = incident.noise_at(at, POLICY.curve.half_life_s)
    above = slope_per_hour(incident, POLICY, at) * RULE.slope_h / math.log(2.0)  # the noise's own average
    stay, leave = 1.0 - RULE.hysteresis, 1.0 + RULE.hysteresis
    may_rise = fast >= RULE.rise_items * (1.0 - A_BIT) and above >= -A_BIT
    may_fall = above <= A_BIT
    low, high = {
        Trend.SURGING: (RULE.surging_ratio * stay, math.inf),
        Trend.RISING: (RULE.rising_ratio * stay, RULE.surging_ratio),
        Trend.STEADY: (0.0, math.inf),
        Trend.COOLING: (RULE.fading_ratio, RULE.cooling_ratio * leave),
        Trend.FADING: (0.0, RULE.fading_ratio * leave),
    }[word]
    if word is not Trend.STEADY and at < incident.trend_since + 3600.0 * RULE.hold_h:
        return  # it may have ceased to hold: it is kept until it has been told for so long
    assert low * (1.0 - A_BIT) <= ratio <= high * (1.0 + A_BIT), (word, ratio)
    assert word not in (Trend.SURGING, Trend.RISING) or may_rise
    assert word not in (Trend.COOLING, Trend.FADING) or may_fall
    if word is Trend.STEADY:
        surely_rises = fast > RULE.rise_items * (1.0 + A_BIT) and above > RULE.rise_share * noise + A_BIT
        surely_falls = slow > RULE.fall_items * (1.0 + A_BIT) and above < -RULE.fall_share * noise - A_BIT
        surely_falls = surely_falls and at >= incident.trend_since + 3600.0 * RULE.hold_h
        assert not (surely_rises and ratio > RULE.rising_ratio * (1.0 + A_BIT)), ratio
        assert not (surely_falls and ratio < RULE.cooling_ratio * (1.0 - A_BIT)), ratio


@given(bursts())
def test_no_word_is_taken_back_within_the_hold(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)

    # when
    driver.advance(hours(24.0 * 60))

    # then
    told = [each for each in driver.events(TREND_UPDATES) if each.trend is not each.previous]
    for first, second in itertools.pairwise(told):
        was, now = WORDS.index(first.trend), WORDS.index(second.trend)
        rises, falls_further = now > max(was, STEADY), now < was < STEADY
        held_h = (to_epoch(second.at) - to_epoch(first.at)) / 3600.0
        assert rises or falls_further or held_h >= RULE.hold_h - 1e-6


@given(bursts())
def test_no_word_is_told_twice_in_a_row(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)

    # when
    driver.advance(hours(24.0 * 60))

    # then
    told = driver.events(TREND_UPDATES)
    assert all(
        each.trend is not each.previous or each.activity is not each.previous_activity for each in told
    )
    assert len({each.revision for each in told}) == len(told)
