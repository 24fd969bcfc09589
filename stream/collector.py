"""Python's search for unreachable cycles: seldom, where records make objects by the thousand and none is in a cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECT_AFTER: Final = 100_000
"""So many new objects bring a search about. A window of the worker holds tens of thousands that live until it is safe,
none of them in a cycle: at the default of 700, searching them took two fifths of the processor. A replay keeps every
row in memory, and would search them all again and again."""


def seldom_collect() -> None:
    """Let this process search for cycles only after `COLLECT_AFTER` new objects."""
    gc.set_threshold(COLLECT_AFTER)


@contextmanager
def unsearched() -> Iterator[None]:
    """Never search what is made within, for none of it is in a cycle: what the ledger makes dies with its last user.

    A search through a hundred thousand of its objects is a pause of 20 to 100 ms, and finds nothing. What is younger
    than the last time is searched before: mostly what the network left behind. What lives at the end is frozen, that
    too which others have made meanwhile; of that a cycle may be left for ever, some hundred objects for a rebalance.
    """
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
