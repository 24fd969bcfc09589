"""Incident profiles from files: JSON lines, one JSON array or object, or TOML with [[profile]] tables."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import DecibelError
from stream.files import FileRecord, read_records


def read_profiles(file: str) -> Iterator[FileRecord]:
    """Give the profiles of a file; their `line` is the line of JSON lines, else their number from 1.

    Raises DecibelError if the file cannot be read.
    """
    if file.lower().endswith(".gz"):
        return read_records(file)
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DecibelError(f"{file}: cannot be read: {error.strerror}") from error
    name = "stdin" if file == "-" else file
    if file.lower().endswith(".toml"):
        return _numbered(name, _toml_profiles(file, content))
    try:
        whole = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return _lines(name, content)  # several values, or a line that is wrong: told line by line
    if isinstance(whole, list):
        return _numbered(name, whole)
    return _numbered(name, [whole]) if b"\n" in content.strip() else _lines(name, content)


def _lines(name: str, content: bytes) -> Iterator[FileRecord]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield FileRecord(f"{name}:{number}", number, line.strip())


def _toml_profiles(file: str, content: bytes) -> list[Any]:
    try:
        tables = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DecibelError(f"{file}: not TOML: {error}") from error
    found = tables.get("profile", tables)
    return found if isinstance(found, list) else [found]


def _numbered(name: str, values: list[Any]) -> Iterator[FileRecord]:
    for number, value in enumerate(values, start=1):
        yield FileRecord(f"{name}: profile {number}", number, msgspec.json.encode(value))
