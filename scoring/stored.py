"""Values that lie in a row as the array of their fields: compiled classes, which no library knows how to write."""

from __future__ import annotations

from typing import Any, Self

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
class Stored:
    """A value that is its fields. What is compiled reads them without a look-up; rows hold what `stored` gives."""

    __slots__ = ()

    def stored(self) -> tuple[object, ...]:
        """Return the fields in the order in which a row has them; new ones come at the end."""
        raise NotImplementedError

    @classmethod
    def read(cls, stored: list[Any]) -> Self:
        """Return the value of these fields, as a decoder gives them: arrays as lists."""
        return cls(*stored)

    def __eq__(self, other: object) -> bool:
        """Whether both are of a kind and have the same fields."""
        return isinstance(other, Stored) and type(self) is type(other) and self.stored() == other.stored()

    def __hash__(self) -> int:
        """Return what equal values have in common."""
        return hash(self.stored())

    def __repr__(self) -> str:
        """Return kind and fields."""
        return f"{type(self).__name__}{self.stored()!r}"
