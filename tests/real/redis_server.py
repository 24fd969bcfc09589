"""A real Redis for tests, on a free port and in a temporary folder; it can be killed and come back."""

import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import redis

from tests.real.kafka import _free_ports
from tests.requirements import require

READY_S = 20
STOP_S = 10


class RealRedis:
    """One Redis server until `stop`; what it holds survives a restart as far as it was saved.

    With a `password` it lets nobody in without it. With `tls`, a certificate and its key, it speaks nothing but TLS.
    """

    def __init__(self, password: str = "", tls: tuple[Path, Path] | None = None) -> None:
        self._program = require("redis-server", "to run a real Redis")
        self._folder = tempfile.TemporaryDirectory(prefix="decibel-redis-")
        self._password, self._tls = password, tls
        [self.port] = _free_ports(1)
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'rediss' if self._tls else 'redis'}://127.0.0.1:{self.port}/0"

    @property
    def socket(self) -> Path:
        """Its socket file."""
        return Path(self._folder.name) / "socket"

    def asked(self, *command: object) -> object:
        """What it answers to a command."""
        tls = {"ssl_ca_certs": str(self._tls[0])} if self._tls else {}
        client = redis.Redis.from_url(self.url, password=self._password or None, socket_timeout=5, **tls)
        with contextlib.closing(client):
            return client.execute_command(*command)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        port = ["--port", "0", "--tls-port"] if self._tls else ["--port"]
        secured = ["--requirepass", self._password] if self._password else []
        if self._tls:
            cert, key = map(str, self._tls)
            secured += ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"]
        self._log = open(Path(self._folder.name) / "log", "ab")  # noqa: SIM115, PTH123 - lives as long as the server
        self._process = subprocess.Popen(
            # Nothing is saved but what a test asks for: what a failover loses, it loses.
            [
                self._program,
                *port,
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--unixsocket",
                str(self.socket),
                *secured,
            ],
            cwd=self._folder.name,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
        )
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
                self.asked("PING")
                return
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)  # the condition is another process's

    @property
    def log(self) -> str:
        """What it has logged."""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def kill(self) -> None:
        """Kill it: what was not saved is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)
        assert self._log is not None
        self._log.close()

    def stop(self) -> None:
        """End it and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate signed by itself, for 127.0.0.1, and its key: PEM files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [
        *(
            require("openssl", "to make certificates"),
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-nodes",
            "-days",
            "2",
        ),
        *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return cert, key
