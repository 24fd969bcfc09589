"""What an incident has on one platform."""

from __future__ import annotations

from msgspec import Struct


class PlatformSum(Struct, array_like=True, gc=False):
    """What is counted of one platform: items; interactions in thousandths; people; interactions without an audience."""

    items: int = 0
    interactions: int = 0
    audience: int = 0
    without_audience: int = 0
