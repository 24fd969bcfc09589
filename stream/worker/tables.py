"""The two tables, as Faust tables with a changelog each, and their rows as the ledger reads them.

Faust assigns, recovers and keeps standbys of them; rows are written by the batch commit. Recovery keeps, of two rows of
a key, the one with the higher stamp: a worker that lost its partition may still get an older row into the changelog
behind a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import faust
import msgspec
from faust.stores.base import Store
from faust.tables import TableManager
from faust.types import TP, EventT
from msgspec import Struct

from schemas.errors import StateError
from scoring.changes import Changes, ItemKey
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.rows import Glance, decode_incident, decode_item_row, encode_row, glance
from stream.settings import Settings
from stream.topics import INCIDENTS_CHANGELOG, ITEMS_CHANGELOG, physical
from stream.worker.shelves import SEPARATOR, MemoryShelf, RocksShelf, Shelf

Stamp = tuple[int, ...]


class _IncidentStamp(Struct, array_like=True, gc=False):
    """The first fields of an incident row, which say how new it is."""

    items_offset: int
    profiles_offset: int
    revision: int


class _ItemStamp(Struct, array_like=True, gc=False):
    """The first field of an item row."""

    offset: int


_INCIDENT_STAMP: Final = msgspec.msgpack.Decoder(_IncidentStamp)
_ITEM_STAMP: Final = msgspec.msgpack.Decoder(_ItemStamp)


def incident_stamp(row: bytes) -> Stamp:
    """Return how new an incident row is: offsets applied, then revision."""
    stamp = _INCIDENT_STAMP.decode(row)
    return stamp.items_offset, stamp.profiles_offset, stamp.revision


def item_stamp(row: bytes) -> Stamp:
    """Return how new an item row is: the offset of its last write."""
    return (_ITEM_STAMP.decode(row).offset,)


def newer_rows(
    shelf: Shelf, rows: Sequence[tuple[bytes, bytes]], stamp: Callable[[bytes], Stamp]
) -> dict[bytes, bytes]:
    """Return of each key the row with the highest stamp (of equals the last), if it is above what is on the shelf."""
    last = dict(rows)
    stored = shelf.found(last)
    if not stored and len(last) == len(rows):
        # Each key is new, as most are in a changelog that is read from its start: no stamp need be read.
        return last
    newer: dict[bytes, bytes] = {}
    for key, row in rows:
        present = newer.get(key) or stored.get(key)
        if present is None or stamp(row) >= stamp(present):
            newer[key] = row
    return newer


class RowStore(Store[bytes, bytes]):
    """A table's store: one shelf a partition. Faust writes to it in recovery, the batch commit otherwise."""

    def __init__(
        self, *args: Any, stamp: Callable[[bytes], Stamp], open_shelf: Callable[[int], Shelf], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._stamp, self._open = stamp, open_shelf
        self._shelves: dict[int, Shelf] = {}

    def shelf(self, partition: int) -> Shelf:
        """Return the shelf of a partition, opened if need be."""
        shelf = self._shelves.get(partition)
        if shelf is None:
            shelf = self._shelves[partition] = self._open(partition)
        return shelf

    def persisted_offset(self, tp: TP) -> int | None:
        """Return how far the changelog of `tp` is in already."""
        return self.shelf(tp.partition).offset()

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Apply what was fetched of changelogs, each record unless a newer row of its key is there.

        An event here is all that one fetch gave of a partition (see `transport`).

        A standby's offset is not kept: on a rebalance Faust drops what it has queued for standbys, and a row that was
        dropped must be read again when the partition becomes active.
        """
        active = {tp.partition for tp in self.app.assignor.assigned_actives() if tp.topic == self._topic}
        for event in batch:
            message = event.message
            if message.topic != self._topic:
                # Faust hands a record of a partition that was just taken away to whichever table came before.
                continue
            shelf = self.shelf(message.partition)
            rows = [(record.key, record.value) for record in message.value if record.value is not None]
            offset = message.offset if message.partition in active else None
            shelf.put(newer_rows(shelf, rows, self._stamp), offset)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Drop the partitions that are neither active nor standby here any more."""
        kept = {tp.partition for tp in (*active_tps, *standby_tps)}
        for partition in set(self._shelves) - kept:
            self._shelves.pop(partition).close()

    async def on_stop(self) -> None:
        """Close every shelf."""
        for shelf in self._shelves.values():
            shelf.close()
        self._shelves.clear()

    def reset_state(self) -> None:
        """Nothing to remove: Faust calls this for `faust reset`, which Decibel does not offer."""

    async def backup_partition(self, tp: TP | int, *args: Any, **kwargs: Any) -> None:
        """Refuse: the changelog is the backup of every row."""
        raise StateError(f"partition {tp} is not backed up by files; its changelog topic holds every row")

    def restore_backup(self, tp: TP | int, *args: Any, **kwargs: Any) -> None:
        """Refuse: a partition is restored from its changelog."""
        raise StateError(f"partition {tp} is restored from its changelog topic, not from files")

    @property
    def _topic(self) -> str:
        return self.table.changelog_topic.get_topic_name()

    def __len__(self) -> int:
        """Return the number of rows in all partitions held here."""
        return sum(len(shelf) for shelf in self._shelves.values())


class PromptTableManager(TableManager):
    """Faust's manager of the tables, without the second for which it waits for more: all are declared by then."""

    async def on_start(self) -> None:
        """Open the tables and begin to recover them."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class RowTable(faust.Table):
    """A Faust table over a RowStore; its rows are bytes."""

    def __init__(
        self, app: faust.App, *, stamp: Callable[[bytes], Stamp], settings: Settings, **kwargs: Any
    ) -> None:
        self._stamp, self._settings = stamp, settings
        super().__init__(app, **kwargs)

    def _new_store(self) -> RowStore:
        worker = self._settings.worker

        def open_shelf(partition: int) -> Shelf:
            if worker.store == "memory://":
                return MemoryShelf()
            return RocksShelf(Path(worker.datadir) / self.name / str(partition), self._settings.rocksdb)

        return RowStore(worker.store, self.app, self, stamp=self._stamp, open_shelf=open_shelf)

    def shelf(self, partition: int) -> Shelf:
        """Return the shelf of a partition."""
        store: RowStore = self.data
        return store.shelf(partition)


class Tables(Struct, frozen=True):
    """The two tables of the engine."""

    incidents: RowTable
    items: RowTable


def make_tables(app: faust.App, settings: Settings) -> Tables:
    """Declare both tables on `app`, each with the changelog topic that provisioning has made."""

    def table(name: str, changelog: str, stamp: Callable[[bytes], Stamp]) -> RowTable:
        topic = app.topic(
            physical(settings, changelog),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=settings.topics.partitions,
            acks=False,
            internal=True,
            compacting=True,
            allow_empty=True,
        )
        made = RowTable(
            app,
            stamp=stamp,
            settings=settings,
            name=name,
            key_type=bytes,
            value_type=bytes,
            partitions=settings.topics.partitions,
            changelog_topic=topic,
            # Counted in events, of which each is all that one fetch gave. Faust takes 1 of the former as the sign of a
            # global table, and would go on reading what this worker writes itself.
            recovery_buffer_size=2,
            standby_buffer_size=1,
        )
        app.tables.add(made)
        return made

    return Tables(
        table("incidents", INCIDENTS_CHANGELOG, incident_stamp), table("items", ITEMS_CHANGELOG, item_stamp)
    )


class EncodedRows(Struct):
    """The changed rows of one batch, encoded while they are as the batch left them."""

    items: dict[bytes, bytes]
    incidents: dict[bytes, bytes]


def encode_rows(changes: Changes) -> EncodedRows:
    """Encode the rows in `changes`: an incident's row goes on changing with the next batch."""
    return EncodedRows(
        {item_key(key): encode_row(row) for key, row in changes.items.items()},
        {incident_id.encode(): encode_row(row) for incident_id, row in changes.incidents.items()},
    )


def item_key(key: ItemKey) -> bytes:
    """Return the table key of an item."""
    return key[0].encode() + SEPARATOR + key[1].encode()


class PartitionRows:
    """The rows of one partition as the ledger reads them: those on their way to the tables before those in them."""

    def __init__(self, incidents: Shelf, items: Shelf) -> None:
        self._incidents, self._items = incidents, items
        self._coming_incidents: dict[bytes, bytes] = {}
        self._coming_items: dict[bytes, bytes] = {}

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident, or None."""
        key = incident_id.encode()
        row = self._coming_incidents.get(key) or self._incidents.get(key)
        return None if row is None else decode_incident(row)

    def item(self, incident_id: str, item_id: str) -> ItemRow | None:
        """Return the row of an item, or None."""
        key = item_key((incident_id, item_id))
        row = self._coming_items.get(key) or self._items.get(key)
        return None if row is None else decode_item_row(row)

    def items(self, incident_id: str) -> Iterator[tuple[str, ItemRow]]:
        """Yield every item of an incident with its row."""
        group = incident_id.encode()
        start = group + SEPARATOR
        rows = dict(self._items.rows_of(group))
        rows.update((key, row) for key, row in self._coming_items.items() if key.startswith(start))
        for key, row in rows.items():
            yield key[len(start) :].decode(), decode_item_row(row)

    def glances(self) -> Iterator[tuple[str, Glance]]:
        """Yield every stored incident with what recovery wants of its row."""
        for key, row in self._incidents.rows():
            yield key.decode(), glance(row)

    def coming(self, rows: EncodedRows) -> None:
        """Note rows that are on their way to the tables."""
        self._coming_items.update(rows.items)
        self._coming_incidents.update(rows.incidents)

    def arrived(self, rows: EncodedRows, offsets: Mapping[str, int | None]) -> None:
        """Write rows that the changelogs have, `offsets` being how far each changelog is (`items`, `incidents`)."""
        self._items.put(rows.items, offsets["items"])
        self._incidents.put(rows.incidents, offsets["incidents"])
        _drop_same(self._coming_items, rows.items)
        _drop_same(self._coming_incidents, rows.incidents)


def _drop_same(coming: dict[bytes, bytes], arrived: dict[bytes, bytes]) -> None:
    for key, row in arrived.items():
        if coming.get(key) is row:
            del coming[key]
