"""CSV rows turned into source items: which column fills which field, and how a cell becomes a JSON value.

A column map says `field=column`, with fields as in the contract: `item_id=id,likes=score,platform==reddit`. A
bare `likes`, `comments`, `shares` or `views` means `engagement.likes` and so on; two equals signs give a
fixed text. Columns whose names are fields need no entry. Empty cells are left out; a time without a zone is
UTC, a plain number in a time column is epoch seconds; `figures` are separated by `;`.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from schemas.errors import DecibelError
from schemas.source_item import Engagement, SourceItem
from schemas.times import format_time, parse_time

_COUNTS: Final = Engagement.__struct_fields__
FIELDS: Final = (
    *(name for name in SourceItem.__struct_fields__ if name != "engagement"),
    *(f"engagement.{name}" for name in _COUNTS),
)
"""The fields a column can fill."""

# csv's own limit of 128 KiB a cell is below what a title or text may hold.
_MAX_CELL: Final = 16 * 1024 * 1024


def parse_columns(text: str) -> dict[str, str]:
    """Return the column map in `text`, as field -> column; DecibelError names what is wrong.

    >>> parse_columns("item_id=id, likes=score, platform==reddit")
    {'item_id': 'id', 'engagement.likes': 'score', 'platform': '=reddit'}
    """
    columns: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        field, equals, column = part.partition("=")
        if not equals or not column.strip("="):
            raise DecibelError(f"{part!r} is not of the form field=column (or field==fixed text)")
        columns[_field(field.strip())] = column.strip()
    return columns


def row_reader(
    text: Iterable[str], name: str, columns: Mapping[str, str], delimiter: str = ","
) -> Iterator[tuple[int, bytes]]:
    """Give each row as (its first line, its JSON). DecibelError if the header lacks a mapped column."""
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(text, delimiter=delimiter)
    header = [cell.strip() for cell in next(reader, [])]
    cells = _cells(header, name, columns)
    fixed = {field: column[1:] for field, column in columns.items() if column.startswith("=")}
    while True:
        first_line = reader.line_num + 1
        row = next(reader, None)
        if row is None:
            return
        if any(row):
            yield first_line, _json(row, header, cells, fixed, delimiter)


def _field(name: str) -> str:
    field = f"engagement.{name}" if name in _COUNTS else name
    if field not in FIELDS:
        near = difflib.get_close_matches(field, [*FIELDS, *_COUNTS], n=1)
        hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(FIELDS)}"
        raise DecibelError(f"{name!r} is no field of a source item; {hint}")
    return field


def _cells(header: list[str], name: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Return which cell fills which field: what the map says, then columns that are named as a field is."""
    cells = {}
    for index, column in enumerate(header):
        field = f"engagement.{column}" if column in _COUNTS else column
        if field in FIELDS and field not in columns:
            cells[field] = index
    for field, column in columns.items():
        if column.startswith("="):
            continue
        if column not in header:
            raise DecibelError(
                f"{name}:1: there is no column {column!r}; the columns are {', '.join(header)}"
            )
        cells[field] = header.index(column)
    return cells


def _json(
    row: list[str], header: list[str], cells: Mapping[str, int], fixed: Mapping[str, str], delimiter: str
) -> bytes:
    if len(row) > len(header):
        return _as_it_was(row, delimiter)
    filled = {field: row[index] for field, index in cells.items() if index < len(row)}
    item: dict[str, Any] = {}
    for field, cell in {**filled, **fixed}.items():
        if not cell.strip():
            continue
        section, _, key = field.rpartition(".")
        target = item.setdefault(section, {}) if section else item
        target[key] = _value(field, cell.strip())
    try:
        return msgspec.json.encode(item)
    except (UnicodeEncodeError, msgspec.EncodeError):
        return _as_it_was(row, delimiter)


def _as_it_was(row: list[str], delimiter: str) -> bytes:
    """A row that cannot be an item, for the dead letters; no JSON, so it is rejected as such."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(row)
    return line.getvalue().encode("utf-8", "surrogateescape")


def _value(field: str, cell: str) -> object:
    """Return the cell as its field wants it; where it cannot be that, the text, which will be rejected."""
    convert = _CONVERT.get(field, str)
    try:
        return convert(cell)
    except (ValueError, OverflowError, OSError):
        return cell


def _count(cell: str) -> int:
    number = float(cell)
    if not number.is_integer():
        raise ValueError(cell)
    return int(cell) if cell.lstrip("+-").isdigit() else int(number)


def _time(cell: str) -> str:
    try:
        return format_time(float(cell))
    except ValueError:
        return format_time(parse_time(cell))


def _truth(cell: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if cell.lower() not in words:
        raise ValueError(cell)
    return words[cell.lower()]


def _names(cell: str) -> list[str]:
    return [name.strip() for name in cell.split(";") if name.strip()]


def _finite(cell: str) -> float:
    number = float(cell)
    if number - number != 0:
        raise ValueError(cell)  # JSON has no infinity, and msgspec would write null
    return number


_CONVERT: Final[dict[str, Callable[[str], object]]] = {
    "published_at": _time,
    "observed_at": _time,
    "audience": _count,
    "stance": _finite,
    "figures": _names,
    "retracted": _truth,
    **{f"engagement.{name}": _count for name in _COUNTS},
}
