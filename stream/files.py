"""Records from files: JSON lines, plain or gzip, from disk or standard input; CSV rows turned into JSON.

Nothing is judged here: a line that is no JSON comes out as it stands, and whoever reads it says what is
wrong.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from schemas.errors import DecibelError
from stream.columns import row_reader

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""Longer than any record may be: a line beyond it means that the file is not what it is taken for."""

_BLOCK_BYTES: Final = 256 * 1024
"""Read at a time."""

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


class FileRecord(NamedTuple):
    """A record of a file: its place (`file:line`, for people), its line from 1, its bytes."""

    place: str
    line: int
    value: bytes


class RecordFile:
    """A file of records that can be iterated once; how far one is, in bytes of the file as it lies on disk.

    Args:
        path: JSON lines (`.jsonl`), CSV (`.csv`, `.tsv`), either with `.gz` behind; `-` is standard input.
        columns: for CSV, which column fills which field (see `stream.columns`); given, anything is read as
        CSV.
    """

    def __init__(self, path: str, columns: Mapping[str, str] | None = None) -> None:
        self.name = "stdin" if path == "-" else path
        self._path = path
        self._columns = columns
        self._raw: BinaryIO | None = None

    @property
    def size(self) -> int | None:
        """Bytes of the file on disk; None for standard input and pipes."""
        path = Path(self._path)
        return path.stat().st_size if self._path != "-" and path.is_file() else None

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`."""
        if self._raw is None or self._path == "-":
            return 0
        return self._raw.tell() if not self._raw.closed else self.size or 0

    def __iter__(self) -> Iterator[FileRecord]:
        """Give the records in order, without blank lines. DecibelError where the file cannot be read on."""
        return (FileRecord(f"{self.name}:{number}", number, value) for number, value in self.lines())

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Give the same as line and bytes, for those who need no place to tell. DecibelError as above."""
        return chain.from_iterable(self.blocks())

    def blocks(self) -> Iterator[list[tuple[int, bytes]]]:
        """Give the lines as they are read, many at once. DecibelError as above, once all before it is given."""
        line = 0
        try:
            with self._opened() as file:
                for block in ([row] for row in self._rows(file)) if self._is_csv() else _blocks(file):
                    line = block[-1][0]
                    yield block
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DecibelError(f"{self.name}: the gzip data break off after line {line}: {error}") from error
        except OSError as error:
            raise DecibelError(f"{self.name}: cannot be read: {error.strerror or error}") from error
        except csv.Error as error:
            raise DecibelError(f"{self.name}: not CSV after line {line}: {error}") from error
        except _TooLongError as error:
            text = f"line {error} is longer than {MAX_LINE_BYTES} bytes; are these JSON lines?"
            raise DecibelError(f"{self.name}: {text}") from None

    def _is_csv(self) -> bool:
        name = self._path.lower().removesuffix(".gz")
        return self._columns is not None or name.endswith((".csv", ".tsv"))

    def _rows(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        # Bytes that are no UTF-8 survive as surrogates, so that a dead letter can hold them as they were.
        with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            delimiter = "\t" if self._path.lower().removesuffix(".gz").endswith(".tsv") else ","
            yield from row_reader(text, self.name, self._columns or {}, delimiter)

    @contextmanager
    def _opened(self) -> Iterator[io.BufferedReader]:
        """The file's bytes, decompressed if they are gzip, whatever its name says."""
        if self._path == "-":
            yield _decompressed(sys.stdin.buffer)
            return
        with Path(self._path).open("rb") as raw:
            self._raw = raw
            yield _decompressed(raw)


def read_records(path: str, columns: Mapping[str, str] | None = None) -> Iterator[FileRecord]:
    """Give the records of a file in order; see `RecordFile`. DecibelError where it cannot be read."""
    return iter(RecordFile(path, columns))


class _TooLongError(Exception):
    """A line beyond MAX_LINE_BYTES, by its number."""


def _decompressed(raw: BinaryIO) -> io.BufferedReader:
    # Standard input may be replaced by a stream that cannot look ahead.
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    compressed = buffered.peek(2)[:2] == _GZIP
    if not compressed:
        return buffered
    return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=buffered, mode="rb")), _BLOCK_BYTES)


def _blocks(file: io.BufferedReader) -> Iterator[list[tuple[int, bytes]]]:
    """The lines that are not blank, in lists of those that came together: who writes to a pipe is not waited for."""
    lines, begun = 0, b""
    while read := file.read1(max(_BLOCK_BYTES, len(begun))):
        whole = (begun + read).split(b"\n")
        if len(whole[0]) > MAX_LINE_BYTES:  # what follows it is no longer than what was read
            raise _TooLongError(lines + 1)
        begun = whole.pop()
        block, lines = _numbered(whole, lines), lines + len(whole)
        if block:
            yield block
        if len(begun) > MAX_LINE_BYTES:
            raise _TooLongError(lines + 1)
    if block := _numbered([begun], lines):
        yield block


def _numbered(lines: list[bytes], before: int) -> list[tuple[int, bytes]]:
    """Lines with their numbers, `before` being those before them, without blank ones."""
    if lines and not before:
        lines[0] = lines[0].removeprefix(_BOM)
    return [(number, value) for number, line in enumerate(lines, before + 1) if (value := line.strip())]
