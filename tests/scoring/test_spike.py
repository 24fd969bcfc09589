"""The spike detector: what it finds, what it leaves alone, and that it never looks ahead."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import DAY_S, HOUR_S
from schemas.words import Sensitivity
from scoring import spike
from scoring.spike_state import SpikeState
from tests.driver import SHIPPED_POLICY as POLICY

RULE, TEMPO = POLICY.spike, POLICY.spike.series
FIVE_MINUTES = 300.0
START = 1_600_000_000.0


def judged(counts, sensitivity=Sensitivity.BALANCED, width_s=FIVE_MINUTES):
    """What each count of a series comes to, one a bin."""
    state = spike.begin(START)
    return [
        spike.observe(state, START + number * width_s, items, width_s, RULE, TEMPO, sensitivity)
        for number, items in enumerate(counts, 1)
    ]


def alerts(counts, sensitivity=Sensitivity.BALANCED, width_s=FIVE_MINUTES):
    """Which bins are alerts."""
    return [number for number, seen in enumerate(judged(counts, sensitivity, width_s)) if seen.alert]


def poisson(rng, mean):
    """A Poisson count, by the arrivals of one unit of time."""
    count, at = 0, rng.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count


def days_and_nights(seed, days, mean):
    """Counts a bin of a series that is six times as busy at noon as at midnight."""
    rng, bins = random.Random(seed), int(DAY_S / FIVE_MINUTES)
    rhythm = [1.0 - 5.0 / 7.0 * math.cos(2.0 * math.pi * number / bins) for number in range(bins)]
    return [poisson(rng, mean * rhythm[number % bins]) for number in range(days * bins)]


@given(st.lists(st.integers(0, 500), min_size=2, max_size=400), st.data())
def test_a_score_depends_on_nothing_that_comes_after(counts, data):
    cut = data.draw(st.integers(1, len(counts)))
    assert judged(counts, width_s=HOUR_S)[:cut] == judged(counts[:cut], width_s=HOUR_S)


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 10**9)), min_size=1, max_size=300))
def test_a_score_lies_between_0_and_1_whatever_comes(counts):
    for seen in judged(counts, width_s=HOUR_S):
        assert math.isfinite(seen.surprise)
        assert 0.0 <= seen.score <= 1.0


@given(st.integers(0, 10**6), st.sampled_from(Sensitivity))
def test_what_never_changes_is_never_an_alert(count, sensitivity):
    assert alerts([count] * 400, sensitivity, width_s=HOUR_S) == []


@pytest.mark.parametrize("mean", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_night_and_day_are_no_spikes(seed, mean):
    assert len(alerts(days_and_nights(seed, days=28, mean=mean))) <= 2


@pytest.mark.parametrize("mean", [1.0, 10.0, 100.0])
def test_a_burst_is_found_while_it_happens(mean):
    # given: two weeks of days and nights, then three hours around noon with ten times as many
    counts = days_and_nights(3, days=15, mean=mean)[: int(14.5 * DAY_S / FIVE_MINUTES) + 18]
    first = len(counts) - 36
    counts[first:] = [10 * max(1, each) for each in counts[first:]]

    # when
    found = alerts(counts)

    # then: once, and within the first hour
    assert [number for number in found if number >= first] == [pytest.approx(first, abs=12)]


def test_a_burst_in_the_evening_is_found_too_though_the_day_was_as_busy():
    counts = days_and_nights(3, days=14, mean=10.0)
    first = len(counts) - 36
    counts[first:] = [10 * max(1, each) for each in counts[first:]]
    assert len([number for number in alerts(counts) if number >= first]) == 1


@pytest.mark.parametrize("scale", [10, 1000])
def test_what_is_many_times_as_large_is_judged_nearly_alike(scale):
    counts = days_and_nights(4, days=14, mean=100.0)
    counts[-12:] = [8 * each for each in counts[-12:]]
    small, large = judged(counts), judged([scale * each for each in counts])
    assert small[-1].score == pytest.approx(large[-1].score, abs=0.05)


def test_one_item_a_week_is_never_an_alert():
    week = int(7 * DAY_S / HOUR_S)
    counts = ([0] * (week - 1) + [1]) * 20
    assert alerts(counts, Sensitivity.MORE, width_s=HOUR_S) == []


def test_nothing_surprises_on_the_first_day():
    assert alerts([0] * 100 + [5000] * 100) == []


def test_an_alert_is_repeated_only_when_rested_or_far_more_extreme():
    # given: a quiet fortnight, then a burst that goes on for two days
    quiet, burst = [20] * (14 * 24), [400] * 48

    # when
    seen = judged(quiet + burst, width_s=HOUR_S)[len(quiet) :]
    raised = [number for number, each in enumerate(seen) if each.alert]

    # then
    assert raised[0] == 0
    for earlier, later in pairwise(raised):
        rested = (later - earlier) * HOUR_S >= RULE.rest_h * HOUR_S
        assert rested or seen[later].surprise >= RULE.repeat * seen[earlier].surprise


def test_more_sensitivity_never_finds_less_in_a_burst():
    counts = days_and_nights(5, days=14, mean=10.0) + [25] * 24
    found = [len(alerts(counts, each)) for each in Sensitivity]
    assert found == sorted(found)


def test_what_is_missing_had_no_items():
    # given: a series with a row for every hour, and the same without its empty rows
    counts = [30 if 8 <= number % 24 < 20 else 0 for number in range(24 * 14)]
    state = spike.begin(START)
    for number, items in enumerate(counts, 1):
        if items:
            last = spike.observe(
                state, START + number * HOUR_S, items, HOUR_S, RULE, TEMPO, Sensitivity.BALANCED
            )

    # then: the nights are stepped over in wider steps, so it is nearly the same
    whole = judged(counts[: len(counts) - 4], width_s=HOUR_S)
    assert last.surprise == pytest.approx(whole[-1].surprise, abs=0.2)


def test_a_century_without_items_is_stepped_over_at_once():
    state = spike.begin(START)
    spike.observe(state, START + HOUR_S, 50, HOUR_S, RULE, TEMPO, Sensitivity.BALANCED)
    spike.wait(state, START + 36500 * DAY_S, HOUR_S, TEMPO)
    assert state.fast.mean == pytest.approx(0.0, abs=1e-3)


def recomputed(counts, width_s):
    """The surprise of each bin, recomputed from all bins before it: the weighted means are written out as sums."""
    surprises, logs = [], {TEMPO.fast_h: [], TEMPO.slow_h: []}
    means: dict[float, list[float]] = {TEMPO.fast_h: [], TEMPO.slow_h: []}
    width_h = width_s / HOUR_S

    def weighted(values, half_life_h):
        weights = [0.5 ** ((len(values) - 1 - i) * width_h / half_life_h) for i in range(len(values))]
        return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)

    for n in range(1, len(counts) + 1):
        surprise = 0.0
        for horizon_h, share in ((TEMPO.fast_h, RULE.fast_share), (TEMPO.slow_h, 1.0 - RULE.fast_share)):
            held = math.fsum(
                each * 0.5 ** ((n - 1 - i) * width_h / horizon_h) for i, each in enumerate(counts[:n])
            )
            filled = 1.0 - 0.5 ** (n * width_h / horizon_h)
            log = math.log1p(held / filled / TEMPO.usual_items)
            if n > 1:
                mean = means[horizon_h][-1]
                errors = [0.0] + [
                    (logs[horizon_h][i] - means[horizon_h][i - 1]) ** 2 for i in range(1, n - 1)
                ]
                spread = weighted(errors, TEMPO.spread_h) + RULE.least_spread**2
                surprise += share * (log - mean) / math.sqrt(spread + math.exp(-mean) / TEMPO.usual_items)
            logs[horizon_h].append(log)
            means[horizon_h].append(weighted(logs[horizon_h], TEMPO.mean_h))
        surprises.append(surprise if n * width_h >= RULE.warm_up_h else 0.0)
    return surprises


@given(st.lists(st.integers(0, 300), min_size=20, max_size=60))
def test_a_surprise_is_what_all_bins_before_it_make_of_it(counts):
    seen = judged(counts, width_s=HOUR_S)
    assert [each.surprise for each in seen] == pytest.approx(recomputed(counts, HOUR_S), rel=1e-9, abs=1e-9)
    assert [each.score > 0.0 for each in seen] == [each.surprise > 0.0 for each in seen]


def test_an_incident_learns_an_hour_when_it_has_ended_and_what_was_left_then():
    # given: five items, ten minutes into an hour
    tempo, hour = POLICY.spike.incident, 450_000 * HOUR_S
    state = SpikeState(at=hour + 600.0)
    state.fast.count = state.slow.count = 5.0

    # when
    spike.pass_to(state, hour + HOUR_S - 1.0, RULE, tempo)
    before = state.fast.mean
    spike.pass_to(state, hour + HOUR_S + 10.0, RULE, tempo)

    # then: the hour is a small share of the mean's memory
    share = 1.0 - 0.5 ** (1.0 / tempo.mean_h)
    left = 5.0 * 0.5 ** (3000.0 / HOUR_S / tempo.fast_h)
    assert before == 0.0
    assert state.fast.mean == pytest.approx(share * math.log1p(left / tempo.usual_items))
    assert state.at == hour + HOUR_S + 10.0


def test_it_is_calm_when_the_count_has_come_down_to_what_is_usual_and_a_deviation():
    # given
    tempo = POLICY.spike.incident
    state = SpikeState(at=START)
    state.fast.count, state.fast.mean, state.fast.variance = 40.0, 1.2, 0.3

    # when
    at = spike.calm_at(state, RULE, tempo)

    # then
    deviation = math.sqrt(0.3 + RULE.least_spread**2 + math.exp(-1.2) / tempo.usual_items)
    left = 40.0 * 0.5 ** ((at - START) / HOUR_S / tempo.fast_h)
    assert math.log1p(left / tempo.usual_items) == pytest.approx(1.2 + RULE.calm * deviation, abs=1e-5)


def test_time_without_items_is_learnt_in_steps_of_which_each_is_twice_the_one_before():
    # given: fifty items, and then ten hours without any: steps of one hour, two, four, and the rest
    state = spike.begin(START)
    spike.observe(state, START + HOUR_S, 50, HOUR_S, RULE, TEMPO, Sensitivity.BALANCED)
    mean, at_h = state.slow.mean, 1.0

    # when
    spike.wait(state, START + 11.0 * HOUR_S, HOUR_S, TEMPO)

    # then
    for step_h in (1.0, 2.0, 4.0, 3.0):
        at_h += step_h
        held = 50.0 * 0.5 ** ((at_h - 1.0) / TEMPO.slow_h)
        log = math.log1p(held / (1.0 - 0.5 ** (at_h / TEMPO.slow_h)) / TEMPO.usual_items)
        share = (1.0 - 0.5 ** (step_h / TEMPO.mean_h)) / (1.0 - 0.5 ** (at_h / TEMPO.mean_h))
        mean += share * (log - mean)
    assert state.at == START + 11.0 * HOUR_S
    assert state.slow.mean == pytest.approx(mean, rel=1e-12)


def test_an_alert_may_be_repeated_as_soon_as_the_rest_is_over():
    # given: what is an alert whenever there was none lately
    state = spike.begin(START)
    for number in range(1, 24 * 7):
        spike.observe(state, START + number * HOUR_S, 10, HOUR_S, RULE, TEMPO, Sensitivity.BALANCED)
    state.fast.count, state.slow.count = 900.0, 900.0
    assert spike.judge(state, RULE, TEMPO, Sensitivity.BALANCED).alert
    state.alert_surprise = 1e9

    # then
    for since_h, alert in ((RULE.rest_h, True), (RULE.rest_h - 0.001, False)):
        state.alert_at = state.at - since_h * HOUR_S
        assert spike.judge(state, RULE, TEMPO, Sensitivity.BALANCED).alert is alert


def test_an_alert_is_repeated_within_the_rest_by_what_is_as_many_times_as_surprising():
    state = spike.begin(START)
    for number in range(1, 24 * 7):
        spike.observe(state, START + number * HOUR_S, 10, HOUR_S, RULE, TEMPO, Sensitivity.BALANCED)
    state.fast.count, state.slow.count, state.alert_at = 900.0, 900.0, state.at
    surprise = spike.judge(state, RULE, TEMPO, Sensitivity.BALANCED).surprise

    for before, alert in ((0.999, True), (1.001, False)):
        state.alert_surprise = before * surprise / RULE.repeat
        assert spike.judge(state, RULE, TEMPO, Sensitivity.BALANCED).alert is alert
