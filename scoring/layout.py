"""How a dataclass lies in a row: an array of its fields in their order, as a struct of msgspec would."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from copy import deepcopy
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct


class Layout:
    """The array that stands for a dataclass of two fields or more, each with a default.

    Fields may be added at the end only: a row that was written before is shorter, and gets their defaults. `composed`
    are the types that a compiler does not leave in the annotations: unions, and classes with parameters.
    """

    def __init__(self, kind: type[Any], composed: Mapping[str, Any]) -> None:
        self._kind = kind
        names = [each.name for each in dataclasses.fields(kind)]
        self._hints = {name: (get_type_hints(kind) | dict(composed))[name] for name in names}
        self._new = dict(zip(names, attrgetter(*names)(kind()), strict=True))
        self.array = attrgetter(*names)
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
        fields = [(field, hint, _default(self._new[field])) for field, hint in hints.items()]
        return msgspec.defstruct(name, fields, array_like=True, gc=False)

    def value(self, stored: Struct) -> Any:
        """Return the value that was stored."""
        return self._kind(*msgspec.structs.astuple(stored))


def _default(value: Any) -> Any:
    """What a field of a row has that is not in it; a value that may be changed, each row of its own."""
    plain = isinstance(value, str | float | int | None)
    return value if plain else msgspec.field(default_factory=lambda: deepcopy(value))
