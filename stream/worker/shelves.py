"""Where a table's rows lie, partition by partition: in memory, or on disk in RocksDB.

Faust's own stores mix the partitions and write from inside a stream iteration only. Here each partition has a shelf of
its own, which is dropped when the partition goes, and a row never gives way to an older one (see `tables`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    WriteBatch,
)

from stream.settings import RocksdbSettings

SEPARATOR: Final = b"\0"
"""Stands between incident and item in the key of an item row; no id may hold it."""

_OFFSET_KEY: Final = b"\0offset"
"""Key of the changelog offset in a shelf on disk; no row's key begins with the separator."""

MIB: Final = 1024 * 1024


class Shelf(Protocol):
    """The rows of one partition of one table."""

    def get(self, key: bytes) -> bytes | None:
        """Return the row of `key`, or None."""

    def found(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the rows of those of `keys` that have one."""

    def put(self, rows: Mapping[bytes, bytes], offset: int | None) -> None:
        """Write the rows, and with them how far the changelog is in (None: not known), as one."""

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and row."""

    def rows_of(self, group: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and row of every key that begins with `group` and the separator."""

    def offset(self) -> int | None:
        """Return how far the changelog is in, or None if it has to be read from its start."""

    def __len__(self) -> int:
        """Return the number of rows (an estimate on disk)."""

    def close(self) -> None:
        """Let go of it; what is on disk stays there."""


class MemoryShelf:
    """Rows in memory. One incident's items are found by an index of all keys, which is made when they are asked for
    first: few ask (merges, retractions), and it takes longer than all else that is done with a row in recovery.
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._groups: dict[bytes, list[bytes]] | None = None
        self.get = self._rows.get

    def found(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the rows of those of `keys` that have one."""
        stored = self._rows
        if stored.keys().isdisjoint(keys):
            return {}
        return {key: stored[key] for key in keys if key in stored}

    def put(self, rows: Mapping[bytes, bytes], offset: int | None) -> None:
        """Write the rows; memory does not outlive the process, so the offset is not kept."""
        if self._groups is not None:
            _add_to(self._groups, (key for key in rows if key not in self._rows))
        self._rows.update(rows)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and row."""
        yield from self._rows.items()

    def rows_of(self, group: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and row of every key that begins with `group` and the separator."""
        if self._groups is None:
            self._groups = {}
            _add_to(self._groups, self._rows)
        for key in self._groups.get(group, ()):
            yield key, self._rows[key]

    def offset(self) -> int | None:
        """Return None: the changelog is read from its start."""
        return None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def close(self) -> None:
        """Let go of all rows."""
        self._rows.clear()
        self._groups = None


def _add_to(groups: dict[bytes, list[bytes]], keys: Iterable[bytes]) -> None:
    """Note keys that are new, each under what stands before its separator."""
    for key in keys:
        name, separator, _ = key.partition(SEPARATOR)
        if separator:
            groups.setdefault(name, []).append(key)


class RocksShelf:
    """Rows on disk. The changelog offset is written in the same batch as the rows, so the two never disagree."""

    def __init__(self, path: Path, settings: RocksdbSettings) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._db = Rdict(str(path), options=_options(settings), access_type=AccessType.read_write())

    def get(self, key: bytes) -> bytes | None:
        """Return the row of `key`, or None."""
        row: bytes | None = self._db.get(key)
        return row

    def found(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the rows of those of `keys` that have one, asked for all at once."""
        asked: list[Any] = list(keys)
        rows = cast(list[bytes | None], self._db.get(asked))
        return {key: row for key, row in zip(asked, rows, strict=True) if row is not None}

    def put(self, rows: Mapping[bytes, bytes], offset: int | None) -> None:
        """Write the rows and the offset as one batch."""
        batch = WriteBatch(raw_mode=True)
        for key, row in rows.items():
            batch.put(key, row)
        if offset is not None:
            batch.put(_OFFSET_KEY, str(offset).encode())
        self._db.write(batch)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and row."""
        for key, row in self._scan(None):
            if key != _OFFSET_KEY:
                yield key, row

    def rows_of(self, group: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and row of every key that begins with `group` and the separator."""
        start = group + SEPARATOR
        for key, row in self._scan(start):
            if not key.startswith(start):
                return
            yield key, row

    def _scan(self, start: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Keys and rows in key order; in raw mode both are bytes, which the wrapper's types do not say."""
        return cast(Iterator[tuple[bytes, bytes]], self._db.items(from_key=start))

    def offset(self) -> int | None:
        """Return how far the changelog is in, or None if it has to be read from its start."""
        stored: bytes | None = self._db.get(_OFFSET_KEY)
        return None if stored is None else int(stored)

    def __len__(self) -> int:
        """Return about how many rows there are: counting them would read them all."""
        return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    def close(self) -> None:
        """Write what is buffered and close the files."""
        self._db.close()


def _options(settings: RocksdbSettings) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(settings.write_buffer_mb * MIB)
    # Two: one that is written to while the other goes to disk. The default of RocksDB's wrapper is three of 64 MiB.
    options.set_max_write_buffer_number(2)
    blocks = BlockBasedOptions()
    # Without a cache of its own size each database takes up to 2 GiB.
    blocks.set_block_cache(Cache(settings.block_cache_mb * MIB))
    options.set_block_based_table_factory(blocks)
    return options
