"""A peer's processes: started as one tree, their CPU time and memory sampled, killed or stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

SAMPLE_S: Final = 0.2
"""Between two looks at the memory; the kernel's own peak would miss what several processes hold at once."""

LOOKS_A_TREE: Final = 10
"""Every so many looks the tree itself is looked up: that goes through all processes of the machine."""

STOP_S: Final = 20.0


class Tree:
    """A command and everything it starts. Its output goes to `log`."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> None:
        self._command, self._environ, self._folder, self.log = command, environ, folder, log
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self.peak_rss = 0

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environ},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.stop()
        self._sampler.join()

    @property
    def running(self) -> bool:
        """Whether the command itself still runs."""
        assert self._process is not None
        return self._process.poll() is None

    def check(self) -> None:
        """Raise RuntimeError with the end of its log if it has failed."""
        assert self._process is not None
        if self._process.poll() not in (None, 0):
            raise RuntimeError(f"it ended with {self._process.returncode}:\n{self.tail()}")

    def tail(self, lines: int = 25) -> str:
        """Return the end of what it has said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def cpu_s(self) -> float:
        """Return the CPU seconds (user and system) that the tree has used; what has ended is not in it."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def hold(self) -> None:
        """Hold the whole tree still."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a tree that is held go on."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the whole tree, as a machine's failure would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the tree to end; kill what does not."""
        if self._process is not None and self.running:
            self._end(signal.SIGTERM)
        self.kill()

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        psutil.wait_procs(self._send(how), STOP_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)

    def _send(self, what: signal.Signals) -> list[psutil.Process]:
        processes = self._processes()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(what)
        return processes

    def _processes(self) -> list[psutil.Process]:
        assert self._process is not None
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _sample(self) -> None:
        looks, processes = 0, self._processes()
        while True:  # a first look at once: the quickest are done before the second
            looks += 1
            if looks % LOOKS_A_TREE == 0:
                processes = self._processes()
            held = 0
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    held += process.memory_info().rss
            self.peak_rss = max(self.peak_rss, held)
            if self._ended.wait(SAMPLE_S):
                return
