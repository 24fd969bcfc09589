"""Rows in storage: what is written is what is read, and where nothing is stored nothing is found."""

import pickle
from typing import get_args, get_type_hints

import msgspec
import pytest

from schemas.words import Category
from scoring.incident import Incident
from scoring.item import Counted, ItemRow, Version
from scoring.platform_sum import PlatformSum
from scoring.rows import COMPOSED, Glance, NoRows, decode_incident, decode_item_row, encode_row, glance
from tests.builders import hours

COUNTED = Counted(hours(1.0), hours(0.0), "x", 5000, -1, 0, 0, ("ann",), retracted=False)


def test_a_ledger_without_storage_finds_nothing():
    rows = NoRows()
    assert rows.incident("leak") is None
    assert rows.item("leak", "a") is None
    assert list(rows.items("leak")) == []
    assert list(rows.glances()) == []


def test_a_row_that_is_read_is_the_one_that_was_written():
    incident = Incident(items_offset=7, platforms={"x": PlatformSum(1, 5000)}, figures={"ann": 1})
    assert decode_incident(encode_row(incident)) == incident
    row = ItemRow(7, COUNTED, (Version(3, COUNTED),))
    assert decode_item_row(encode_row(row)) == row


def test_a_glance_at_a_row_has_what_recovery_wants_of_it():
    incident = Incident(
        as_of=hours(3.0),
        last_seen=hours(1.0),
        platforms={"x": PlatformSum(1, 5000)},
        category=Category.SAFETY,
        composite=40.0,
        averages_at=hours(2.0),
        state_since=hours(1.0),
        long_average=3.0,
        detected_at=hours(1.0),
        merged_into="fire",
        due=hours(9.0),
        due_by=7,
    )
    seen = glance(encode_row(incident))
    for name in get_type_hints(Glance):
        assert getattr(seen, name) == getattr(incident, name), name


def test_a_glance_at_a_row_from_before_a_field_was_there_has_its_default():
    fields = msgspec.msgpack.decode(encode_row(Incident(as_of=hours(3.0))))
    seen = glance(msgspec.msgpack.encode(fields[:10]))
    assert (seen.as_of, seen.composite, seen.merged_into, seen.due_by) == (hours(3.0), 0.0, None, 0)


def test_a_row_may_be_handed_from_process_to_process():
    incident = Incident(items_offset=7, platforms={"x": PlatformSum(1, 5000)})
    incident.spike.fast.count = 3.0
    assert pickle.loads(pickle.dumps(incident)) == incident


@pytest.mark.annotations
def test_every_type_that_is_more_than_a_class_is_told():
    hints = get_type_hints(Incident)
    assert {
        name: hint for name, hint in hints.items() if not isinstance(hint, type) or get_args(hint)
    } == COMPOSED
