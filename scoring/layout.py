"""How a dataclass lies in a row: an array of its fields in their order, as a struct of msgspec would."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
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
        self._kind = kind
        self._fields, self._hints = dataclasses.fields(kind), get_type_hints(kind) | dict(composed)
        self.array = attrgetter(*[each.name for each in self._fields])
        """Gives what is stored of a value."""
        self.stored = self._struct(f"{kind.__name__}Row", self._hints)
        """What a decoder is told to expect."""

    def glance(self, wanted: Collection[str]) -> type[Struct]:
        """Return what a decoder is told to expect where only some fields are wanted.

        What is more than a number it leaves unread; a number is read as soon as passed over.
        """
        numbers = (float, int, bool)
        hints = {
            name: hint if name in wanted or hint in numbers else msgspec.Raw
            for name, hint in self._hints.items()
        }
        return self._struct(f"{self._kind.__name__}Glance", hints)

    def _struct(self, name: str, hints: Mapping[str, Any]) -> type[Struct]:
        fields = [(each.name, hints[each.name], _default(each)) for each in self._fields]
        return msgspec.defstruct(name, fields, array_like=True, gc=False)

    def value(self, stored: Struct) -> Any:
        """Return the value that was stored."""
        return self._kind(*msgspec.structs.astuple(stored))


def _default(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.NODEFAULT if each.default is dataclasses.MISSING else each.default
