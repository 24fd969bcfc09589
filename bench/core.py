"""`python -m bench.core [FILE]`: what one core does with a recording, step by step, against a bare decode loop.

Without a file it takes frontpage-2021 beside the tree, or where that is missing the simulator's story. The last rows
are the command `decibel replay` with the core compiled (`make compiled`), start and reading of the file included; those
before run from the sources. CPU seconds count, user and
system, so a machine that is busy otherwise hardly matters.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from bench import compiled
from bench.throughput.loads import RECORDING
from schemas.codec import decode_item, encode
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import load_policy
from scoring.rows import NoRows
from stream.files import read_records
from stream.simulator import Simulation
from stream.worker.tables import encode_rows

OBSERVATIONS: Final = 500_000
"""Most observations: all of frontpage-2021."""

BATCH: Final = 500
START: Final = 1_609_459_200.0
"""2021-01-01, where the simulated story begins."""

REPLAY_S: Final = 600


class Step(NamedTuple):
    """What was done with so many observations, and what it took."""

    name: str
    observations: int
    cpu_s: float

    @property
    def rate(self) -> float:
        """Observations per second of CPU."""
        return self.observations / self.cpu_s


def observations(file: Path | None, most: int) -> list[bytes]:
    """Return the observations to work on, as they stand on the wire."""
    if file is not None:
        return [record.value for record in islice(read_records(str(file)), most)]
    story = Simulation(seed=7, incidents=1000, start=START).observations()
    return [encode(item) for item in islice(story, most)]


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


def steps(values: Sequence[bytes]) -> Iterator[Step]:
    """Yield each step as it is done, the floor first."""
    runs = {
        "decode only": decode_only,
        "ledger, one score a batch": scored(conflate=True, stored=False),
        "ledger, every score": scored(conflate=False, stored=False),
        "as a worker: conflated, encoded": scored(conflate=True, stored=True),
    }
    for name, run in runs.items():
        began = time.process_time()
        run(values)
        yield Step(name, len(values), time.process_time() - began)


def replays(values: Sequence[bytes]) -> Iterator[Step]:
    """Yield what the command takes over these observations, without and with writing every event."""
    with tempfile.TemporaryDirectory(prefix="decibel-bench-") as folder:
        file = Path(folder) / "items.jsonl"
        file.write_bytes(b"\n".join(values) + b"\n")
        for name, options in (
            ("decibel replay", []),
            ("decibel replay --out DIR", ["--out", f"{folder}/out"]),
        ):
            command = [compiled.decibel(), "replay", str(file), *options]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            environ = os.environ | compiled.environ()
            subprocess.run(command, check=True, capture_output=True, timeout=REPLAY_S, env=environ)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            yield Step(name, len(values), took)


def main(arguments: Sequence[str] | None = None) -> list[Step]:
    """Run each step on the same observations; print and return its speed and its share of the floor's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=RECORDING if RECORDING.is_file() else None)
    parser.add_argument("--observations", type=int, default=OBSERVATIONS, help="At most so many.")
    given = parser.parse_args(arguments)
    values = observations(given.file, given.observations)
    print(f"{len(values):,} observations of {given.file or 'the simulator'}, batches of {BATCH}, one core")
    print(f"{'step':34} {'items/CPU s':>12} {'of the floor':>12}")
    done: list[Step] = []
    for each in (steps, replays):
        for step in each(values):
            done.append(step)
            print(f"{step.name:34} {step.rate:12,.0f} {step.rate / done[0].rate:12.1%}", flush=True)
    return done


if __name__ == "__main__":
    main()
