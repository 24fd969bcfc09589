"""The ledger: what changes nothing is not told; revisions count what did; a refused record leaves no trace."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.errors import RecordError
from schemas.times import to_epoch
from schemas.topics import DEAD_LETTERS, NOISE_SCORES, STATE_CHANGES
from scoring.ledger import Ledger
from scoring.rows import NoRows, decode_item_row, encode_row
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver, wire
from tests.scoring.strategies import CROWD, bursts, in_order, streams

INCIDENTS = ("leak", "fire")
END = hours(24.0 * 60)


def rows(driver: Driver) -> dict[str, bytes]:
    return {incident_id: encode_row(held.incident) for incident_id, held in driver.ledger._held.items()}


@given(streams(incidents=INCIDENTS), st.data())
def test_seeing_an_observation_again_tells_nothing_and_changes_no_score(stream, data):
    # given
    driver = Driver(stored=data.draw(st.booleans()))
    for each in stream:
        driver.pipe(each)
    repeats = data.draw(st.lists(st.sampled_from(stream), max_size=10))
    driver.advance(hours(24.0 * 5))
    names = {each.incident_id for each in stream}
    told, before = len(driver.log), {name: encode_row(driver.state(name)) for name in names}

    # when
    for each in repeats:
        driver.pipe(each)

    # then
    assert len(driver.log) == told
    assert {name: encode_row(driver.state(name)) for name in names} == before


def test_a_late_observation_changes_nothing():
    # given
    driver = Driver()
    driver.pipe(item("a", h=0.0, seen=2.0, likes=50))
    told = len(driver.log)

    # when
    driver.pipe(item("a", h=0.0, seen=1.0, likes=99))

    # then
    assert len(driver.log) == told
    assert driver.state().platforms["news"].interactions == 50_000


def test_an_observation_that_brings_nothing_new_tells_nothing_but_stands_from_then_on():
    # given
    driver = Driver(stored=True)
    driver.pipe(item("a", h=0.0, likes=50))
    told = len(driver.log)

    # when: the same at 3 h; then one from 2 h is late
    driver.pipe(item("a", h=0.0, seen=3.0, likes=50))
    driver.pipe(item("a", h=0.0, seen=2.0, likes=70))

    # then
    assert len(driver.log) == told
    assert driver.state().revision == 1
    assert driver.state().platforms["news"].interactions == 50_000


@pytest.mark.parametrize("clock", ["stream", "wall"])
def test_a_new_title_author_or_address_tells_nothing(clock):
    # given
    driver = Driver(clock=clock)
    driver.pipe(item("a", likes=50, title="It leaks", author="ann", url="https://a.example"))
    told = len(driver.log)

    # when
    driver.pipe(item("a", seen=3.0, likes=50, title="It still leaks", author="eve", url="https://b.example"))

    # then
    assert len(driver.log) == told


def test_an_item_that_shrinks_stands_as_it_is_seen_last():
    # given
    driver, small = Driver(), Driver()
    driver.pipe(item("a", likes=5000, comments=10, stance=-1.0, figures=("Ann", "Eve")))

    # when: comments are deleted, votes taken back, a name is struck out
    shrunk = item("a", seen=1.0, likes=50, stance=-1.0, figures=("Ann",))
    told = driver.pipe(shrunk)
    small.pipe(shrunk)

    # then: one score, and the evidence of an item that was never larger
    (score,) = [each.event for each in told if each.topic == NOISE_SCORES]
    assert driver.state().platforms == small.state().platforms
    assert driver.state().figures == small.state().figures
    assert (driver.state().critic, driver.state().composite) == (
        small.state().critic,
        small.state().composite,
    )
    assert score.change.points < 0.0


def test_the_retraction_of_what_was_never_seen_tells_nothing_and_keeps_it_out():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=50))
    told = len(driver.log)

    # when: the retraction comes first, then the observation that it takes back
    driver.pipe(item("b", h=1.0, seen=2.0, retracted=True))
    driver.pipe(item("b", h=1.0, seen=1.5, likes=99))

    # then
    assert len(driver.log) == told
    assert driver.state().items == 1


def test_a_retraction_that_is_corrected_tells_nothing():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=5))
    driver.pipe(item("a", seen=1.0, likes=5, retracted=True))
    told = len(driver.log)

    # when
    driver.pipe(item("a", seen=2.0, likes=9, retracted=True))

    # then
    assert len(driver.log) == told


def test_an_incident_whose_items_are_all_retracted_is_silent_and_can_come_back():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=500))
    driver.pipe(item("a", seen=1.0, retracted=True))
    last = driver.events(NOISE_SCORES)[-1]
    assert (last.noise, last.items, last.last_item.points < 0.0) == (0.0, 0, True)

    # when
    driver.pipe(item("b", h=2.0))

    # then
    last = driver.events(NOISE_SCORES)[-1]
    assert (last.items, to_epoch(last.first_seen), to_epoch(last.last_seen)) == (1, hours(2.0), hours(2.0))


@given(st.one_of(streams(incidents=INCIDENTS), bursts(INCIDENTS)), st.sampled_from(["stream", "wall"]))
def test_the_revision_grows_by_one_with_every_score(stream, clock):
    # given
    driver = Driver(clock=clock)
    for each in in_order(stream):
        driver.pipe(each)

    # when
    driver.advance(END)

    # then
    for incident in INCIDENTS:
        scores = [each for each in driver.events(NOISE_SCORES) if each.incident_id == incident]
        revisions = [each.revision for each in scores]
        assert revisions == list(range(1, len(revisions) + 1))
        assert [to_epoch(each.as_of) for each in scores] == sorted(to_epoch(each.as_of) for each in scores)


@given(bursts(INCIDENTS), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.booleans())
def test_conflation_keeps_the_last_score_of_each_batch_and_every_other_event(stream, sizes, stored):
    # given
    plain, conflated = Driver(stored=stored), Driver(conflate=True, stored=stored)
    records = [(plain.record(each), conflated.record(each)) for each in stream]

    # when
    number = 0
    while records:
        batch, records = records[: sizes[number % len(sizes)]], records[sizes[number % len(sizes)] :]
        full = plain.batch([each for each, _ in batch])
        part = conflated.batch([each for _, each in batch])
        number += 1

        # then
        last = {each.key: each for each in full if each.topic == NOISE_SCORES}
        scores = {each.key: each for each in part if each.topic == NOISE_SCORES}
        assert wire(scores.values()) == wire(last.values())
        assert [(each.id, encode(each.event)) for each in part if each.topic != NOISE_SCORES] == [
            (each.id, encode(each.event)) for each in full if each.topic != NOISE_SCORES
        ]
    assert wire(conflated.advance(END)).items() <= wire(plain.advance(END)).items()


@pytest.mark.parametrize(
    "bad",
    [
        item("a", h=-24.0 * 365 * 56),
        item("a", h=24.0 * 365 * 900, seen=30.0),
        item("a", h=20.0, seen=24.0 * 365 * 900),
        item("a\0b", h=20.0),
        item("a", "le\0ak", h=20.0),
    ],
    ids=["1970", "published 2926", "observed 2926", "NUL in the item", "NUL in the incident"],
)
@pytest.mark.parametrize("clock", ["stream", "wall"])
def test_a_refused_record_leaves_the_ledger_untouched(bad, clock):
    # given: deadlines that would be due
    driver = Driver(clock=clock)
    for number in range(20):
        driver.pipe(item(f"i{number}", h=0.01 * number, likes=1000))
    before = (rows(driver), driver.ledger.time, driver.ledger.deadlines.next(), len(driver.log))

    # when
    driver.pipe(bad, key=bad.incident_id, at=hours(30.0))

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    after = (rows(driver), driver.ledger.time, driver.ledger.deadlines.next(), len(driver.log) - 1)
    assert after == before
    assert letter.event.reason in {"absurd-time", "invalid"}


def test_the_wall_clock_dates_an_observation_without_a_time_of_its_own_by_its_arrival():
    # given
    driver = Driver(clock="wall")
    bare = msgspec.structs.replace(item("a", h=0.0), observed_at=None)

    # when
    driver.pipe(bare, at=hours(5.0))

    # then
    score = driver.events(NOISE_SCORES)[-1]
    assert (to_epoch(score.as_of), to_epoch(score.anchor)) == (hours(5.0), hours(0.0))
    assert score.decay == pytest.approx(0.5 ** (5.0 / 168.0))


@pytest.mark.parametrize("later_h", [0.0, 1.0])
def test_a_profile_on_the_wall_clock_fires_what_was_due_until_then(later_h):
    # given
    driver, hold_h = Driver(clock="wall"), SHIPPED_POLICY.peaks.hold_h
    driver.pipe(item("a", figures=CROWD))

    # when
    driver.profile(profile(impact=90.0), at=hours(hold_h + later_h))

    # then: the peak was confirmed before the profile made it louder
    told = [(each.event.kind, to_epoch(each.event.at)) for each in driver.outputs("peak-crossings")]
    assert ("peaked", hours(hold_h)) in told
    assert to_epoch(driver.events(NOISE_SCORES)[-1].as_of) == hours(hold_h + later_h)


def test_the_same_profile_again_tells_nothing():
    driver = Driver()
    driver.pipe(item("a"))
    driver.profile(profile(impact=90.0, ann="S"))
    told = len(driver.log)
    driver.profile(profile(impact=90.0, ann="S"))
    assert len(driver.log) == told


def test_one_item_may_be_coverage_of_two_incidents():
    driver = Driver(stored=True)
    driver.pipe(item("a", "leak", likes=5))
    driver.pipe(item("a", "fire", likes=9))
    assert driver.state("leak").platforms["news"].interactions == 5_000
    assert driver.state("fire").platforms["news"].interactions == 9_000


def test_a_ledger_of_its_own_begins_at_no_time_in_the_first_partition_and_tells_every_score():
    ledger = Ledger(SHIPPED_POLICY, NoRows())
    assert (ledger.partition, ledger.time, ledger.held) == (0, 0.0, 0)


@pytest.mark.parametrize("field", ["item_id", "incident_id"])
def test_an_id_with_a_separator_in_it_is_refused_with_the_fields_named(field):
    bad = msgspec.structs.replace(item("a"), **{field: "a\0b"})
    ledger = Ledger(SHIPPED_POLICY, NoRows())
    with pytest.raises(RecordError) as refused:
        ledger.apply_item(bad, 0, hours(0.0))
    assert str(refused.value) == (
        "an id must not hold the character U+0000 - at `$.item_id` or `$.incident_id`"
    )
    with pytest.raises(RecordError) as refused:
        ledger.apply_profile(msgspec.structs.replace(profile(), incident_id="a\0b"), 0, hours(0.0))
    assert str(refused.value) == "an id must not hold the character U+0000 - at `$.incident_id`"


def test_a_row_keeps_what_the_stored_incident_counts_whoever_else_is_in_the_batch():
    # given
    driver = Driver(stored=True)
    driver.pipe(item("a", likes=5))

    # when: one batch has a new incident, then the item again; of its rows only the item's are stored
    records = [driver.record(item("z", "fire")), driver.record(item("a", seen=1.0, likes=50))]
    changes = driver.apply(records)
    driver.rows.put_items(changes.items)
    driver.restart()

    # then
    assert decode_item_row(changes.items["leak", "a"]).before[0].offset == 0
    told = driver.apply(records)
    (score,) = [each.event for each in told.outputs if each.topic == NOISE_SCORES and each.key == "leak"]
    assert score.change.points > 0.0


def test_its_share_of_the_index_is_that_of_its_partition():
    driver = Driver(partition=3)
    driver.pipe(item())
    assert {share.partition for share in driver.ledger.index_shares()} == {3}


def test_what_is_told_first_of_an_incident_is_that_it_was_detected():
    driver = Driver()
    driver.pipe(item())
    assert driver.events(STATE_CHANGES)[0].reason == "first detected"
