"""One replay in several processes: the partitions are shared out among them, and what comes out is that of one.

A partition depends on its own records alone (0004), unless incidents are merged. So each process reads the files
itself, looks at the key of every record, applies those of its partitions, and hands over lines ready to be written,
each with its place in the order of the records. Whoever started them puts the lines in that order again. A record
whose incident cannot be read, so that it lies in no partition, is the first process' own.

Processes are forked: a few milliseconds each, where a fresh interpreter would import for half a second. They send
through a pipe, which makes a process wait that is too far ahead; so memory is bounded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from operator import itemgetter
from typing import Any, Final

from schemas.codec import decode_profile
from schemas.errors import DecibelError, RecordError
from schemas.noise_index import IndexShare
from stream.collector import seldom_collect
from stream.files import FileRecord
from stream.parent import die_with
from stream.replay.reached import Reached, add_up
from stream.replay.share import Part, Plan, Share

AHEAD: Final = 8
"""Parts that one process may be ahead of the slowest: incidents come in bursts, and so does the work of a partition."""

PATIENCE_S: Final = 5.0
"""How long a process that was told to end may take before it is killed."""


def merging(profiles: list[FileRecord]) -> str | None:
    """Return where the profiles merge an incident, and which into which; None: the partitions are independent."""
    for record in profiles:
        try:
            profile = decode_profile(record.value)
        except RecordError:
            continue
        if profile.merged_into is not None:
            return f"{record.place} merges {profile.incident_id!r} into {profile.merged_into!r}"
    return None


class Sharing:
    """The processes of one replay, to be had from `sharing`, and what they hand over."""

    def __init__(self, plan: Plan, pipes: list[Connection], processes: list[ForkProcess]) -> None:
        self._plan, self._pipes, self._processes = plan, pipes, processes

    def parts(self) -> Iterator[Part]:
        """Yield all that comes, in the order of the records, the index at the end left out; DecibelError ends it."""
        waiting: list[deque[Part]] = [deque() for _ in self._pipes]
        going, times = dict(enumerate(self._pipes)), list[float]()
        while len(times) < len(self._pipes):
            ready = wait([pipe for number, pipe in going.items() if len(waiting[number]) < AHEAD])
            for number in [number for number, pipe in going.items() if pipe in ready]:
                part = self._received(number)
                waiting[number].append(part)
                if part.time is not None or part.error is not None:
                    del going[
                        number
                    ]  # what it does next, ending perhaps, must not be heard before its last part
            while all(waiting):
                parts = [each.popleft() for each in waiting]
                yield _merged(parts)
                for part in parts:
                    if part.error is not None:
                        raise DecibelError(part.error)
                times += [part.time for part in parts if part.time is not None]
        self._time = max(times)

    def reached(self, most: int) -> tuple[Reached, list[IndexShare]]:
        """After all parts: what the replay has come to, with the `most` loudest, and the shares in the index."""
        for pipe in self._pipes:
            pipe.send((most, self._time))
        ends = [self._received(number) for number in range(len(self._pipes))]
        shares = sorted(chain.from_iterable(shares for _, shares in ends), key=lambda share: share.partition)
        return add_up((each for each, _ in ends), most, self._plan.policy), shares

    def _received(self, number: int) -> Any:
        try:
            return self._pipes[number].recv()
        except (EOFError, OSError):
            process = self._processes[number]
            process.join(PATIENCE_S)
            raise DecibelError(
                f"process {number + 1} of --jobs {len(self._processes)} has ended before its work was done (exit "
                f"code {process.exitcode}); what is written is not whole. Try again, or with --jobs 1"
            ) from None


@contextmanager
def sharing(plan: Plan, jobs: int) -> Iterator[Sharing]:
    """Start the processes; however the block is left, they end with it."""
    context = multiprocessing.get_context("fork")
    pipes: list[Connection] = []
    processes: list[ForkProcess] = []
    try:
        for number in range(jobs):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_replay_share, args=(plan, number, jobs, theirs, os.getpid()), daemon=True
            )
            pipes.append(ours)
            process.start()
            processes.append(process)
            theirs.close()  # before the next process is made: it would keep this end open, and nobody see it close
        yield Sharing(plan, pipes, processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in pipes:
            pipe.close()


def _merged(parts: list[Part]) -> Part:
    """The same part of all processes as one."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    lines = sorted(chain.from_iterable(part.lines for part in parts), key=itemgetter(0))
    letters = sorted(chain.from_iterable(part.letters for part in parts), key=itemgetter(0))
    return Part(lines, letters, counts, parts[0].reading)


# -- in each process ------------------------------------------------------------------------------------------


def _replay_share(plan: Plan, number: int, jobs: int, pipe: Connection, parent: int) -> None:
    """Replay what is `number`'s of so many jobs, and send it, part by part, then what it came to."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C goes to all; the one that started us ends us, and so:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    seldom_collect()
    share = Share(plan, number, jobs)
    try:
        for part in share.parts():
            pipe.send(part)
    except DecibelError as error:
        pipe.send(share.gathered()._replace(error=str(error)))
        return
    most, at = pipe.recv()
    pipe.send((share.run.reached(most, at), share.index_shares()))
