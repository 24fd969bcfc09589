"""The outbox, one SQLite file: what is to be delivered and what was, what the desk keeps, how far the topics are read.

A batch of records leaves its mark in one transaction: notices, the desk's changes, offsets. So a process that is killed
goes on where it was, and neither loses an event nor tells it twice. What is written is on the disk before it counts
(`synchronous=FULL`). Times are epoch seconds.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from msgspec import Struct

from schemas.errors import SettingsError, StateError
from stream.alerts.desk import Change
from stream.alerts.notices import Notice

FILE: Final = "alerts.sqlite"
LAYOUT: Final = 1
"""Of the tables below; a file of another one is refused."""

State = Literal["pending", "delivered", "failed"]

_TABLES: Final = """
CREATE TABLE offsets (topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition));
CREATE TABLE kept (kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE notices (id TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, notice TEXT NOT NULL REFERENCES notices, channel TEXT NOT NULL,
  alerts TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, due REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, ended REAL, error TEXT NOT NULL DEFAULT '', UNIQUE (notice, channel)
);
CREATE INDEX pending ON deliveries (channel, number) WHERE state = 'pending';
CREATE INDEX pending_alerts ON deliveries (channel, alerts, number) WHERE state = 'pending';
CREATE INDEX pending_due ON deliveries (channel, due) WHERE state = 'pending';
CREATE INDEX undelivered ON deliveries (channel, state, created) WHERE state != 'delivered';
CREATE INDEX over ON deliveries (ended) WHERE ended IS NOT NULL;
"""


class Delivery(Struct, frozen=True):
    """A notice on its way to one channel. `alerts` names its group: its deliveries keep their order."""

    number: int
    notice: Notice
    channel: str
    state: State
    created: float
    due: float
    attempts: int
    error: str


class Backlog(Struct, frozen=True):
    """What a channel has not been given: how many, since when the oldest waits (None: none), how many failed."""

    pending: int
    oldest: float | None
    failed: int


class Outbox:
    """The outbox in the folder `datadir`, which one process at a time may write. Use it as a context."""

    def __init__(self, datadir: Path) -> None:
        datadir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(datadir / f"{FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StateError(f"{datadir}: another `decibel alerts run` works there; stop it first") from None
        self._db = _opened(datadir / FILE)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        os.close(self._lock)

    # -- what is read ---------------------------------------------------------------------------------------

    def offsets(self) -> dict[tuple[str, int], int]:
        """Return the next offset of each partition that was read, by logical topic and partition."""
        rows = self._db.execute("SELECT topic, partition, next FROM offsets")
        return {(topic, partition): after for topic, partition, after in rows}

    def kept(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield what the desk has kept."""
        yield from self._db.execute("SELECT kind, key, value FROM kept ORDER BY kind, key")

    def commit(
        self,
        offsets: Mapping[tuple[str, int], int],
        changes: Iterable[Change],
        notices: Iterable[tuple[Notice, Iterable[str]]],
        now: float,
    ) -> None:
        """Write what a batch of records has brought, together or not at all; `notices` with their channels."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                [(topic, partition, after) for (topic, partition), after in offsets.items()],
            )
            for kind, key, value in changes:
                if value is None:
                    self._db.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))
                else:
                    self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, key, value))
            for notice, channels in notices:
                self._add(notice, channels, now)

    def _add(self, notice: Notice, channels: Iterable[str], now: float) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO notices VALUES (?, ?)", (notice.id, msgspec.json.encode(notice))
        )
        for channel in channels:
            self._db.execute(
                "INSERT OR IGNORE INTO deliveries (notice, channel, alerts, state, created, due) "
                "VALUES (?, ?, ?, 'pending', ?, ?)",
                (notice.id, channel, f"{notice.rule}/{notice.group}", now, now),
            )

    # -- what is delivered ----------------------------------------------------------------------------------

    def next_for(self, channel: str, now: float) -> Delivery | None:
        """Return the oldest delivery of a channel that is due, and before which none of its group waits."""
        rows = self._db.execute(_NEXT, (channel, now))
        return next((_delivery(row) for row in rows), None)

    def next_due(self, channel: str) -> float | None:
        """Return when the next delivery of a channel is due, of those that `next_for` would give; None: none is."""
        row = self._db.execute(_NEXT_DUE, (channel,)).fetchone()
        return None if row is None else float(row[0])

    def delivered(self, number: int, now: float) -> None:
        """Note that the channel has taken it; on the disk when this returns."""
        self._end(number, "delivered", now, "")

    def failed(self, number: int, now: float, error: str) -> None:
        """Note that it will not be tried again."""
        self._end(number, "failed", now, error)

    def _end(self, number: int, state: State, now: float, error: str) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE deliveries SET state = ?, ended = ?, attempts = attempts + 1, error = ? WHERE number = ?",
                (state, now, error, number),
            )

    def postponed(self, number: int, due: float, error: str) -> None:
        """Note a failed attempt, and when the next one is."""
        with self._transaction():
            self._db.execute(
                "UPDATE deliveries SET due = ?, attempts = attempts + 1, error = ? WHERE number = ?",
                (due, error, number),
            )

    def give_up(self, channel: str, before: float, now: float) -> int:
        """Let fail what has been waiting for a channel since before `before`; return how many."""
        return self._db.execute(
            "UPDATE deliveries SET state = 'failed', ended = ? "
            "WHERE channel = ? AND state = 'pending' AND created < ?",
            (now, channel, before),
        ).rowcount

    def retry_failed(self, now: float) -> int:
        """Try everything again that failed; return how many."""
        with self._transaction():
            return self._db.execute(
                "UPDATE deliveries SET state = 'pending', ended = NULL, due = ?, created = ? WHERE state = 'failed'",
                (now, now),
            ).rowcount

    def prune(self, before: float) -> None:
        """Remove deliveries that ended before `before`, and notices of which none is left."""
        with self._transaction():
            self._db.execute("DELETE FROM deliveries WHERE ended < ?", (before,))
            self._db.execute("DELETE FROM notices WHERE id NOT IN (SELECT notice FROM deliveries)")

    def backlogs(self) -> dict[str, Backlog]:
        """Return what each channel has not been given; channels without anything are left out."""
        rows = self._db.execute(
            "SELECT channel, sum(state = 'pending'), min(CASE state WHEN 'pending' THEN created END), "
            "sum(state = 'failed') FROM deliveries WHERE state != 'delivered' GROUP BY channel"
        )
        return {channel: Backlog(pending, oldest, failed) for channel, pending, oldest, failed in rows}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def undelivered(datadir: Path, most: int = 1000) -> list[Delivery]:
    """Return what waits and what has failed, the oldest first, at most so many; also beside a running process.

    A folder without an outbox has nothing.
    """
    file = datadir / FILE
    if not file.exists():
        return []
    db = _opened(file)
    try:
        rows = db.execute(_UNDELIVERED, (most,))
        return [_delivery(row) for row in rows]
    finally:
        db.close()


def datadir_of(setting: str) -> Path:
    """Return the folder of the setting `alerts.datadir`. Raises SettingsError where it is not set."""
    if not setting:
        raise SettingsError(
            "alerts.datadir: alerts need a folder of their own that outlives the process; set it"
        )
    return Path(setting)


_SELECT: Final = (
    "SELECT d.number, n.value, d.channel, d.state, d.created, d.due, d.attempts, d.error "
    "FROM deliveries d JOIN notices n ON n.id = d.notice "
)
_FIRST: Final = (
    "FROM deliveries d INDEXED BY {} WHERE d.channel = ? AND d.state = 'pending' AND NOT EXISTS (SELECT 1 "
    "FROM deliveries e WHERE e.channel = d.channel AND e.state = 'pending' AND e.alerts = d.alerts "
    "AND e.number < d.number)"
)
"""Of each group, its first delivery that waits. The index is named: with it, the first one looked at mostly is it."""
_NEXT: Final = (
    f"{_SELECT} WHERE d.number = (SELECT d.number {_FIRST.format('pending')} AND d.due <= ? "
    "ORDER BY d.number LIMIT 1)"
)
_NEXT_DUE: Final = f"SELECT d.due {_FIRST.format('pending_due')} ORDER BY d.due LIMIT 1"
_UNDELIVERED: Final = _SELECT + "WHERE d.state != 'delivered' ORDER BY d.number LIMIT ?"
_NOTICE: Final = msgspec.json.Decoder(Notice)


def _delivery(row: tuple[int, bytes, str, State, float, float, int, str]) -> Delivery:
    number, value, channel, state, created, due, attempts, error = row
    return Delivery(number, _NOTICE.decode(value), channel, state, created, due, attempts, error)


def _opened(file: Path) -> sqlite3.Connection:
    """Return a connection that begins transactions only where it is told to. Raises StateError."""
    try:
        db = sqlite3.connect(file, isolation_level=None, timeout=10.0)
        (layout,) = db.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;")
        elif layout != LAYOUT:
            raise StateError(
                f"{file}: its layout is {layout}, this version knows {LAYOUT}; use the one that wrote it"
            )
    except sqlite3.Error as error:
        raise StateError(f"{file}: cannot be used as the alerts' outbox: {error}") from error
    return db
