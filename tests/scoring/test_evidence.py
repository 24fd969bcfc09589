"""Evidence does not depend on the order, the repetition or the lateness of what is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.noise_score import Factors
from scoring import factors
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.rows import decode_incident, decode_item_row, encode_row
from tests import oracle
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import crowded, growing, observations, profiles, streams

LATER = hours(24.0 * 9)
MANY = tuple(f"figure {number:03d}" for number in range(70))


def after(stream, **how) -> Incident:
    driver = Driver(**how)
    for each in stream:
        driver.pipe(each)
    return driver.state()


def sums(incident: Incident) -> oracle.Evidence:
    return oracle.Evidence(
        incident.items,
        incident.first_seen,
        incident.last_seen,
        {
            name: (each.items, each.interactions, each.audience, each.without_audience)
            for name, each in incident.platforms.items()
        },
        incident.figures,
        incident.figures_left_out,
        incident.critic,
        incident.defender,
        incident.mainstream_first,
    )


def counts_at(incident: Incident, at: float) -> list[float]:
    horizons = POLICY.rates.horizons_h
    return [incident.rate_at(index, horizon, at) for index, horizon in enumerate(horizons)]


def check(incident: Incident, stream) -> None:
    standing = oracle.standing(stream, POLICY)
    expected = oracle.evidence(standing)
    assert sums(incident) == expected
    assert counts_at(incident, LATER) == pytest.approx(
        [oracle.rate(standing, horizon, LATER) for horizon in POLICY.rates.horizons_h], rel=1e-9, abs=1e-11
    )
    values = factors.factors(incident, POLICY)
    assert [getattr(values, name) for name in Factors.__struct_fields__] == pytest.approx(
        oracle.factors(expected, POLICY, recent=oracle.recent(standing, POLICY)), rel=1e-9, abs=1e-9
    )


@given(streams())
def test_the_evidence_is_that_of_all_observations_recounted_from_scratch(stream):
    check(after(stream), stream)


@given(growing())
def test_items_that_grow_and_shrink_are_counted_as_they_were_seen_last(stream):
    check(after(stream), stream)


@given(streams(), st.data())
def test_any_order_and_any_repetition_give_the_same_evidence(stream, data):
    # given
    again = data.draw(st.lists(st.sampled_from(stream), max_size=10))
    shuffled = data.draw(st.permutations(stream + again))

    # when
    plain, jumbled = after(stream), after(shuffled, stored=True)

    # then
    assert sums(plain) == sums(jumbled)
    assert counts_at(plain, LATER) == pytest.approx(counts_at(jumbled, LATER), rel=1e-9, abs=1e-11)
    check(jumbled, stream)


@given(streams(items="abc", moments=crowded), st.data())
def test_of_observations_of_the_same_moment_the_same_one_stands_whatever_order_they_came_in(stream, data):
    # given: an item moves between platforms and dates, goes and comes back, all within four moments
    again = data.draw(st.lists(st.sampled_from(stream), max_size=10))
    shuffled = data.draw(st.permutations(stream + again))

    # when: the second reads its rows anew at each step, and begins with them alone half way
    plain, jumbled = Driver(), Driver(stored=True)
    for each in stream:
        plain.pipe(each)
    for number, each in enumerate(shuffled):
        if number == len(shuffled) // 2:
            jumbled.restart()
        jumbled.pipe(each)

    # then
    assert sums(plain.state()) == sums(jumbled.state())
    assert plain.state().composite == pytest.approx(jumbled.state().composite, abs=1e-12)
    check(plain.state(), stream)
    check(jumbled.state(), stream)


@given(streams(), st.lists(profiles(), min_size=1, max_size=3), st.data())
def test_it_is_of_no_matter_when_a_profile_comes_between_the_observations(stream, described, data):
    # given: profiles keep their own order, being a topic of their own
    shuffled = data.draw(st.permutations(stream))
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), min_size=3, max_size=3)))
    early, between = Driver(), Driver(stored=True)

    # when
    for each in described:
        early.profile(each)
    for each in stream:
        early.pipe(each)
    for number, each in enumerate(shuffled):
        for place, known in zip(places, described, strict=False):
            if place == number:
                between.profile(known)
        between.pipe(each)
    for place, known in zip(places, described, strict=False):
        if place == len(stream):
            between.profile(known)

    # then
    assert sums(early.state()) == sums(between.state())
    last, tiers = described[-1], {party.name.casefold(): party.tier.value for party in described[-1].parties}
    for driver in (early, between):
        assert driver.state().noise_at(LATER, POLICY.curve.half_life_s) == pytest.approx(
            oracle.noise(oracle.standing(stream, POLICY), POLICY, LATER, last.industry_impact, tiers),
            abs=1e-9,
        )
        assert driver.state().category is last.category


@given(st.lists(st.tuples(st.integers(0, 69), st.integers(1, 64)), min_size=2, max_size=9), st.data())
def test_the_figures_kept_of_too_many_do_not_depend_on_the_order(spans, data):
    # given: items a to d naming spans of 70 figures, observed again and again
    stream = [
        item(
            "abcd"[number % 4],
            seen=number / 7.0,
            figures=MANY[first : first + size],
            retracted=number % 5 == 4,
        )
        for number, (first, size) in enumerate(spans)
    ]
    shuffled = data.draw(st.permutations(stream))

    # then
    check(after(stream), stream)
    check(after(shuffled, stored=True), stream)


def test_an_item_may_move_to_another_platform_or_to_another_date_alone():
    # given
    driver, seen = Driver(), [item("a", platform="x", likes=5), item("b", h=1.0, platform="x")]

    # when
    seen.append(item("a", seen=2.0, platform="news", likes=5))
    seen.append(item("b", h=1.5, seen=3.0, platform="x"))
    for each in seen:
        driver.pipe(each)

    # then
    assert set(driver.state().platforms) == {"x", "news"}
    check(driver.state(), seen)


def test_seventy_figures_leave_six_out_and_a_retraction_lets_them_in():
    # given
    first, second = item("a", figures=MANY[:40]), item("b", figures=MANY[40:])
    driver = Driver()
    driver.pipe(first)
    driver.pipe(second)
    assert len(driver.state().figures) == 64
    assert driver.state().figures_left_out == 6

    # when
    driver.pipe(item("a", seen=1.0, retracted=True))

    # then
    assert sorted(driver.state().figures) == sorted(MANY[40:])
    assert driver.state().figures_left_out == 0


@given(observations(items="a"))
def test_an_observation_and_its_retraction_leave_nothing(observation):
    # given
    driver = Driver()
    driver.pipe(observation)

    # when
    driver.pipe(item("a", h=200.0, retracted=True))

    # then
    assert sums(driver.state()) == oracle.evidence([])
    assert driver.state().composite == 0.0


@given(streams())
def test_rows_of_any_stream_survive_their_storage(stream):
    # given
    driver = Driver(stored=True)
    for each in stream:
        driver.pipe(each)

    # then
    for row in driver.rows.incident_rows.values():
        assert encode_row(decode_incident(row)) == row
    for row in driver.rows.item_rows.values():
        assert encode_row(decode_item_row(row)) == row
        assert isinstance(decode_item_row(row), ItemRow)


def test_the_greatest_counts_that_the_contract_accepts_can_be_stored_a_thousand_times():
    # given: a typical item of x is small, so a stance on it weighs most
    driver = Driver(stored=True)

    # when
    for number in range(1000):
        most = 10**15
        driver.pipe(
            item(
                str(number),
                platform="bluesky",
                likes=most,
                comments=most,
                shares=most,
                audience=most,
                stance=1.0,
            )
        )

    # then
    assert driver.state().items == 1000
    assert driver.events("noise-scores")[-1].factors.reach == 100.0
