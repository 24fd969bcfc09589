"""A process that does not outlive the one that started it: `python -m stream.demo.child PARENT worker|pages`.

Ctrl-C and SIGTERM are the parent's to pass on. Where it is killed, nobody is left to do so, and the worker
would look for its broker for ever; so Linux is asked to kill it too. Elsewhere such a process stays.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>: the signal that a process gets when its parent dies."""


def die_with(parent: int) -> None:
    """Let this process be killed when its parent (a process id) dies; end it if that has happened already."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Run a part of the demo by the settings in the environment, bound to the process that is the first argument."""
    die_with(int(sys.argv[1]))
    # First the bond, then what takes time to import.
    if sys.argv[2] == "pages":
        from stream.demo.pages import main as pages  # noqa: PLC0415

        pages()
    else:
        from stream.cli import main as decibel  # noqa: PLC0415

        decibel(["worker"], prog_name="decibel")


if __name__ == "__main__":
    main()
