"""From the tables of a file to those of the policy, and back: each dataclass has a struct that reads and writes it.

The tables are compiled classes, which the engine reads fast; msgspec checks what a file says, and names the key that is
wrong.
"""

from __future__ import annotations

import dataclasses
import difflib
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from schemas.errors import field_first

T = TypeVar("T")

_STRUCTS: Final[dict[type[Any], type[Struct]]] = {}
_TABLES: Final[dict[type[Struct], type[Any]]] = {}
"""The struct of each table, and the table of each struct."""


def decode(text: bytes, table: type[T]) -> T:
    """Return the table that `text` (TOML) says; msgspec's errors name the key that is wrong, or not known."""
    value: T = _value(msgspec.toml.decode(text, type=struct_of(table)))
    return value


def explained(error: msgspec.ValidationError, example: bytes) -> str:
    """Return what msgspec finds wrong, the key first; for an unknown one, what in `example` (TOML) is most like it."""
    text = field_first(str(error), first=1)
    key, _, wrong = text.partition(": ")
    if wrong != "there is no such key":
        return text
    *tables, name = key.split(".")
    node = msgspec.toml.decode(example)
    for table in tables:
        node = node.get(table.partition("[")[0], {}) if isinstance(node, dict) else {}
        if isinstance(node, list):
            node = node[0]
    near = difflib.get_close_matches(name, node, n=1)
    return f"{text}; did you mean {near[0]}?" if near else text


def to_builtins(table: Any, *, str_keys: bool = False) -> Any:
    """Return what a file would say: dictionaries, lists, and plain values."""
    return msgspec.to_builtins(_struct(table), str_keys=str_keys)


def encode(table: Any) -> bytes:
    """Return the same as JSON."""
    return msgspec.json.encode(_struct(table))


def struct_of(table: type[Any]) -> type[Struct]:
    """Return the struct that stands for `table`: its fields in their order, and no other."""
    return _STRUCTS.get(table) or _make_struct(table)


def _make_struct(table: type[Any]) -> type[Struct]:
    hints = get_type_hints(table)
    fields, keys = [], {}
    for each in dataclasses.fields(table):
        told = each.metadata
        fields.append((each.name, _hint(told.get("kind", hints[each.name]))))
        if told.get("key"):
            keys[each.name] = told["key"]
    made = msgspec.defstruct(table.__name__, fields, frozen=True, forbid_unknown_fields=True, rename=keys)
    _STRUCTS[table], _TABLES[made] = made, table
    return made


def _hint(kind: Any) -> Any:
    """The type with structs in the place of tables."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return struct_of(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return Annotated[(_hint(arguments[0]), *arguments[1:])]
    return origin[tuple(map(_hint, arguments))] if origin in (dict, tuple) else kind


def _value(stored: Any) -> Any:
    """The value with tables in the place of structs."""
    if isinstance(stored, Struct) and type(stored) in _TABLES:
        return _TABLES[type(stored)](*map(_value, msgspec.structs.astuple(stored)))
    if isinstance(stored, dict):
        return {key: _value(each) for key, each in stored.items()}
    return tuple(map(_value, stored)) if isinstance(stored, tuple) else stored


def _struct(value: Any) -> Any:
    """The value with structs in the place of tables."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return struct_of(type(value))(*[_struct(getattr(value, each.name)) for each in fields])
    if isinstance(value, dict):
        return {key: _struct(each) for key, each in value.items()}
    return tuple(map(_struct, value)) if isinstance(value, tuple) else value
