"""Processes that the demo starts beside itself: each in a group of its own, with a log, watched and ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from schemas.errors import DecibelError
from stream.cli.context import plain

READY_S: Final = 60.0
"""How long a child may take until it does its work; it takes three seconds where nothing else runs."""
_LOOK_S: Final = 0.05
"""Time between two questions whether a child is ready; it gives no sign of its own."""
_LAST_LINES: Final = 20
"""Lines shown of the log of a child that died: a Python traceback and what came before it."""

_ROOT: Final = Path(__file__).parents[2]


class ChildDiedError(DecibelError):
    """A child of the demo ended although nobody asked it to; the message has the end of its log."""


class Child:
    """One process that runs `part` of the demo (see `stream.demo.child`); Ctrl-C in the terminal is not for it."""

    def __init__(self, name: str, part: str, log: Path, environ: Mapping[str, str]) -> None:
        self.name, self._log = name, log
        paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
        with log.open("wb") as out:
            # -P: a file `stream.py` where the user happens to be is none of ours.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "stream.demo.child", str(os.getpid()), part],
                env={**environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def check(self) -> None:
        """Raise ChildDiedError if it has ended."""
        code = self._process.poll()
        if code is None:
            return
        last = "\n".join(plain(line) for line in self._log_text().splitlines()[-_LAST_LINES:])
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise ChildDiedError(f"{self.name} ended {how}; the end of its log:\n{last or '(empty)'}")

    def end(self) -> None:
        """End it at once: nothing of a demo is kept, and to end in order takes it seconds."""
        self._process.kill()
        self._process.wait()

    def said(self, pattern: re.Pattern[str]) -> str | None:
        """Return the first group of what its log says first that fits `pattern`, or None."""
        found = pattern.search(self._log_text())
        return None if found is None else found[1]

    def _log_text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


def await_all(
    ready: Callable[[], bool], check: Callable[[], None], given_up: Callable[[], bool], what: str
) -> bool:
    """Wait until `ready`; False if it is `given_up` before.

    Raises what `check` raises, and DecibelError where it takes longer than READY_S.
    """
    deadline = time.monotonic() + READY_S
    while not ready():
        if given_up():
            return False
        check()
        if time.monotonic() > deadline:
            raise DecibelError(f"{what} after {READY_S:g} s; is this machine busy?")
        time.sleep(_LOOK_S)
    return True
