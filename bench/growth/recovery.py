"""How fast a partition comes back: rows of the changelog into the tables, and from the tables into the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.growth.partition import MeasuredPartition
from stream.settings import RocksdbSettings
from stream.worker.shelves import MemoryShelf, RocksShelf, Shelf
from stream.worker.tables import incident_stamp, item_stamp, newer_rows

CHUNK: Final = 10_000
"""Rows of a changelog that are put into the table at once."""


class Recovered(Struct, frozen=True):
    """CPU seconds to bring so many incidents back on a store: reading their rows and items' rows into the tables, and
    rebuilding the ledger from them; and how many incidents that is per second of CPU.
    """

    store: str
    incidents: int
    tables_s: float
    ledger_s: float
    incidents_per_cpu_s: float


def recoveries(incidents: Shelf, items: Shelf, folder: Path) -> Iterator[Recovered]:
    """Bring what is on the shelves back into a store in memory and one on disk; on disk it is closed in between."""
    stores: dict[str, Callable[[str], Shelf]] = {
        "memory": lambda _: MemoryShelf(),
        "rocksdb": lambda name: RocksShelf(folder / name, RocksdbSettings()),
    }
    for store, opened in stores.items():
        began = time.process_time()
        tables = opened("incidents"), opened("items")
        for table, rows, stamp in (
            (tables[0], incidents, incident_stamp),
            (tables[1], items, item_stamp),
        ):
            coming = rows.rows()
            while chunk := list(islice(coming, CHUNK)):
                table.put(newer_rows(table, chunk, stamp), 0)
        read_s = time.process_time() - began
        if store == "rocksdb":
            for table in tables:
                table.close()
            tables = opened("incidents"), opened("items")
        began = time.process_time()
        found = MeasuredPartition(*tables).ledger.recover()
        ledger_s = time.process_time() - began
        yield Recovered(store, found, read_s, ledger_s, found / (read_s + ledger_s))
        for table in tables:
            table.close()
