"""Rows in storage: what is written is what is read, and where nothing is stored nothing is found."""

from scoring.incident import Incident, PlatformSum
from scoring.item import Counted, ItemRow, Version
from scoring.rows import NoRows, decode_incident, decode_item_row, encode_row
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
