"""Tables: which of two rows stands, and what the ledger reads while rows are on their way."""

from types import SimpleNamespace

import pytest

from scoring.changes import Changes
from scoring.incident import Incident
from scoring.item import UNKNOWN, Counted, ItemRow
from scoring.rows import decode_incident, encode_row
from stream.settings import Settings
from stream.worker.app import make_app
from stream.worker.shelves import MemoryShelf
from stream.worker.tables import PartitionRows, encode_rows, incident_stamp, item_stamp, newer_rows


def _counted(likes: int) -> Counted:
    return Counted(1.0, 1.0, "x", likes, UNKNOWN, 0, 0, (), False)


def _incident(offset: int, revision: int = 1, profiles: int = -1) -> bytes:
    return encode_row(Incident(items_offset=offset, profiles_offset=profiles, revision=revision))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (_incident(10), _incident(11)),
        (_incident(10, revision=3), _incident(10, revision=4)),
        (_incident(10, revision=3), _incident(10, revision=3, profiles=1)),
    ],
)
def test_the_stamp_of_an_incident_row_grows_with_everything_that_changes_it(
    older: bytes, newer: bytes
) -> None:
    """Given two rows of an incident; when an item, a profile or a deadline came between; then the stamp says so."""
    assert incident_stamp(older) < incident_stamp(newer)


def test_the_stamp_of_an_item_row_is_its_offset() -> None:
    """Given an item row; when its stamp is read; then it is the source offset of its last write."""
    assert item_stamp(encode_row(ItemRow(42, _counted(1)))) == (42,)


def test_a_row_that_a_former_owner_wrote_late_does_not_stand() -> None:
    """Given a changelog where an older row comes behind a newer one; when it is recovered; then the newer stands."""
    shelf = MemoryShelf()
    changelog = [(b"a", _incident(20)), (b"a", _incident(12)), (b"b", _incident(1)), (b"b", _incident(2))]
    shelf.put(newer_rows(shelf, changelog, incident_stamp), None)
    assert {key: decode_incident(row).items_offset for key, row in shelf.rows()} == {b"a": 20, b"b": 2}
    # And in a later part of the changelog, against what lies on the shelf already:
    shelf.put(newer_rows(shelf, [(b"a", _incident(19))], incident_stamp), None)
    assert decode_incident(shelf.get(b"a") or b"").items_offset == 20


def test_all_that_a_fetch_gave_of_a_changelog_is_taken_at_once() -> None:
    """Given what two fetches gave, one of another table; when it is applied; then this table's newest rows stand."""
    store = make_app(Settings()).tables["incidents"].data
    changelog = [_incident(20), _incident(12), None]
    store.apply_changelog_batch(
        [
            _fetched("decibel-incidents-changelog", 3, changelog),
            _fetched("decibel-items-changelog", 3, [b"x"]),
        ],
        bytes,
        bytes,
    )
    assert [decode_incident(row).items_offset for _, row in store.shelf(3).rows()] == [20]
    assert len(store) == 1


def _fetched(topic: str, partition: int, rows: list[bytes | None]) -> SimpleNamespace:
    """An event of the transport: all that one fetch gave of a partition."""
    records = [SimpleNamespace(key=b"a", value=row) for row in rows]
    message = SimpleNamespace(topic=topic, partition=partition, offset=len(rows) - 1, value=records)
    return SimpleNamespace(message=message)


def test_rows_on_their_way_are_read_before_those_that_are_stored() -> None:
    """Given a row of two batches under way; when the first has arrived; then the second is still what is read."""
    incidents, items = MemoryShelf(), MemoryShelf()
    rows = PartitionRows(incidents, items)
    first = encode_rows(_changes(10))
    second = encode_rows(_changes(20))
    rows.coming(first)
    rows.coming(second)
    assert _read(rows) == (20, 20)
    rows.arrived(first, {"items": 1, "incidents": 1})
    assert _read(rows) == (20, 20)
    rows.arrived(second, {"items": 2, "incidents": 2})
    assert _read(rows) == (20, 20)
    assert decode_incident(incidents.get(b"i") or b"").items_offset == 20


def test_rows_are_encoded_as_the_batch_left_them() -> None:
    """Given the rows of a batch; when the next batch changes the same incident; then the first row is as it was."""
    changes = _changes(10)
    encoded = encode_rows(changes)
    changes.incidents["i"].items_offset = 99
    assert decode_incident(encoded.incidents[b"i"]).items_offset == 10


def _changes(offset: int) -> Changes:
    return Changes(
        outputs=[],
        items={("i", "x:1"): ItemRow(offset, _counted(offset))},
        incidents={"i": Incident(items_offset=offset)},
    )


def _read(rows: PartitionRows) -> tuple[int, int]:
    incident, item = rows.incident("i"), rows.item("i", "x:1")
    assert incident is not None
    assert item is not None
    assert [ident for ident, _ in rows.items("i")] == ["x:1"]
    return incident.items_offset, item.offset
