"""Shelves: one suite over both places where rows may lie, and what only the one on disk promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.settings import RocksdbSettings
from stream.worker.shelves import MemoryShelf, RocksShelf, Shelf

SMALL = RocksdbSettings(block_cache_mb=1, write_buffer_mb=1)


@pytest.fixture(params=["memory", "rocksdb"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """An empty shelf of either kind."""
    made: Shelf = MemoryShelf() if request.param == "memory" else RocksShelf(tmp_path / "items" / "0", SMALL)
    yield made
    made.close()


def test_a_row_is_read_back_as_it_was_put_last(shelf: Shelf) -> None:
    """Given a row put twice; when it is read; then the last one is there, and no other key."""
    shelf.put({b"a": b"1"}, None)
    shelf.put({b"a": b"2", b"b": b"3"}, None)
    assert (shelf.get(b"a"), shelf.get(b"b"), shelf.get(b"c")) == (b"2", b"3", None)
    assert dict(shelf.rows()) == {b"a": b"2", b"b": b"3"}


def test_an_incidents_items_are_found_and_no_others(shelf: Shelf) -> None:
    """Given items of incidents whose ids begin alike; when one's items are asked for; then just they come."""
    shelf.put({b"log\0x": b"1", b"log\0y": b"2", b"log4shell\0x": b"3", b"lo\0z": b"4"}, None)
    assert dict(shelf.rows_of(b"log")) == {b"log\0x": b"1", b"log\0y": b"2"}
    assert dict(shelf.rows_of(b"unknown")) == {}
    shelf.put({b"log\0y": b"5", b"log\0z": b"6", b"unknown\0a": b"7"}, None)
    assert dict(shelf.rows_of(b"log")) == {b"log\0x": b"1", b"log\0y": b"5", b"log\0z": b"6"}
    assert dict(shelf.rows_of(b"unknown")) == {b"unknown\0a": b"7"}


def test_of_many_keys_those_that_have_a_row_are_found(shelf: Shelf) -> None:
    """Given two rows; when they are asked for among others, or others alone; then just those that are there come."""
    shelf.put({b"a": b"1", b"b": b"2"}, None)
    assert shelf.found([b"x", b"b", b"a"]) == {b"a": b"1", b"b": b"2"}
    assert shelf.found([b"x", b"y"]) == {}
    assert shelf.found([]) == {}


def test_the_number_of_rows_counts_each_key_once(shelf: Shelf) -> None:
    """Given a few keys; when they are counted; then each counts once (on disk it is an estimate, exact when new)."""
    shelf.put({b"a\0x": b"1", b"a\0y": b"1", b"b": b"1"}, None)
    assert len(shelf) == 3


def test_memory_keeps_no_offset_since_it_does_not_outlive_the_process() -> None:
    """Given rows put with an offset; when the offset is asked for; then there is none: the changelog is read again."""
    shelf = MemoryShelf()
    shelf.put({b"a": b"1"}, 7)
    assert shelf.offset() is None


def test_rows_and_offset_on_disk_outlive_the_process_together(tmp_path: Path) -> None:
    """Given rows put with their offset; when the shelf is opened anew; then both are there, the offset as no row."""
    shelf = RocksShelf(tmp_path / "0", SMALL)
    shelf.put({b"a": b"1"}, 7)
    shelf.put({b"b": b"2"}, None)
    shelf.close()
    again = RocksShelf(tmp_path / "0", SMALL)
    assert (again.offset(), dict(again.rows())) == (7, {b"a": b"1", b"b": b"2"})
    again.close()
