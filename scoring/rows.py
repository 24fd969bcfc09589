"""Where the ledger finds the rows it does not hold in memory: a narrow port, and the stand-in that holds everything."""

from __future__ import annotations

from collections.abc import Iterator
from operator import methodcaller
from typing import Any, Final, Protocol, get_type_hints

import msgspec

from schemas.words import Category, Tier
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.layout import Layout
from scoring.platform_sum import PlatformSum
from scoring.stored import Stored

_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=methodcaller("stored"))
COMPOSED: Final = {
    "platforms": dict[str, PlatformSum],
    "figures": dict[str, int],
    "counts": list[float],
    "impact": float | None,
    "parties": dict[str, Tier],
    "holds_since": dict[int, float],
    "merged_into": str | None,
}
"""Types of an incident's fields that are more than a class."""


def _read(kind: type[Stored], stored: list[Any]) -> Stored:
    return kind.read(stored)


_LAYOUT: Final = Layout(Incident, COMPOSED)
_INCIDENT: Final = msgspec.msgpack.Decoder(_LAYOUT.stored, dec_hook=_read)
_FIELDS: Final = msgspec.msgpack.Decoder()


class Glance(Protocol):
    """What recovery wants of the row of an incident; see `Incident`."""

    as_of: float
    last_seen: float
    category: Category
    composite: float
    averages_at: float
    state_since: float
    long_average: float
    detected_at: float
    merged_into: str | None
    due: float
    due_by: int


_GLANCE: Final = msgspec.msgpack.Decoder(_LAYOUT.glance(get_type_hints(Glance)))


class Rows(Protocol):
    """The stored rows of one partition."""

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident, or None."""

    def item(self, incident_id: str, item_id: str) -> ItemRow | None:
        """Return the row of an item, or None."""

    def items(self, incident_id: str) -> Iterator[tuple[str, ItemRow]]:
        """Yield every item of an incident with its row."""

    def glances(self) -> Iterator[tuple[str, Glance]]:
        """Yield every incident with what recovery wants of its row."""


class NoRows:
    """Nothing is stored yet: for a ledger that keeps all it has seen in memory, as `replay` does."""

    def incident(self, incident_id: str) -> Incident | None:
        """Return None."""
        return None

    def item(self, incident_id: str, item_id: str) -> ItemRow | None:
        """Return None."""
        return None

    def items(self, incident_id: str) -> Iterator[tuple[str, ItemRow]]:
        """Yield nothing."""
        return iter(())

    def glances(self) -> Iterator[tuple[str, Glance]]:
        """Yield nothing."""
        return iter(())


def encode_row(row: Incident | ItemRow) -> bytes:
    """Return the row as it is stored: MessagePack, fields by position, so fields may only be added at the end."""
    return _ENCODER.encode(_LAYOUT.array(row) if isinstance(row, Incident) else row.stored())


def decode_incident(value: bytes) -> Incident:
    """Return the incident row in `value`."""
    incident: Incident = _LAYOUT.value(_INCIDENT.decode(value))
    return incident


def glance(value: bytes) -> Glance:
    """Return what recovery wants of the incident row in `value`."""
    seen: Glance = _GLANCE.decode(value)  # type: ignore[assignment]  # a struct made of the layout
    return seen


def decode_item_row(value: bytes) -> ItemRow:
    """Return the item row in `value`."""
    return ItemRow.read(_FIELDS.decode(value))
