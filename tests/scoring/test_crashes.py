"""A worker may die anywhere between sending events, storing item rows and storing incident rows; nothing shows.

Rows are stored as the batch commit stores them: outputs and item rows, then incident rows, one batch after another.
Events of batches whose rows are not stored yet may have left. A crash keeps any part of what was under way, and what
was not committed is read again, in other batches.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.batch import apply_records
from schemas.topics import NOISE_SCORES, SOURCE_ITEMS
from scoring.item import Counted
from scoring.rows import decode_item_row
from tests.builders import hours, item
from tests.driver import Driver, EncodedChanges, encode_changes, wire
from tests.scoring.strategies import in_order, streams

INCIDENTS = ("leak", "fire")
END = hours(24.0 * 60)
ALL = 1_000_000
"""More than there are."""

any_stream = streams(most=20, incidents=INCIDENTS, items="abc")
live_streams = any_stream.map(in_order)


class Crash(NamedTuple):
    """A worker that dies after `batches` whole batches, while it stores the next one of `size` records."""

    batches: int
    size: int
    outputs: int  # how many of the outputs were sent
    item_rows: int  # bits: which of the item rows were stored
    incident_rows: int  # bits: which of the incident rows, if all outputs were sent and all item rows stored
    back: int  # records read again that were committed already
    told: int  # events of so many further batches had left, whose rows were not stored


crashes = st.lists(
    st.builds(
        Crash,
        st.integers(0, 3),
        st.integers(1, 6),
        st.sampled_from([0, 1, 3, ALL]),
        st.integers(0, 63),
        st.integers(0, 3),
        st.sampled_from([0, 0, 1, 5]),
        st.integers(0, 2),
    ),
    max_size=5,
)
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def uninterrupted(stream, *, conflate: bool = False) -> Driver:
    driver = Driver(stored=True, conflate=conflate)
    driver.batch([driver.record(each) for each in stream])
    driver.advance(END)
    return driver


def some(rows: dict, bits: int) -> dict:
    return {key: row for number, (key, row) in enumerate(rows.items()) if bits >> number & 1}


def crashing(stream, crashes: list[Crash], sizes: list[int], *, conflate: bool = False) -> Driver:
    """The same stream through workers that die and start anew, each with the rows the last one left."""
    driver = Driver(conflate=conflate)
    records = [driver.record(each) for each in stream]
    committed, turn = 0, 0

    def next_size() -> int:
        nonlocal turn
        turn += 1
        return sizes[turn % len(sizes)]

    for crash in crashes:
        for _ in range(crash.batches):
            size = next_size()
            driver.store(driver.apply(records[committed : committed + size]))
            committed = min(committed + size, len(records))
        left = driver.apply(records[committed : committed + crash.size])
        sent = min(crash.outputs, len(left.outputs))
        del driver.log[len(driver.log) - len(left.outputs) + sent :]
        start = committed + crash.size
        for _ in range(crash.told if sent == len(left.outputs) else 0):
            size = next_size()
            driver.tell(records[start : start + size])
            start += size
        driver.rows.put_items(some(left.items, crash.item_rows))
        if sent == len(left.outputs) and crash.item_rows == 63:
            driver.rows.put_incidents(some(left.incidents, crash.incident_rows))
        committed = max(0, committed - crash.back)
        driver.restart()
    while committed < len(records):
        size = next_size()
        driver.store(driver.apply(records[committed : committed + size]))
        committed += size
    driver.stored = True
    driver.advance(END)
    return driver


def counted(driver: Driver) -> dict[tuple[str, str], tuple[int, Counted]]:
    """What the item rows say; what was counted before depends on how the batches were cut."""
    rows = {key: decode_item_row(row) for key, row in driver.rows.item_rows.items()}
    return {key: (row.offset, row.counted) for key, row in rows.items()}


@settings(max_examples=300)
@given(st.one_of(live_streams, any_stream), crashes, sizes)
def test_crashes_between_the_rows_lose_nothing_double_nothing_and_tell_the_same(stream, crashes, sizes):
    # given
    expected = uninterrupted(stream)

    # when
    crashed = crashing(stream, crashes, sizes)

    # then
    assert crashed.rows.incident_rows == expected.rows.incident_rows
    assert counted(crashed) == counted(expected)
    assert wire(crashed.log) == wire(expected.log)


@given(live_streams, crashes, sizes)
def test_with_conflation_too_every_event_told_is_one_of_the_uninterrupted_run(stream, crashes, sizes):
    # given
    expected = uninterrupted(stream)

    # when
    crashed = crashing(stream, crashes, sizes, conflate=True)

    # then
    full, part = wire(expected.log), wire(crashed.log)
    assert part.items() <= full.items()
    scores = {each.id for each in expected.outputs(NOISE_SCORES)}
    assert full.keys() - part.keys() <= scores
    assert crashed.rows.incident_rows == expected.rows.incident_rows


@given(any_stream, st.integers(0, 20), sizes)
def test_reading_again_from_any_earlier_offset_changes_no_row_and_tells_nothing_new(stream, back, sizes):
    # given
    driver = Driver(stored=True)
    records = [driver.record(each) for each in stream]
    driver.batch(records)
    incidents, items, said = dict(driver.rows.incident_rows), dict(driver.rows.item_rows), wire(driver.log)

    # when
    driver.restart()
    again = records[max(0, len(records) - back) :]
    while again:
        driver.batch(again[: sizes[0]])
        again, sizes = again[sizes[0] :], sizes[1:] or sizes

    # then
    assert driver.rows.incident_rows == incidents
    assert driver.rows.item_rows == items
    assert wire(driver.log) == said


@given(live_streams, st.lists(st.integers(1, 5), min_size=1, max_size=10), st.integers(0, 4))
def test_batches_applied_while_others_are_on_their_way_to_the_tables_are_safe(stream, sizes, under_way):
    # given: rows are stored some batches behind; a crash loses what is on its way and reads it again
    expected = uninterrupted(stream)
    driver = Driver()
    records = [driver.record(each) for each in stream]
    waiting: list[tuple[int, EncodedChanges]] = []
    position = committed = 0

    # when
    for number in range(len(records)):
        size = sizes[number % len(sizes)]
        waiting.append(
            (min(position + size, len(records)), driver.apply(records[position : position + size]))
        )
        position = waiting[-1][0]
        if len(waiting) > under_way:
            committed, oldest = waiting.pop(0)
            driver.rows.put_items(oldest.items)
            driver.rows.put_incidents(oldest.incidents)
    if waiting:
        driver.rows.put_items(waiting[0][1].items)
    driver.restart()
    driver.stored = True
    driver.batch(records[committed:])
    driver.advance(END)

    # then
    assert driver.rows.incident_rows == expected.rows.incident_rows
    assert counted(driver) == counted(expected)
    assert wire(driver.log) == wire(expected.log)


def test_an_item_written_twice_ahead_of_its_incident_is_still_counted_once():
    # given: a crash leaves the row of item a at offset 2, then another one leaves the incident at offset 1
    driver = Driver()
    stream = [item("a", h=0.0, likes=1), item("a", h=1.0, likes=10), item("a", h=2.0, likes=100)]
    records = [driver.record(each) for each in stream]
    driver.rows.put_items(driver.apply(records).items)
    driver.restart()
    driver.store(driver.apply(records[:2]))

    # when
    driver.restart()
    driver.store(driver.apply(records[2:]))

    # then
    assert driver.state().items == 1
    assert driver.state().platforms["news"].interactions == 100_000


def test_a_recount_after_a_crash_does_not_see_what_is_not_applied_yet():
    # given: the rows of both items are ahead of the incident
    driver = Driver()
    stream = [
        item("first", h=0.0),
        item("last", h=1.0),
        item("last", h=0.5, seen=2.0),
        item("later", h=9.0),
    ]
    records = [driver.record(each) for each in stream]
    driver.rows.put_items(driver.apply(records).items)
    driver.restart()

    # when: the correction of the last one asks for a recount
    driver.apply(records[:3])

    # then
    assert driver.state().items == 2
    assert driver.state().last_seen == hours(0.5)


@given(any_stream, sizes, st.booleans())
def test_rows_do_not_depend_on_when_events_are_told(stream, sizes, conflate):
    # given
    one, many = Driver(conflate=conflate), Driver(conflate=conflate)
    records = [one.record(each) for each in stream]

    # when
    whole = one.apply(records)
    start = 0
    for size in itertools.cycle(sizes):
        many.tell(records[start : start + size])
        start += size
        if start >= len(records):
            break
    rows = encode_changes(many.ledger.collect())

    # then
    assert (rows.items, rows.incidents) == (whole.items, whole.incidents)
    assert wire(one.log).items() <= wire(many.log).items()
    assert conflate or wire(one.log) == wire(many.log)


@given(any_stream, sizes, st.booleans())
def test_a_window_of_batches_is_as_one_batch_of_all_their_records(stream, sizes, conflate):
    # given
    one, many = Driver(conflate=conflate), Driver(conflate=conflate)
    records = [one.record(each) for each in stream]

    # when
    whole = one.apply(records)
    start = 0
    for size in itertools.cycle(sizes):
        apply_records(many.ledger, SOURCE_ITEMS, 0, records[start : start + size])
        start += size
        if start >= len(records):
            break
    window = encode_changes(many.ledger.collect())

    # then
    assert wire(window.outputs) == wire(whole.outputs)
    assert (window.items, window.incidents) == (whole.items, whole.incidents)
