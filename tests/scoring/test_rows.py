"""Rows in storage: what is written is what is read, and where nothing is stored nothing is found."""

from typing import get_args, get_type_hints

import pytest

from scoring.incident import Incident
from scoring.item import Counted, ItemRow, Version
from scoring.platform_sum import PlatformSum
from scoring.rows import COMPOSED, NoRows, decode_incident, decode_item_row, encode_row
from tests.builders import hours

COUNTED = Counted(hours(1.0), hours(0.0), "x", 5000, -1, 0, 0, ("ann",), retracted=False)


def test_a_ledger_without_storage_finds_nothing():
    rows = NoRows()
    assert rows.incident("leak") is None
    assert rows.item("leak", "a") is None
    assert list(rows.items("leak")) == []
    assert list(rows.incidents()) == []


def test_a_row_that_is_read_is_the_one_that_was_written():
    incident = Incident(items_offset=7, platforms={"x": PlatformSum(1, 5000)}, figures={"ann": 1})
    assert decode_incident(encode_row(incident)) == incident
    row = ItemRow(7, COUNTED, (Version(3, COUNTED),))
    assert decode_item_row(encode_row(row)) == row


@pytest.mark.annotations
def test_every_type_that_is_more_than_a_class_is_told():
    hints = get_type_hints(Incident)
    assert {
        name: hint for name, hint in hints.items() if not isinstance(hint, type) or get_args(hint)
    } == COMPOSED
