"""Workers as processes: started, awaited, killed and restarted the way a supervisor does."""

import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.wire import Deployment

READY_S = 60.0
STOP_S = 30.0
ROOT = Path(__file__).parents[1]
DECIBEL_WORKER = (str(Path(sys.executable).with_name("decibel")), "worker")


class WorkerProcess:
    """One `decibel worker` (or another command that runs one), its log kept for the failure message."""

    def __init__(self, deployment: Deployment, command: Sequence[str] = DECIBEL_WORKER) -> None:
        self._deployment, self._command = deployment, command
        self._log = tempfile.NamedTemporaryFile("w+", prefix="decibel-worker-", suffix=".log", delete=False)  # noqa: SIM115
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; a test that failed shows what it said."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if kind is not None:
            sys.stderr.write(f"--- worker's log\n{self.log[-6000:]}\n")
        self._log.close()
        Path(self._log.name).unlink()

    @property
    def log(self) -> str:
        """Everything it has logged."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def start(self) -> None:
        """Start the process; see `until_ready`."""
        environ = {**self._deployment.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._log.truncate(0)
        self._log.seek(0)
        self.process = subprocess.Popen(
            self._command, env=environ, cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT, text=True
        )

    def until_ready(self) -> Self:
        """Wait until it scores."""
        deadline = time.monotonic() + READY_S
        while not self._answers("/readyz"):
            assert self.process is not None
            assert self.process.poll() is None, f"the worker ended:\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"the worker is not ready:\n{self.log[-4000:]}"
            time.sleep(0.05)  # the condition is another process's
        return self

    def metrics(self) -> str:
        """Return its metrics page."""
        with urllib.request.urlopen(f"{self._address()}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it still, as a busy machine would, while the test prepares what it shall meet."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it as a machine's failure would: no last word."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def exit_code(self, within_s: float = READY_S) -> int:
        """Wait until it ends by itself, and return its exit code (negative: the signal)."""
        assert self.process is not None
        return self.process.wait(within_s)

    def _address(self) -> str | None:
        found = re.search(r"metrics at (http://\S+)/metrics", self.log)
        return found.group(1) if found else None

    def _answers(self, path: str) -> bool:
        address = self._address()
        if address is None:
            return False
        try:
            with urllib.request.urlopen(address + path, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
