"""A worker that kills itself at one step of a batch commit: `python -m tests.crashing_worker STEP NTH`.

The product's worker in everything else; only the commit's class is another.
"""

import os
import signal
import sys
from typing import NoReturn

from stream.commit import Batch, BatchCommit, Outlet
from stream.settings import load_settings
from stream.tables import EncodedRows, PartitionRows
from stream.topics import ITEMS_CHANGELOG
from stream.worker import run_worker

STEPS = (
    "before outputs",
    "after outputs",
    "between item rows",
    "after item rows",
    "after incident rows",
    "after tables",
    "after done",
)


def die() -> NoReturn:
    """End as a machine's failure would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def crashing(step: str, nth: int) -> type[BatchCommit]:
    """Return a commit that dies at `step` of the `nth` batch that has rows of items."""
    reached = 0

    class CrashingCommit(BatchCommit):
        def __init__(self, outlet: Outlet, partition: int, stored: PartitionRows) -> None:
            super().__init__(outlet, partition, stored)

        async def run(self, batch: Batch) -> None:
            nonlocal reached
            reached += bool(batch.rows.items)
            if reached != nth or not batch.rows.items:
                return await super().run(batch)
            if step == "before outputs":
                die()
            await self.outputs(batch)
            if step == "after outputs":
                die()
            if step == "between item rows":
                half = dict(list(batch.rows.items.items())[: (len(batch.rows.items) + 1) // 2])
                await self.outlet.send_rows(ITEMS_CHANGELOG, self.partition, half)
                die()
            items = await self.items(batch)
            if step == "after item rows":
                die()
            incidents = await self.incidents(batch)
            if step == "after incident rows":
                die()
            self.stored.arrived(
                EncodedRows(batch.rows.items, batch.rows.incidents), {"items": items, "incidents": incidents}
            )
            if step == "after tables":
                die()
            batch.done()
            die()

    return CrashingCommit


if __name__ == "__main__":
    environ = {name: value for name, value in os.environ.items() if name.startswith("DECIBEL_")}
    run_worker(load_settings(None, environ), "info", crashing(sys.argv[1], int(sys.argv[2])))
