"""A real Alertmanager for tests, on a free port and in a temporary folder."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.real.kafka import _free_ports
from tests.requirements import require

READY_S = 20
STOP_S = 10

# Each alert is a group of its own, told at once, and not again while the test runs.
_CONFIG = """
route:
  receiver: test
  group_by: ["..."]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: test
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


class RealAlertmanager:
    """One Alertmanager until `stop`, which tells `url` of its alerts."""

    def __init__(self, url: str) -> None:
        program = require("prometheus-alertmanager", "to run a real Alertmanager")
        self._folder = tempfile.TemporaryDirectory(prefix="decibel-alertmanager-")
        folder = Path(self._folder.name)
        (folder / "config.yml").write_text(_CONFIG.format(url=url))
        [self.port] = _free_ports(1)
        self._log: IO[bytes] = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'config.yml'}",
                f"--storage.path={folder / 'kept'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
                "--log.level=debug",
            ],
            cwd=folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
        )
        self._until_ready()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def alerts(self) -> list[Any]:
        """The alerts it has, as its API gives them."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            found: list[Any] = json.load(answer)
        return found

    def stop(self) -> None:
        """End it and remove its folder."""
        self._process.kill()
        self._process.wait(STOP_S)
        self._log.close()
        self._folder.cleanup()

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).close()
                return
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)  # the condition is another process's

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
