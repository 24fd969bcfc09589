"""Activity: an outbreak is told quickly and once, its end and silence at their time, without any tick."""

import itertools
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import TREND_UPDATES
from schemas.words import Activity
from scoring import activity
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.rows import encode_row
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import bursts

RULE = POLICY.spike
NORMAL, SPIKING, SUBSIDED, SILENT = Activity


def told(driver: Driver) -> list:
    """Every update that tells of another activity."""
    return [each for each in driver.events(TREND_UPDATES) if each.activity is not each.previous_activity]


def words(driver: Driver) -> list[Activity]:
    return [each.activity for each in told(driver)]


def coverage(driver: Driver, first_h: float, count: int, every_h: float) -> None:
    """So many items, one every so many hours."""
    for number in range(count):
        driver.pipe(item(f"{first_h}/{number}", h=first_h + number * every_h))


def test_one_or_two_items_or_one_a_day_raise_nothing():
    driver = Driver()
    coverage(driver, 0.0, 2, 0.1)
    coverage(driver, 24.0, 30, 24.0)
    assert words(driver) == []


def test_a_first_outbreak_takes_five_items():
    driver = Driver()
    coverage(driver, 0.0, 4, 0.0)
    assert words(driver) == []
    driver.pipe(item("fifth", h=0.1))
    assert words(driver) == [SPIKING]


def test_an_outbreak_is_told_within_its_first_items():
    # when: an item every quarter of an hour, of which nobody had heard before
    driver = Driver()
    coverage(driver, 0.0, 12, 0.25)

    # then
    (update,) = told(driver)
    assert (update.previous_activity, update.activity) == (NORMAL, SPIKING)
    assert update.at.timestamp() <= hours(1.5)
    assert update.spike >= RULE.thresholds[RULE.sensitivity]


def test_an_outbreak_is_told_once_while_it_lasts_and_again_when_it_has_subsided():
    # given: two busy days
    driver = Driver()
    coverage(driver, 0.0, 192, 0.25)
    assert words(driver) == [SPIKING]

    # when
    driver.advance(hours(48.0 + 47.0))

    # then
    assert words(driver) == [SPIKING, SUBSIDED]


def test_a_second_outbreak_is_told_against_what_has_become_usual():
    # given: two items a day for a month
    driver = Driver()
    coverage(driver, 0.0, 60, 12.0)
    assert SPIKING not in words(driver)

    # when
    coverage(driver, 722.0, 15, 0.2)

    # then
    (update,) = [each for each in told(driver) if each.activity is SPIKING]
    assert update.at.timestamp() <= hours(724.0)


def test_a_spike_is_not_over_sooner_than_the_hold():
    # given: five items at once, and then nothing
    driver = Driver()
    coverage(driver, 0.0, 6, 0.02)
    (spiking,) = told(driver)

    # when
    due = activity.subsides_at(driver.state(), POLICY)
    driver.advance(due - 0.001)
    before = words(driver)
    driver.advance(due)

    # then
    assert due >= spiking.at.timestamp() + RULE.hold_h * 3600.0
    assert before == [SPIKING]
    assert told(driver)[-1].at.timestamp() == due
    assert words(driver) == [SPIKING, SUBSIDED]


def test_an_incident_that_was_covered_daily_falls_silent_at_a_time_known_before():
    # given: four items a day for two weeks
    driver = Driver()
    coverage(driver, 0.0, 56, 6.0)
    last = hours(55 * 6.0)
    due = activity.silent_at(driver.state(), POLICY)

    # when
    driver.advance(due - 0.001)
    assert driver.state().activity is not SILENT
    driver.advance(due)

    # then
    assert due - last >= POLICY.silence.least_h * 3600.0
    assert words(driver)[-1] is SILENT
    assert told(driver)[-1].at.timestamp() == due
    assert activity.silent_at(driver.state(), POLICY) == NEVER


def test_the_more_coverage_there_was_the_sooner_silence_is_noticed():
    few, many = Driver(), Driver()
    coverage(few, 0.0, 28, 12.0)
    coverage(many, 0.0, 84, 4.0)
    gap = [activity.silent_at(each.state(), POLICY) - each.state().rates_at for each in (few, many)]
    assert gap[1] < gap[0]


def test_thin_coverage_never_falls_silent():
    driver = Driver()
    coverage(driver, 0.0, 20, 72.0)
    assert activity.silent_at(driver.state(), POLICY) == NEVER
    driver.advance(hours(24.0 * 365))
    assert SILENT not in words(driver)


def test_new_coverage_ends_silence():
    driver = Driver()
    coverage(driver, 0.0, 56, 6.0)
    driver.advance(hours(24.0 * 40))
    driver.pipe(item("late riser", h=24.0 * 40))
    assert words(driver)[-2:] == [SILENT, NORMAL]


def test_what_is_seen_again_without_change_raises_nothing():
    driver = Driver()
    for _ in range(20):
        driver.pipe(item("a", h=0.0))
    assert words(driver) == []


def test_the_windows_do_not_depend_on_how_often_items_are_seen_again():
    once, often = Driver(), Driver()
    for number in range(30):
        once.pipe(item(str(number), h=4.0 * number))
        often.pipe(item(str(number), h=4.0 * number))
        for later in (1.0, 2.0, 3.0):
            often.pipe(item(str(number), h=4.0 * number, seen=4.0 * number + later, likes=int(10 * later)))
    assert often.state().revision > once.state().revision
    assert often.state().spike == once.state().spike


def test_a_late_item_counts_as_what_is_left_of_it():
    # given: six items at once, found while they are new, and found two days late
    fresh, late = Driver(), Driver()
    for number in range(6):
        fresh.pipe(item(str(number), h=48.0))
        late.pipe(item(str(number), h=0.0, seen=48.0))

    # then
    assert words(fresh) == [SPIKING]
    assert words(late) == []


def test_a_retraction_takes_an_item_out_of_the_windows():
    # given
    driver = Driver()
    coverage(driver, 0.0, 4, 0.1)
    before = activity.score(driver.state(), POLICY, hours(1.0))

    # when
    for number in range(4):
        driver.pipe(item(f"0.0/{number}", h=number * 0.1, seen=1.0, retracted=True))

    # then
    assert before > 0.3
    assert activity.score(driver.state(), POLICY, hours(1.0)) < 0.01


def test_sensitivity_decides_how_soon_an_outbreak_is_told():
    def told_at(sensitivity):
        driver = Driver(replace(POLICY, spike=replace(POLICY.spike, sensitivity=sensitivity)))
        coverage(driver, 0.0, 40, 0.25)
        return told(driver)[0].at

    fewer, balanced, more = map(told_at, RULE.thresholds)
    assert more < balanced < fewer


def test_in_a_month_of_chance_there_are_few_outbreaks_beside_its_first():
    for seed, per_day in itertools.product((1, 2, 3), (2.0, 10.0, 50.0)):
        chance, driver, h, number = random.Random(seed), Driver(), 0.0, 0
        while h < 24.0 * 30:
            number += 1
            driver.pipe(item(str(number), h=h))
            h += chance.expovariate(per_day / 24.0)
        assert words(driver).count(SPIKING) <= 3, (seed, per_day)


@given(bursts(), st.lists(st.floats(0.0, 24.0 * 60), max_size=8))
def test_the_activity_does_not_depend_on_when_one_looks(stream, times):
    # given: the same stream, with and without the clock being moved in between
    plain, watched = Driver(), Driver()
    pending = sorted(hours(h) for h in times)
    for each in stream:
        while pending and pending[0] < each.observed_at.timestamp():
            watched.advance(pending.pop(0))
        plain.pipe(each)
        watched.pipe(each)

    # when
    for driver in (plain, watched):
        driver.advance(hours(24.0 * 90))

    # then
    assert told(plain) == told(watched)
    assert plain.state() == watched.state()


@given(bursts())
def test_each_change_begins_where_the_last_one_ended(stream):
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    driver.advance(hours(24.0 * 90))

    assert [each.previous_activity for each in told(driver)] == [NORMAL, *words(driver)][:-1] or not told(
        driver
    )
    assert (words(driver) or [NORMAL])[-1] is driver.state().activity
    assert driver.state().activity is not SPIKING


def test_an_item_that_was_taken_out_and_comes_back_counts_once():
    # given
    driver = Driver()
    coverage(driver, 0.0, 3, 0.0)

    # when
    driver.pipe(item("0.0/1", h=0.0, seen=0.01, retracted=True))
    without = driver.state().spike.slow.count
    driver.pipe(item("0.0/1", h=0.0, seen=0.02))

    # then
    assert without == pytest.approx(2.0, rel=1e-3)
    assert driver.state().spike.slow.count == pytest.approx(3.0, rel=1e-3)


def test_a_spike_that_is_calm_at_once_is_told_to_be_over_after_the_hold_alone():
    incident = Incident(activity=SPIKING, activity_since=hours(1.0))
    assert activity.subsides_at(incident, POLICY) == hours(1.0 + RULE.hold_h)


@pytest.mark.parametrize("items", [POLICY.silence.items, 25.0, 400.0])
def test_silence_is_a_gap_that_chance_would_not_make_in_ten_thousand(items):
    # given
    horizon = POLICY.rates.horizons_h.index(POLICY.trend.usual_h)
    counts = [items if index == horizon else 0.0 for index in range(4)]
    incident = Incident(rates_at=hours(0.0), counts=counts)
    rate_per_hour = items * math.log(2.0) / POLICY.trend.usual_h

    # when
    gap_h = (activity.silent_at(incident, POLICY) - hours(0.0)) / 3600.0

    # then
    if gap_h > POLICY.silence.least_h:
        assert math.exp(-rate_per_hour * gap_h) == pytest.approx(POLICY.silence.chance, rel=1e-3)
    else:
        assert math.exp(-rate_per_hour * gap_h) <= POLICY.silence.chance


def test_what_comes_after_silence_says_since_when_it_is_normal():
    # given: daily coverage, then none
    driver = Driver()
    coverage(driver, 0.0, 30, 24.0)
    driver.advance(hours(24.0 * 60))
    assert driver.state().activity is SILENT

    # when
    driver.pipe(item("again", h=24.0 * 60))

    # then
    assert (driver.state().activity, driver.state().activity_since) == (NORMAL, hours(24.0 * 60))


def test_a_score_asked_for_ahead_of_time_leaves_the_row_as_it_is():
    # given
    driver = Driver()
    coverage(driver, 0.0, 12, 0.25)
    row = encode_row(driver.state())

    # when
    now, later = (activity.score(driver.state(), POLICY, hours(h)) for h in (3.0, 60.0))

    # then
    assert now > later
    assert encode_row(driver.state()) == row
