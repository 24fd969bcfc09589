"""What the tables of the policy are made of: a base that refuses unknown keys, and numbers within their bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Points = Annotated[float, Meta(ge=0.0, le=100.0)]
Share = Annotated[float, Meta(ge=0.0, lt=1.0)]
Threshold = Annotated[float, Meta(gt=0.0, lt=1.0)]
"""A score from which on something is told: at 0 everything would be, at 1 nothing."""


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: an unknown key is an error, since it is most likely a misspelt one."""
