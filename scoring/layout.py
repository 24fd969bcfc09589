"""How a dataclass lies in a row: an array of its fields in their order, and so every dataclass within it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct


class Layout:
    """The array that stands for a dataclass of two fields or more.

    Fields may be added at the end only: a row that was written before is shorter, and gets their defaults. `composed`
    are the types that a compiler does not leave in the annotations: unions, and classes with parameters.
    """

    def __init__(self, kind: type[Any], composed: Mapping[str, Any] | None = None) -> None:
        fields, hints = dataclasses.fields(kind), get_type_hints(kind) | dict(composed or {})
        self._kind = kind
        self._values = attrgetter(*[each.name for each in fields])
        self._within = {
            place: Layout(hints[each.name])
            for place, each in enumerate(fields)
            if dataclasses.is_dataclass(hints[each.name])
        }
        self.stored: type[Struct] = msgspec.defstruct(
            f"{kind.__name__}Row",
            [
                (each.name, hints[each.name], _default(each))
                if place not in self._within
                else (each.name, (row := self._within[place].stored), msgspec.field(default_factory=row))
                for place, each in enumerate(fields)
            ],
            array_like=True,
        )
        """What a decoder is told to expect."""

    def array(self, value: Any) -> tuple[Any, ...]:
        """Return what is stored of `value`."""
        values: tuple[Any, ...] = self._values(value)
        for place, layout in self._within.items():
            values = (*values[:place], layout.array(values[place]), *values[place + 1 :])
        return values

    def value(self, stored: Struct) -> Any:
        """Return the value that was stored."""
        values = list(msgspec.structs.astuple(stored))
        for place, layout in self._within.items():
            values[place] = layout.value(values[place])
        return self._kind(*values)


def _default(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.NODEFAULT if each.default is dataclasses.MISSING else each.default
