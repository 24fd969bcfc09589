"""`python -m bench [FILE]`: what one core does with a recording, step by step, against a bare decode loop.

Without a file it takes the simulator's first hundred thousand observations.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from itertools import islice

from schemas.codec import decode_item, encode
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import load_policy
from scoring.rows import NoRows
from stream.files import read_records
from stream.simulator import Simulation
from stream.tables import encode_rows

OBSERVATIONS = 100_000
BATCH = 500
START = 1_609_459_200.0
"""2021-01-01, where the simulated story begins."""


def lines() -> list[bytes]:
    """The observations to work on, as they stand on the wire."""
    if len(sys.argv) > 1:
        return [record.value for record in islice(read_records(sys.argv[1]), OBSERVATIONS)]
    story = Simulation(seed=7, incidents=1000, start=START).observations()
    return [encode(item) for item in islice(story, OBSERVATIONS)]


def decode_only(values: Iterable[bytes]) -> None:
    """The floor: read each observation and forget it."""
    for value in values:
        decode_item(value)


def scored(*, conflate: bool, stored: bool) -> Callable[[Iterable[bytes]], None]:
    """The ledger, in batches; `stored` encodes events and rows as a worker does."""

    def run(values: Iterable[bytes]) -> None:
        ledger, now = Ledger(load_policy(), NoRows(), clock=Clock.STREAM, conflate=conflate), time.time()
        for offset, value in enumerate(values):
            ledger.apply_item(decode_item(value), offset, now)
            if offset % BATCH == BATCH - 1:
                changes = ledger.collect()
                if stored:
                    encode_rows(changes)
                    for output in changes.outputs:
                        encode(output.event)

    return run


def main() -> None:
    """Run each step on the same observations and print its speed and its share of the floor's."""
    values = lines()
    steps = {
        "decode only": decode_only,
        "ledger, one score a batch": scored(conflate=True, stored=False),
        "ledger, every score": scored(conflate=False, stored=False),
        "as a worker: conflated, encoded": scored(conflate=True, stored=True),
    }
    floor = 0.0
    print(f"{len(values):,} observations, batches of {BATCH}")
    print(f"{'step':34} {'items/CPU s':>12} {'of the floor':>12}")
    for name, run in steps.items():
        began = time.process_time()
        run(values)
        rate = len(values) / (time.process_time() - began)
        floor = floor or rate
        print(f"{name:34} {rate:12,.0f} {rate / floor:12.1%}")


if __name__ == "__main__":
    main()
