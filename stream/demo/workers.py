"""The workers of the demo: processes of their own that are started, awaited, watched and stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import DecibelError
from stream.cli.context import plain

READY_S: Final = 60.0
"""How long a worker may take to score; it takes three seconds where nothing else runs."""
_LOOK_S: Final = 0.05
"""Time between two questions whether a worker is ready; it gives no sign of its own."""
_ANSWER_S: Final = 2.0
_LAST_LINES: Final = 20
"""Lines shown of the log of a worker that died: a Python traceback and what came before it."""

_ROOT: Final = Path(__file__).parents[2]
_ADDRESS: Final = re.compile(r"metrics at (http://\S+)/metrics")
_DEADLINES: Final = re.compile(r"^decibel_deadlines_total (\S+)$", re.MULTILINE)


class WorkerDiedError(DecibelError):
    """A worker of the demo ended although nobody asked it to; the message has the end of its log."""


class Worker:
    """One `decibel worker` in a process group of its own, so that Ctrl-C in the terminal is not for it."""

    def __init__(self, number: int, log: Path, environ: Mapping[str, str]) -> None:
        self._name, self._log = f"worker {number}", log
        paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
        with log.open("wb") as out:
            # -P: a file `stream.py` where the user happens to be is none of ours.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "stream.demo.child", str(os.getpid())],
                env={**environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def check(self) -> None:
        """Raise WorkerDiedError if it has ended."""
        code = self._process.poll()
        if code is None:
            return
        last = "\n".join(plain(line) for line in self._said().splitlines()[-_LAST_LINES:])
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise WorkerDiedError(f"{self._name} ended {how}; the end of its log:\n{last or '(empty)'}")

    def ready(self) -> bool:
        """Say whether it scores."""
        return self._ask("/readyz") is not None

    def deadlines(self) -> int | None:
        """Return how many deadlines came due, or None if it does not tell."""
        found = _DEADLINES.search(self._ask("/metrics") or "")
        return int(float(found[1])) if found else None

    def end(self) -> None:
        """End it at once: nothing of a demo is kept, and to end in order takes a worker two seconds."""
        self._process.kill()
        self._process.wait()

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _ask(self, page: str) -> str | None:
        """Return one of its own pages, or None if it does not answer or the answer is no."""
        found = _ADDRESS.search(self._said())
        if found is None:
            return None
        try:
            with urllib.request.urlopen(found[1] + page, timeout=_ANSWER_S) as answer:  # noqa: S310  (our own)
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            return None


class Workers:
    """So many workers, from entering to leaving; their logs are kept as long."""

    def __init__(self, count: int, environ: Mapping[str, str]) -> None:
        self._count, self._environ = count, environ
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="decibel-demo-")
        try:
            for number in range(1, self._count + 1):
                log = Path(self._folder.name, f"worker-{number}.log")
                self._workers.append(Worker(number, log, self._environ))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def until_ready(self, given_up: Callable[[], bool]) -> bool:
        """Wait until all score; False if it is `given_up` before. Raises WorkerDiedError, DecibelError."""
        deadline = time.monotonic() + READY_S
        while not all(worker.ready() for worker in self._workers):
            if given_up():
                return False
            self.check()
            if time.monotonic() > deadline:
                raise DecibelError(f"the workers do not score after {READY_S:g} s; is this machine busy?")
            time.sleep(_LOOK_S)
        return True

    def check(self) -> None:
        """Raise WorkerDiedError if one has ended."""
        for worker in self._workers:
            worker.check()

    def deadlines(self) -> int | None:
        """Return how many deadlines came due in all, or None if a worker does not tell."""
        counts = [worker.deadlines() for worker in self._workers]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def _stop(self) -> None:
        for worker in self._workers:
            worker.end()
        self._folder.cleanup()
