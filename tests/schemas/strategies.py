"""Hypothesis strategies for every event, read off the structs: a new field is tested without a line here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_INT64 = 2**63 - 1
_LONG = 40  # texts may be long on the wire; what matters is their alphabet


def events(struct: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Any event that `struct` allows."""
    return _of(inspect.type_info(struct))


def _of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    return _STRATEGY_OF[type(kind)](kind)


def _text(kind: inspect.StrType) -> st.SearchStrategy[str]:
    return st.text(min_size=kind.min_length or 0, max_size=min(kind.max_length or _LONG, _LONG))


def _integer(kind: inspect.IntType) -> st.SearchStrategy[int]:
    return st.integers(-_INT64 if kind.ge is None else kind.ge, _INT64 if kind.le is None else kind.le)


_STRATEGY_OF: dict[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.Metadata: lambda kind: _of(kind.type),
    inspect.StructType: lambda kind: st.builds(
        kind.cls, **{each.name: _of(each.type) for each in kind.fields}
    ),
    inspect.EnumType: lambda kind: st.sampled_from(list(kind.cls)),
    inspect.UnionType: lambda kind: st.one_of(*map(_of, kind.types)),
    inspect.StrType: _text,
    inspect.IntType: _integer,
    inspect.FloatType: lambda kind: st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.BytesType: lambda _: st.binary(max_size=_LONG),
    inspect.DateTimeType: lambda _: st.datetimes(timezones=st.just(UTC)),
    inspect.NoneType: lambda _: st.none(),
    inspect.VarTupleType: lambda kind: st.lists(_of(kind.item_type), max_size=4).map(tuple),
    inspect.DictType: lambda kind: st.dictionaries(_of(kind.key_type), _of(kind.value_type), max_size=4),
}
