"""A process that does not outlive the one that started it.

Ctrl-C and SIGTERM are the parent's to pass on. Where it is killed, nobody is left to do so; so Linux is asked to kill
its child too. Elsewhere such a process stays.
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
