"""What a merge tells, what it leaves behind, which merges cannot be, and that an item moves as it was counted."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_item, encode
from schemas.source_item import Moved, MovedCount
from schemas.times import from_epoch, to_epoch
from schemas.topics import (
    DEAD_LETTERS,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from schemas.words import Category, Cause
from scoring.clock import Clock, TimeJudge, Times
from scoring.index import IndexBoard
from scoring.item import MICRO, MILLI, MOST_COUNTED, MOST_TYPICAL, UNKNOWN, Counted, count
from scoring.merge import MOST_HOPS, closes_circle, forwarded, moved_items
from tests.builders import T0, hours, item, merged, profile
from tests.driver import SHIPPED_POLICY, Driver, wire

WORDS = (STATE_CHANGES, PEAK_CROSSINGS, TREND_UPDATES)

counted_items = st.builds(
    Counted,
    st.integers(0, 10**9).map(lambda ms: round(T0 + ms / 1000.0, 3)),
    st.integers(0, 10**9).map(lambda ms: round(T0 - ms / 1000.0, 3)),
    st.sampled_from(["news", "mastodon", "x" * 64]),
    st.integers(0, MILLI * MOST_COUNTED),
    st.one_of(st.just(UNKNOWN), st.integers(0, MOST_COUNTED)),
    st.integers(0, round(MICRO * (1 + MOST_TYPICAL))),
    st.integers(0, round(MICRO * (1 + MOST_TYPICAL))),
    st.lists(st.sampled_from(["ann", "bob", "ß".casefold() * 128, "ﬃ".casefold() * 128]), max_size=3).map(
        tuple
    ),
    st.booleans(),
)


def two_incidents(**how) -> Driver:
    """`leak` with two items, `fire` with one of its own and one that both have."""
    driver = Driver(**how)
    for each in (
        item("a", "leak", h=0, likes=500, platform="reddit"),
        item("b", "leak", h=1, likes=50),
        item("b", "fire", h=1, likes=50),
        item("c", "fire", h=2, likes=5),
    ):
        driver.pipe(each)
    driver.outputs()
    return driver


@given(counted_items)
def test_an_item_arrives_on_the_wire_exactly_as_it_was_counted(counted: Counted):
    # when
    (output,) = moved_items("leak", 7, "fire", [("a", counted)], hours(1))
    read = decode_item(encode(output.event))
    times = TimeJudge(Clock.STREAM, SHIPPED_POLICY.limits).times(read, hours(9))

    # then
    assert count(read, times.observed_at, times.at, SHIPPED_POLICY) == counted
    assert times.now == hours(1)
    assert (output.topic, output.key, output.id) == (SOURCE_ITEMS, "fire", "leak/7/moved/a")


def test_items_move_in_the_order_they_were_observed_in_and_those_of_one_time_by_name():
    # given: what is counted of z is the lesser, so that it cannot be what decides
    first, second = (count(item(h=h), hours(1), hours(h), SHIPPED_POLICY) for h in (1, 0))
    later = count(item(), hours(2), hours(0), SHIPPED_POLICY)

    # when
    sent = moved_items("leak", 7, "fire", [("a", later), ("z", second), ("b", first)], hours(9))

    # then
    assert [each.event.item_id for each in sent] == ["b", "z", "a"]
    assert {each.at for each in sent} == {hours(9)}


def test_a_moved_item_is_sent_on_with_what_was_counted_of_it():
    # given: it came from "old" to "leak", which was merged too
    counted = MovedCount(1500, 2, 3, ("ann",))
    came = msgspec.structs.replace(
        item("a", "leak", h=1), moved=Moved(("old",), from_epoch(hours(2)), counted)
    )

    # when
    sent = forwarded(came, "fire", 42, Times(hours(3), hours(1), hours(1)))

    # then
    assert (sent.topic, sent.key, sent.id, sent.at) == (
        SOURCE_ITEMS,
        "fire",
        "leak/42/forwarded/a",
        hours(3),
    )
    assert sent.event.moved == Moved(("old", "leak"), from_epoch(hours(3)), counted)


@pytest.mark.parametrize(
    ("via", "closes"),
    [
        (("ann",), False),  # it has not been here
        (("leak", "zoo"), True),  # first by name of the two since it was here
        (("leak", "fire"), False),
        (("ann", "leak", "zoo"), True),  # what it came through before the circle is not of it
        (("zoo", "leak", "fire"), False),
        (("leak", "fire", "leak", "zoo"), True),  # the last round counts
    ],
)
def test_of_a_circle_that_comes_round_to_leak_the_first_by_name_since_then_takes_its_merge_back(via, closes):
    came = msgspec.structs.replace(item("a", "leak", h=1), moved=Moved(via, from_epoch(hours(2))))

    assert closes_circle(came) is closes


def test_every_field_of_what_is_counted_has_its_place_in_a_moved_item():
    """A new field of `Counted` must travel too: the strategy above names them all."""
    assert len(count(item("a"), hours(1.0), hours(1.0), SHIPPED_POLICY).stored()) == 9


def test_a_merge_tells_who_went_where_and_a_last_score_without_noise():
    # given
    driver = two_incidents()

    # when
    driver.profile(merged("leak", "fire", category=Category.SAFETY))

    # then
    (told,) = driver.events(INCIDENT_MERGES)
    assert (told.source, told.into, told.items, told.undone) == ("leak", "fire", 2, False)
    assert to_epoch(told.at) == hours(1)
    last = [each for each in driver.events(NOISE_SCORES) if each.incident_id == "leak"][-1]
    assert (last.noise, last.composite, last.items, last.platforms) == (0.0, 0.0, 0, 0)
    assert (last.merged_into, last.revision) == ("fire", told.revision)
    assert sum(msgspec.structs.astuple(last.contributions)) == 0.0
    assert last.verdict == "Merged into fire: its items count there"
    assert driver.state("fire").items == 3


def test_a_merge_makes_up_no_change_of_state_or_trend_and_no_crossing_of_the_old_incident():
    # given
    driver = two_incidents()
    before = [each for topic in WORDS for each in driver.outputs(topic)]

    # when
    driver.profile(merged("leak", "fire"))
    driver.advance(hours(24 * 60))

    # then
    after = [each for topic in WORDS for each in driver.outputs(topic) if each.key == "leak"]
    assert after == [each for each in before if each.key == "leak"]


def test_a_merged_incident_is_in_no_index_and_comes_back_into_none_when_the_rows_are_read_again():
    # given
    driver = two_incidents(stored=True)

    # when
    driver.profile(merged("leak", "fire"))
    live = overall(driver)
    driver.restart()
    read_again = overall(driver)

    # then
    fire = driver.state("fire").noise_at(driver.ledger.time, SHIPPED_POLICY.curve.half_life_s)
    for index in (live, read_again):
        assert index.incidents == 1
        assert index.value == pytest.approx(fire, abs=1e-9)
    assert [each[1] for each in driver.ledger.deadlines._heap] == ["fire"]


def test_a_merge_whose_share_of_the_index_was_not_told_before_a_crash_is_told_after_it():
    # given: leak alone is of its category
    driver = two_incidents(stored=True)
    driver.profile(profile("leak", category=Category.SAFETY))
    driver.profile(merged("leak", "fire"))

    # when
    driver.restart()

    # then
    (share,) = [each for each in driver.ledger.index_shares() if each.category == Category.SAFETY.value]
    assert (share.incidents, share.value) == (0, 0.0)


def overall(driver: Driver):
    board = IndexBoard(SHIPPED_POLICY)
    for share in driver.ledger.index_shares():
        board.apply(share)
    (index,) = [each for each in board.index(driver.ledger.time) if each.key == "overall"]
    assert index.topic == NOISE_INDEX
    return index.event


def test_what_comes_later_for_the_old_incident_goes_on_to_the_new_one_with_all_it_says():
    # given
    driver = two_incidents(clock="wall")
    driver.profile(merged("leak", "fire"))
    late = msgspec.structs.replace(item("d", "leak", h=3, likes=7, title="It burns"), observed_at=None)

    # when
    driver.pipe(late, at=hours(4))

    # then
    (sent,) = [each.event for each in driver.outputs(SOURCE_ITEMS) if each.event.item_id == "d"]
    assert (sent.incident_id, sent.title, sent.engagement.likes) == ("fire", "It burns", 7)
    assert sent.observed_at == from_epoch(hours(4))
    assert sent.moved == Moved(("leak",), from_epoch(hours(4)))
    assert driver.state("fire").items == 4
    assert driver.state("leak").items == 0
    assert driver.ledger.take_tally().forwarded == {"news": 1}


def test_a_record_read_again_is_not_sent_on_again():
    # given
    driver = two_incidents()
    driver.profile(merged("leak", "fire"))
    record = driver.record(item("d", "leak", h=3))
    driver.batch([record])
    driver.outputs()

    # then
    assert driver.batch([record]) == []


def test_a_merge_is_for_good_whatever_later_profiles_say():
    # given
    driver = two_incidents()
    driver.profile(merged("leak", "fire"))
    driver.outputs()

    # when: the editors forget it, then want another one
    driver.profile(profile("leak", 90.0))
    driver.profile(merged("leak", "flood"))

    # then
    assert driver.state("leak").merged_into == "fire"
    (letter,) = driver.outputs()
    assert (letter.topic, letter.event.reason) == (DEAD_LETTERS, "merge")
    assert "'leak' was merged into 'fire', which is final; merge that one into 'flood'" in letter.event.error


@pytest.mark.parametrize(
    ("into", "reason", "error"),
    [
        ("leak", "merge", "'leak' cannot be merged into itself - at `$.merged_into`"),
        ("fi\0re", "invalid", "an id must not hold the character U+0000 - at `$.merged_into`"),
    ],
)
def test_a_merge_into_itself_or_into_no_id_is_a_dead_letter_and_nothing_of_the_profile_counts(
    into, reason, error
):
    # given
    driver = two_incidents()

    # when
    driver.profile(merged("leak", into, industry_impact=100.0))

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    assert letter.event.reason == reason
    assert letter.event.error == error
    assert (driver.state("leak").merged_into, driver.state("leak").impact) == (None, None)


def test_of_a_circle_the_first_by_name_takes_its_merge_back_counts_everything_and_says_so():
    # given
    driver = two_incidents()
    driver.profile(merged("fire", "leak"))

    # when
    driver.profile(merged("leak", "fire"))

    # then
    fire, leak = driver.state("fire"), driver.state("leak")
    assert (fire.merged_into, fire.items, leak.merged_into, leak.items) == (None, 3, "fire", 0)
    told = [(each.source, each.into, each.items, each.undone) for each in driver.events(INCIDENT_MERGES)]
    assert told == [("fire", "leak", 2, False), ("leak", "fire", 3, False), ("fire", "leak", 2, True)]
    last = [each for each in driver.events(NOISE_SCORES) if each.incident_id == "fire"][-1]
    assert (last.merged_into, last.items) == (None, 3)
    assert overall(driver).incidents == 1
    assert not driver.outputs(DEAD_LETTERS)


def test_a_circle_that_is_asked_for_again_ends_the_same_and_no_event_is_mistaken_for_an_earlier_one():
    # given
    driver = two_incidents()
    for old, into in (("fire", "leak"), ("leak", "fire")):
        driver.profile(merged(old, into))

    # when
    driver.profile(merged("fire", "leak"))
    driver.profile(merged("leak", "fire"))

    # then
    assert [each.undone for each in driver.events(INCIDENT_MERGES)] == [False, False, True, False, True]
    assert (driver.state("fire").items, driver.state("leak").items) == (3, 0)
    wire(driver.log)  # no id says two things


def test_a_profile_that_is_read_again_does_not_repeat_a_merge_that_was_taken_back():
    # given
    driver = two_incidents()
    record = driver.record(merged("fire", "leak"), topic=INCIDENT_PROFILES)
    driver.batch([record], INCIDENT_PROFILES)
    driver.profile(merged("leak", "fire"))
    assert driver.state("fire").merged_into is None

    # then
    assert driver.batch([record], INCIDENT_PROFILES) == []
    assert driver.state("fire").merged_into is None


def test_a_circle_without_items_is_ended_by_the_first_item_that_comes():
    # given
    driver = Driver()
    for old, into in (("a", "b"), ("b", "c"), ("c", "a")):
        driver.profile(merged(old, into))

    # when
    driver.pipe(item("x", "b"))

    # then
    assert driver.state("a").items == 1
    assert [driver.state(each).merged_into for each in "abc"] == [None, "c", "a"]


def test_an_incident_that_never_had_an_item_is_merged_when_its_editors_said():
    # given
    driver = Driver()
    said = from_epoch(hours(5))

    # when
    driver.profile(merged("leak", "fire", updated_at=said))

    # then
    (told,) = driver.outputs()
    assert (told.event.items, told.event.at) == (0, said)


def test_an_observation_that_has_come_through_too_many_incidents_is_a_dead_letter():
    # given
    driver = two_incidents()
    driver.profile(merged("leak", "fire"))
    via = tuple(f"old {number}" for number in range(MOST_HOPS))
    far = msgspec.structs.replace(item("z", "leak", h=3), moved=Moved(via, from_epoch(hours(3))))

    # when
    driver.pipe(far)

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    assert letter.event.reason == "merge"
    assert letter.event.error == (
        f"it has come through {MOST_HOPS} merged incidents, the last of them 'old {MOST_HOPS - 1}'; send it to the "
        "incident that the last of them was merged into - at `$.moved.via`"
    )


def test_times_that_were_believed_once_are_believed_again():
    # given: observed 0.9 h ahead of its arrival, which the limits allow
    seen = item("a", "leak", h=2.9)
    counted = count(seen, hours(2.9), hours(2.9), SHIPPED_POLICY)
    (sent,) = moved_items("leak", 1, "fire", [("a", counted)], hours(2))
    driver = Driver(clock="wall")

    # when: the clock of the other partition's broker is half an hour slow
    driver.pipe(sent.event, at=hours(1.5))

    # then
    assert driver.state("fire").items == 1
    assert not driver.outputs(DEAD_LETTERS)


def test_the_past_of_a_merged_incident_moves_with_its_category_in_the_average_of_the_index():
    # given
    driver = two_incidents()
    driver.profile(merged("leak", "fire"))
    ledger, later = driver.ledger, hours(24.0 * 30)
    assert ledger.index.value_at("Safety", later) == (0.0, 0.0)
    overall_before = ledger.index.value_at("overall", later)

    # when
    said = merged("leak", "fire")
    driver.profile(msgspec.structs.replace(said, category=Category.SAFETY))

    # then: nothing is merged again
    assert [each.items for each in driver.events(INCIDENT_MERGES)] == [2]
    value, average = ledger.index.value_at("Safety", later)
    assert (value, average > 0.0) == (0.0, True)
    assert ledger.index.value_at("overall", later) == pytest.approx(overall_before, abs=1e-9)
    (share,) = [each for each in ledger.index_shares() if each.category == "Safety"]
    assert (share.incidents, share.movers) == (0, ())


def test_what_was_moved_came_by_the_merge_and_what_comes_later_by_its_observation():
    # given
    driver = two_incidents()

    # when
    driver.profile(merged("leak", "fire"))
    by_merge = [each.change.by for each in driver.events(NOISE_SCORES) if each.incident_id == "fire"][-1]
    driver.pipe(item("later", "leak", h=5, likes=70))

    # then
    later = [each for each in driver.events(NOISE_SCORES) if each.incident_id == "fire"][-1]
    assert by_merge is Cause.MERGE
    assert (later.change.by, later.last_item.id) == (Cause.OBSERVATION, "later")
    (gone,) = [each for each in driver.events(NOISE_SCORES) if each.merged_into == "fire"]
    assert (gone.change.by, gone.noise) == (Cause.MERGE, 0.0)
