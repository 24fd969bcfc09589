"""The past is kept in bounded memory: the shortest spans that are few enough, the last sample in each."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import NOISE_SCORES
from scoring.history import History, Sample, noise_over, polarity_over, sample_of
from tests.builders import T0, hours, item
from tests.driver import SHIPPED_POLICY, Driver

SPACING_S = 900.0
HALF_LIFE_S = SHIPPED_POLICY.curve.half_life_s

samples = st.builds(
    lambda minute, revision, noise: Sample(T0 + 60.0 * minute, revision, noise, 50.0),
    st.integers(0, 60 * 24 * 40),
    st.integers(1, 99),
    st.floats(0.0, 100.0),
)


def history_of(noted, most=8):
    past = History(most, SPACING_S)
    for each in noted:
        past.note(each)
    return past


def last_of_each_span(noted, spacing_s):
    spans = {}
    for each in noted:
        span = math.floor(each.at / spacing_s)
        spans[span] = max(spans.get(span, each), each)
    return [spans[span] for span in sorted(spans)]


@given(st.lists(samples, min_size=1, max_size=60), st.integers(2, 12))
def test_it_keeps_the_last_sample_of_the_shortest_spans_that_are_few_enough(noted, most):
    past = history_of(noted, most)

    assert past.samples == last_of_each_span(noted, past.spacing_s)
    assert len(past.samples) <= most
    assert past.spacing_s == SPACING_S or len(last_of_each_span(noted, past.spacing_s / 2.0)) > most


@given(st.lists(samples, min_size=1, max_size=40), st.data())
def test_any_order_and_any_repetition_give_the_same_past(noted, data):
    again = data.draw(st.lists(st.sampled_from(noted), max_size=20))
    shuffled = data.draw(st.permutations(noted + again))

    assert history_of(shuffled) == history_of(noted)


def test_a_month_of_quarter_hours_fits_and_still_shows_its_first_and_last_day():
    # given
    noted = [Sample(hours(0.25 * number), number, 40.0, 50.0) for number in range(4 * 24 * 30)]

    # when
    past = history_of(noted, SHIPPED_POLICY.history.most)

    # then: spans of 8 h
    assert past.spacing_s == 32 * SPACING_S
    assert 48 <= len(past.samples) <= 96
    assert past.samples[0].at < hours(24.0)
    assert past.samples[-1] == noted[-1]


def test_between_samples_the_noise_decays_and_polarity_stays():
    # given
    past = history_of([Sample(hours(0.0), 1, 40.0, 30.0), Sample(hours(336.0), 2, 50.0, 70.0)])

    # when: four weeks from a week before, a cell each
    start, end = hours(-168.0), hours(504.0)

    # then
    assert noise_over(past, start, end, 4, HALF_LIFE_S) == [0.0, 40.0, pytest.approx(20.0), 50.0]
    assert polarity_over(past, start, end, 4) == [None, 30.0, 30.0, 70.0]


def test_a_cell_shows_its_loudest_noise_and_its_last_polarity():
    past = history_of(
        [Sample(hours(h), h, noise, 90.0 - noise) for h, noise in ((1, 20.0), (2, 60.0), (3, 50.0))]
    )

    assert noise_over(past, hours(0.0), hours(4.0), 1, HALF_LIFE_S) == [60.0]
    assert polarity_over(past, hours(0.0), hours(4.0), 1) == [40.0]


def test_no_sample_is_no_noise():
    past = History(8, SPACING_S)
    assert noise_over(past, hours(0.0), hours(2.0), 2, HALF_LIFE_S) == [0.0, 0.0]
    assert polarity_over(past, hours(0.0), hours(2.0), 2) == [None, None]


def test_the_scores_of_an_incident_are_its_samples():
    # given
    driver = Driver()
    for h in range(4):
        driver.pipe(item(f"i{h}", h=float(h), likes=100 * h, stance=-1.0))

    # when
    past = history_of(map(sample_of, driver.events(NOISE_SCORES)))

    # then
    assert [each.at for each in past.samples] == [hours(0.0), hours(1.0), hours(2.0), hours(3.0)]
    last = driver.events(NOISE_SCORES)[-1]
    assert past.samples[-1] == (hours(3.0), last.revision, last.noise, last.polarity.value)


def test_a_sample_at_the_very_end_is_in_the_last_part_and_at_any_other_edge_in_the_next():
    past = history_of([Sample(hours(number), number, 10.0 * number, 50.0 + number) for number in (1, 2, 3)])

    assert noise_over(past, hours(0), hours(3), 3, HALF_LIFE_S)[1:] == [10.0, 30.0]
    assert polarity_over(past, hours(0), hours(3), 3) == [None, 51.0, 53.0]
