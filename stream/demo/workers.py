"""The workers of the demo: processes of their own that are started, awaited, watched and stopped."""

from __future__ import annotations

import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from stream.demo.children import Child, await_all

_ANSWER_S: Final = 2.0
_ADDRESS: Final = re.compile(r"metrics at (http://\S+)/metrics")
_DEADLINES: Final = re.compile(r"^decibel_deadlines_total (\S+)$", re.MULTILINE)


class Worker(Child):
    """One `decibel worker`."""

    def __init__(self, number: int, log: Path, environ: Mapping[str, str]) -> None:
        super().__init__(f"worker {number}", "worker", log, environ)

    def ready(self) -> bool:
        """Say whether it scores."""
        return self._ask("/readyz") is not None

    def deadlines(self) -> int | None:
        """Return how many deadlines came due, or None if it does not tell."""
        found = _DEADLINES.search(self._ask("/metrics") or "")
        return int(float(found[1])) if found else None

    def _ask(self, page: str) -> str | None:
        """Return one of its own pages, or None if it does not answer or the answer is no."""
        address = self.said(_ADDRESS)
        if address is None:
            return None
        try:
            with urllib.request.urlopen(address + page, timeout=_ANSWER_S) as answer:  # noqa: S310  (our own)
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
        """Wait until all score; False if it is `given_up` before. Raises ChildDiedError, DecibelError."""
        return await_all(
            lambda: all(worker.ready() for worker in self._workers),
            self.check,
            given_up,
            "the workers do not score",
        )

    def check(self) -> None:
        """Raise ChildDiedError if one has ended."""
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
