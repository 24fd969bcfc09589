"""The trend word: what it claims is true at every instant, and it changes at times known in advance."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.topics import TREND_UPDATES
from schemas.words import Trend
from scoring.activity import score
from scoring.curve import slope_per_hour, slope_turns
from scoring.derived import STEADY, WORDS
from scoring.incident import Incident
from scoring.trend import Outlook, multiple, outlook
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


FADING, COOLING, HOLDING, RISING, SURGING = WORDS


@pytest.mark.parametrize("word", WORDS)
def test_each_edge_is_crossed_when_the_ratio_is_there_and_a_word_is_left_only_past_its_own(word):
    # given: four items of late where one was usual, and a noise above its average
    incident = Incident(rates_at=hours(0.0), counts=[1.0, 6.0, 6.0, 9.0], trend=word, composite=50.0)
    incident.last_seen = incident.averages_at = hours(0.0)
    incident.noise_average = 40.0
    ratio = 6.0 / RULE.fast_h / (6.0 / RULE.slow_h)

    # when
    seen = outlook(incident, POLICY)

    # then: in eight hours the fast rate loses a half more than the slow one
    down = {FADING: 1.0, COOLING: 1.0, RISING: 1.0, SURGING: 1.0}
    if word in (FADING, COOLING):
        down |= {each: 1.15 for each in (FADING, COOLING) if WORDS.index(word) <= WORDS.index(each)}
    if word in (RISING, SURGING):
        down |= {each: 0.85 for each in (RISING, SURGING) if WORDS.index(word) >= WORDS.index(each)}
    edges = [RULE.fading_ratio, RULE.cooling_ratio, RULE.rising_ratio, RULE.surging_ratio]
    wanted = [
        hours(8.0 * math.log2(ratio / (edge * down[of])))
        for edge, of in zip(edges, (FADING, COOLING, RISING, SURGING), strict=True)
    ]
    assert seen.edges == pytest.approx(wanted, abs=0.002)
    rises, falls = word in (RISING, SURGING), word in (FADING, COOLING)
    grows, sinks = 1.0 if rises else 1.0 - RULE.rise_share, 1.0 if falls else 1.0 + RULE.fall_share
    assert (seen.grows_until, seen.falls_from) == slope_turns(incident, POLICY, grows, sinks)
    assert math.isinf(seen.fall_ends) == falls


def test_without_items_in_either_window_every_edge_is_past():
    for counts in ([1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0]):
        incident = Incident(rates_at=hours(0.0), counts=counts, composite=10.0, last_seen=hours(0.0))
        assert set(outlook(incident, POLICY).edges) == {-math.inf}


@pytest.mark.parametrize(
    ("ratio_rank", "now", "word"),
    [
        (4, 9.0, SURGING),
        (4, 10.0, HOLDING),  # too few items to rise, from then on
        (0, 29.0, HOLDING),  # not yet below its average
        (0, 30.0, FADING),
        (1, 39.0, COOLING),
        (1, 40.0, HOLDING),  # too few to tell a fall
        (2, 35.0, HOLDING),
    ],
)
def test_a_word_needs_enough_items_and_the_noise_on_its_side_to_the_moment(ratio_rank, now, word):
    edges = tuple(100.0 if rank < ratio_rank else 0.0 for rank in range(4))
    seen = Outlook(edges, 10.0, 40.0, math.inf, 30.0, HOLDING, 0.0)
    assert seen.word(now) is word


@pytest.mark.parametrize(
    ("present", "ratio_rank", "kept"),
    [
        (COOLING, 2, True),  # from falling to steady is taking back
        (COOLING, 0, False),
        (COOLING, 3, False),
        (RISING, 2, True),
        (SURGING, 3, True),
        (RISING, 4, False),
        (FADING, 1, True),
        (HOLDING, 1, True),
    ],
)
def test_what_is_taken_back_waits_for_the_hold_and_what_goes_further_does_not(present, ratio_rank, kept):
    edges = tuple(100.0 if rank < ratio_rank else 0.0 for rank in range(4))
    seen = Outlook(edges, 90.0, 90.0, 90.0, 0.0, present, 50.0)
    assert seen.word(49.9) is (present if kept else WORDS[ratio_rank])
    assert seen.word(50.0) is WORDS[ratio_rank]


def test_a_lone_item_is_its_own_usual_volume():
    driver = Driver()
    driver.pipe(item("a"))
    assert multiple(driver.state(), POLICY, hours(0.0)) == pytest.approx(1.0)
