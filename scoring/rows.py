"""Where the ledger finds the rows it does not hold in memory: a narrow port, and the stand-in that holds everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from schemas.words import Tier
from scoring.incident import Incident
from scoring.item import ItemRow
from scoring.layout import Layout
from scoring.platform_sum import PlatformSum

_ENCODER: Final = msgspec.msgpack.Encoder()
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

_LAYOUT: Final = Layout(Incident, COMPOSED)
_INCIDENT: Final = msgspec.msgpack.Decoder(_LAYOUT.stored)
_ITEM: Final = msgspec.msgpack.Decoder(ItemRow)


class Rows(Protocol):
    """The stored rows of one partition."""

    def incident(self, incident_id: str) -> Incident | None:
        """Return the row of an incident, or None."""

    def item(self, incident_id: str, item_id: str) -> ItemRow | None:
        """Return the row of an item, or None."""

    def items(self, incident_id: str) -> Iterator[tuple[str, ItemRow]]:
        """Yield every item of an incident with its row."""

    def incidents(self) -> Iterator[tuple[str, Incident]]:
        """Yield every incident with its row."""


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

    def incidents(self) -> Iterator[tuple[str, Incident]]:
        """Yield nothing."""
        return iter(())


def encode_row(row: Incident | ItemRow) -> bytes:
    """Return the row as it is stored: MessagePack, fields by position, so fields may only be added at the end."""
    return _ENCODER.encode(_LAYOUT.array(row) if isinstance(row, Incident) else row)


def decode_incident(value: bytes) -> Incident:
    """Return the incident row in `value`."""
    incident: Incident = _LAYOUT.value(_INCIDENT.decode(value))
    return incident


def decode_item_row(value: bytes) -> ItemRow:
    """Return the item row in `value`."""
    return _ITEM.decode(value)
