"""Python's search for unreachable cycles: seldom, where records make objects by the thousand and none is in a cycle."""

from __future__ import annotations

import gc
from typing import Final

COLLECT_AFTER: Final = 100_000
"""So many new objects bring a search about. A window of the worker holds tens of thousands that live until it is safe,
none of them in a cycle: at the default of 700, searching them took two fifths of the processor. A replay keeps every
row in memory, and would search them all again and again."""


def seldom_collect() -> None:
    """Let this process search for cycles only after `COLLECT_AFTER` new objects."""
    gc.set_threshold(COLLECT_AFTER)
