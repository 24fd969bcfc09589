"""How a dataclass lies in a row: an array of its fields in their order, as a struct of msgspec would."""

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

    def __init__(self, kind: type[Any], composed: Mapping[str, Any]) -> None:
        fields, hints = dataclasses.fields(kind), get_type_hints(kind) | dict(composed)
        self._kind = kind
        self.array = attrgetter(*[each.name for each in fields])
        """Gives what is stored of a value."""
        self.stored: type[Struct] = msgspec.defstruct(
            f"{kind.__name__}Row",
            [(each.name, hints[each.name], _default(each)) for each in fields],
            array_like=True,
        )
        """What a decoder is told to expect."""

    def value(self, stored: Struct) -> Any:
        """Return the value that was stored."""
        return self._kind(*msgspec.structs.astuple(stored))


def _default(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.NODEFAULT if each.default is dataclasses.MISSING else each.default
