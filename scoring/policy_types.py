"""What a key of the policy may hold, as the metadata of its field: numbers within their bounds, and what is composed.

A compiler leaves nothing in an annotation that is more than a class; so the type that a key is checked against is told
beside it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

OTHER: Final = "other"
"""The platform whose constants serve for every platform that the policy does not name."""

Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Points = Annotated[float, Meta(ge=0.0, le=100.0)]
Share = Annotated[float, Meta(ge=0.0, lt=1.0)]
Threshold = Annotated[float, Meta(gt=0.0, lt=1.0)]
"""A score from which on something is told: at 0 everything would be, at 1 nothing."""


def holds(kind: Any, key: str | None = None) -> dict[str, Any]:
    """Return the metadata of a field that holds a `kind`, under another `key` in the file where one is given."""
    return {"kind": kind, "key": key}


POSITIVE: Final = holds(Positive)
NOT_NEGATIVE: Final = holds(NotNegative)
POINTS: Final = holds(Points)
SHARE: Final = holds(Share)
