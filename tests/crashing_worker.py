"""A worker that kills itself at one step of a batch commit: `python -m tests.crashing_worker STEP NTH [KIND]`.

Events and item rows do not wait for each other: it dies with either alone.

The product's worker in everything else; only the commit's class is another.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sized
from typing import NoReturn

from schemas.cloudevents import Output
from schemas.topics import INCIDENT_MERGES
from stream.settings import load_settings
from stream.topics import INCIDENTS_CHANGELOG, ITEMS_CHANGELOG
from stream.worker.commit import Batch, BatchCommit, Outlet
from stream.worker.run import run_worker
from stream.worker.tables import EncodedRows, PartitionRows

STEPS = (
    "before outputs",
    "after outputs",
    "item rows alone",
    "between item rows",
    "after item rows",
    "after the next window's events",
    "after incident rows",
    "after tables",
    "after done",
)

KINDS: dict[str, Callable[[Batch], bool]] = {
    "items": lambda batch: bool(batch.rows.items),
    "merges": lambda batch: any(each.topic == INCIDENT_MERGES for each in batch.outputs),
    "forwards": lambda batch: any("/forwarded/" in each.id for each in batch.outputs),
}
"""Which batches are counted: those with rows of items, with a merge, with observations sent on to another incident."""


def die() -> NoReturn:
    """End as a machine's failure would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class HoldingCommit(BatchCommit):
    """A commit that can hold incident rows back until the events of the next window have left, and dies then."""

    holds = False

    async def hold(self, told: Callable[[], None], *, holds: bool) -> None:
        """Let the next window close, and come back only where nothing is held."""
        self.holds = holds
        if holds:
            told()
            await asyncio.Event().wait()

    async def tell(self, outputs: list[Output]) -> None:
        """Send the events; they are the last where rows are held."""
        await super().tell(outputs)
        if self.holds:
            die()


def crashing(step: str, nth: int, kind: str = "items") -> type[BatchCommit]:
    """Return a commit that dies at `step` of the `nth` batch of a kind, or of a later one if that has no such step."""
    reached, chosen = 0, KINDS[kind]

    def reach(place: str) -> None:
        if step == place:
            die()

    class CrashingCommit(HoldingCommit):
        def __init__(self, outlet: Outlet, partition: int, stored: PartitionRows) -> None:
            super().__init__(outlet, partition, stored)

        async def run(self, batch: Batch, told: Callable[[], None]) -> None:
            nonlocal reached
            reached += chosen(batch)
            if reached < nth or not chosen(batch):
                return await super().run(batch, told)
            reach("before outputs")
            if step == "between outputs":
                await self.outlet.send_outputs(self.partition, batch.outputs[: _half(batch.outputs)])
                die()
            if step == "item rows alone":
                await self.outlet.send_rows(ITEMS_CHANGELOG, self.partition, batch.rows.items)
                die()
            await self.outlet.send_outputs(self.partition, batch.outputs)
            reach("after outputs")
            if step == "between item rows":
                rows = dict(list(batch.rows.items.items())[: _half(batch.rows.items)])
                await self.outlet.send_rows(ITEMS_CHANGELOG, self.partition, rows)
                die()
            items = await self.outlet.send_rows(ITEMS_CHANGELOG, self.partition, batch.rows.items)
            reach("after item rows")
            await self.hold(told, holds=step == "after the next window's events")
            incidents = await self.outlet.send_rows(INCIDENTS_CHANGELOG, self.partition, batch.rows.incidents)
            reach("after incident rows")
            self.stored.arrived(
                EncodedRows(batch.rows.items, batch.rows.incidents), {"items": items, "incidents": incidents}
            )
            reach("after tables")
            batch.done()
            die()

    return CrashingCommit


def _half(many: Sized) -> int:
    return (len(many) + 1) // 2


if __name__ == "__main__":
    environ = {name: value for name, value in os.environ.items() if name.startswith("DECIBEL_")}
    run_worker(load_settings(None, environ), "info", crashing(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
