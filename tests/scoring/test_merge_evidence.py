"""Merging A into B equals having had all items in B: whatever was sent when, read in which order, and who died."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.topics import DEAD_LETTERS
from scoring.incident import Incident
from tests import oracle
from tests.builders import hours, item, merged
from tests.cluster import ALL, ARRIVAL, Cluster, Step
from tests.driver import SHIPPED_POLICY, Driver, wire
from tests.scoring.strategies import CROWD, streams

PLACES = {"fire": 0, "flood": 1, "leak": 2, "spill": 0}
NAMES = tuple(PLACES)

any_stream = streams(most=20, incidents=NAMES, items="abcd", figures=("Ann", "ANN", "Bob", *CROWD))
merges = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=4).map(
    lambda chosen: {old: into for old, into in chosen.items() if old != into}
)
whole_steps = st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 6)).map(lambda each: Step(*each))
bits = st.one_of(st.just(ALL), st.integers(0, 15))
crashes = st.builds(
    Step,
    st.integers(0, 2),
    st.booleans(),
    st.integers(1, 6),
    st.just(True),
    st.one_of(st.just(ALL), st.integers(0, 8)),
    bits,
    bits,
)


def holder(incident: str, merges: dict[str, str]) -> str:
    """Who counts the items of an incident in the end: the last of its chain; of a circle the first by name."""
    way = [incident]
    while (into := merges.get(way[-1])) is not None:
        if into in way:
            return min(way[way.index(into) :])
        way.append(into)
    return way[-1]


def assert_evidence(found: Incident, expected: list) -> None:
    """The row holds what the oracle adds up from all observations: sums, rates, composite, noise."""
    items = oracle.standing(expected, SHIPPED_POLICY)
    want = oracle.evidence(items)
    platforms = {
        name: (each.items, each.interactions, each.audience, each.without_audience)
        for name, each in found.platforms.items()
    }
    assert platforms == want.platforms
    assert (found.items, found.critic, found.defender) == (want.items, want.critic, want.defender)
    assert (found.figures, found.figures_left_out) == (want.figures, want.left_out)
    if items:
        assert (found.first_seen, found.last_seen) == (want.first_seen, want.last_seen)
    at = ARRIVAL + 24 * 3600.0
    for number, horizon_h in enumerate(SHIPPED_POLICY.rates.horizons_h):
        rate = oracle.rate(items, horizon_h, at)
        assert found.rate_at(number, horizon_h, at) == pytest.approx(rate, abs=1e-9, rel=1e-6)
    noise = oracle.noise(items, SHIPPED_POLICY, at)
    assert found.noise_at(at, SHIPPED_POLICY.curve.half_life_s) == pytest.approx(noise, abs=1e-9)


def assert_each_holds_its_own(cluster: Cluster, stream: list, merges: dict[str, str]) -> None:
    for incident in NAMES:
        group = [each for each in stream if holder(each.incident_id, merges) == incident]
        assert_evidence(cluster.state(incident), group)
        if group and holder(incident, merges) == incident:
            assert cluster.state(incident).merged_into is None


@settings(max_examples=200)
@given(
    any_stream,
    merges,
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
    st.lists(whole_steps, max_size=25),
)
@pytest.mark.parametrize("clock", ["wall", "stream"])
def test_whoever_is_merged_when_and_read_in_which_order_all_is_counted_once_where_the_chain_ends(
    clock, stream, merges, places, steps
):
    # given
    cluster = Cluster(PLACES, clock)
    sent = list(stream)
    for place, (old, into) in zip(places, merges.items(), strict=False):
        sent.insert(place, merged(old, into))

    # when: some of it is read while the rest is not sent yet
    for number, each in enumerate(sent):
        cluster.send(each)
        if number < len(steps):
            cluster.take(steps[number])
    for step in steps[len(sent) :]:
        cluster.take(step)
    cluster.drain()

    # then
    assert_each_holds_its_own(cluster, stream, merges)
    assert not cluster.outputs(DEAD_LETTERS)
    wire(each for driver in cluster.drivers for each in driver.log)  # no id says two things


@settings(max_examples=200)
@given(
    any_stream,
    merges,
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
    st.lists(st.one_of(whole_steps, crashes), max_size=30),
    st.booleans(),
)
def test_a_worker_that_dies_at_any_step_of_a_commit_loses_nothing_and_counts_nothing_twice(
    stream, merges, places, steps, conflate
):
    # given
    cluster = Cluster(PLACES, conflate=conflate)
    sent = list(stream)
    for place, (old, into) in zip(places, merges.items(), strict=False):
        sent.insert(place, merged(old, into))
    for each in sent:
        cluster.send(each)

    # when
    for step in steps:
        cluster.take(step)
    cluster.drain()

    # then
    assert_each_holds_its_own(cluster, stream, merges)


@given(streams(most=15, incidents=("leak", "fire"), items="abc"))
def test_a_merge_before_the_first_item_tells_the_same_to_the_byte_as_having_had_all_items_there(stream):
    # given
    direct = Driver()
    for each in stream:
        direct.pipe(item_of("fire", each))

    # when
    driver = Driver()
    driver.profile(merged("leak", "fire"))
    for each in stream:
        driver.pipe(each)
    for each in (direct, driver):
        each.advance(hours(24.0 * 60))

    # then
    told = {ident: value for ident, value in wire(driver.log).items() if ident.startswith("fire/")}
    assert told == wire(direct.log)


def item_of(incident: str, observation):
    """The same observation of an item of another incident."""
    return replace(observation, incident_id=incident)


def test_a_merge_moves_what_was_retracted_too_so_that_an_older_observation_does_not_bring_it_back():
    # given: fire has not seen that the item was retracted
    cluster = Cluster(PLACES)
    cluster.send(item("a", "fire", h=0, likes=5))
    cluster.send(item("a", "leak", h=0, seen=3, likes=9, retracted=True))
    cluster.drain()

    # when
    cluster.send(merged("leak", "fire"))
    cluster.drain()

    # then
    assert cluster.state("fire").items == 0
