"""A real Apache Kafka for tests: one KRaft node on this machine's Java, its jars fetched once by Maven.

What only a real broker shows (compaction, admin requests, files that outlive the process, an outage in the
middle of a commit) is tested on this; everything else on the embedded broker.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.requirements import require

VERSION = "4.4.0"
MIB = 1024 * 1024
LARGEST_RECORD = 16 * MIB
READY_S = 60
"""A cold start takes 3 to 5 s here; a machine under load gets much more before the test gives up."""
STOP_S = 20
"""Kafka closes its logs on SIGTERM within a second or two; then it is killed."""
FETCH_IN_TEST_S = 90
FETCH_ALONE_S = 900
"""43 MB of jars: 10 s on a fast line. A test has 120 s in all (pyproject.toml): on a slow one fetch first."""

_JVM = (
    "-Xms128m",
    "-Xmx512m",
    # Both trade throughput nobody measures here for a quicker start on two cores.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>decibel</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <!-- Kafka {VERSION} logs through slf4j 1.7 and brings no backend; without one its errors are lost. -->
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""

_SERVER = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}

# One node: everything the cluster keeps for itself is kept once, and in few partitions.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# As in production: topics are provisioned, never made by a typing error.
auto.create.topics.enable=false
# A group starts with its first member: tests wait for nobody.
group.initial.rebalance.delay.ms=0
# Tests kill workers; sessions may be as short as this.
group.min.session.timeout.ms=1000
# After a kill the broker can't register again before its old session has ended: 9 s unless told otherwise.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500

message.max.bytes={largest}
replica.fetch.max.bytes={largest}
socket.request.max.bytes={request}

# Compaction runs, and soon enough for a test to see it.
log.cleaner.enable=true
log.cleaner.threads=1
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=8388608
log.flush.scheduler.interval.ms=60000
"""


class RealKafka:
    """One Kafka broker on two free ports and a temporary folder, until `stop` removes both.

    `kill` and `restart` keep ports and folder, so that tests can take the broker away and bring it back.
    """

    def __init__(self) -> None:
        self._java = require("java", "to run a real Kafka broker")
        self._jars = fetched_jars()
        self._folder = Path(tempfile.mkdtemp(prefix="decibel-kafka-"))
        self._process: subprocess.Popen[bytes] | None = None
        port, controller_port = _free_ports(2)
        self.bootstrap = f"127.0.0.1:{port}"
        self._settings = self._folder / "server.properties"
        self._settings.write_text(
            _SERVER.format(
                port=port,
                controller_port=controller_port,
                logs=self._folder / "logs",
                largest=LARGEST_RECORD,
                request=4 * LARGEST_RECORD,
            )
        )
        try:
            self._format()
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start the broker and wait until it answers. Raises RuntimeError with the end of its log."""
        if self._process is not None:
            raise RuntimeError("this Kafka runs already: kill or restart it")
        with self._log().open("ab") as log:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", str(self._settings)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_answer()

    def kill(self) -> None:
        """End the broker at once, as a power cut would. Its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def shut_down(self) -> None:
        """End the broker as an operator would: it hands over and closes its files. Its data stay."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def restart(self) -> None:
        """Shut the broker down and start it again, on the same ports and data."""
        self.shut_down()
        self.start()

    def stop(self) -> None:
        """Shut the broker down and remove all it wrote. Doing it twice is harmless."""
        self.shut_down()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log_tail(self, lines: int = 30) -> str:
        """The end of what the broker logged (warnings and errors)."""
        path = self._log()
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _log(self) -> Path:
        return self._folder / "kafka.log"

    def _command(self, main: str, *arguments: str) -> list[str]:
        return [self._java, *_JVM, "-cp", f"{self._jars}/*", main, *arguments]

    def _format(self) -> None:
        """KRaft keeps its metadata in the log folder and wants it prepared once, with a cluster id."""
        cluster_id = "decibel-" + uuid.uuid4().hex[:14]
        command = self._command(
            "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._settings)
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=READY_S, check=False)
        if done.returncode:
            raise RuntimeError(f"Kafka's StorageTool failed:\n{done.stdout}\n{done.stderr}")

    def _await_answer(self) -> None:
        """Ask until the broker tells its cluster's state, it ends, or time is up."""
        assert self._process is not None
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if (code := self._process.poll()) is not None:
                self._process = None
                raise RuntimeError(
                    f"Kafka ended with {code} while starting; its log ends:\n{self.log_tail()}"
                )
            if self._answers():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)  # a pause between questions, that ends early if the broker does
        raise RuntimeError(f"Kafka did not answer within {READY_S} s; its log ends:\n{self.log_tail()}")

    def _answers(self) -> bool:
        """A listening port is not enough: the broker must stand in the cluster's metadata (unfenced)."""
        host, port = self.bootstrap.split(":")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        except (OSError, KafkaError):
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()


def fetched_jars(limit_s: float = FETCH_IN_TEST_S) -> Path:
    """The folder with Kafka's jars, fetched by Maven where the cache lacks them.

    Whoever comes first fetches, others wait. A folder of that name is complete: it is renamed last.
    """
    cache = Path(os.environ.get("DECIBEL_CACHE") or Path.home() / ".cache" / "decibel")
    jars = cache / f"kafka-{VERSION}"
    if jars.is_dir():
        return jars
    maven = require("mvn", "to fetch Apache Kafka's jars")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"kafka-{VERSION}.lock").open("w") as lock, _locked(lock):
        if not jars.is_dir():
            _fetch(maven, jars, limit_s)
    return jars


def _fetch(maven: str, jars: Path, limit_s: float) -> None:
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching-") as folder:
        (Path(folder) / "pom.xml").write_text(_POM)
        fetched = Path(folder) / "jars"
        command = [maven, "-B", "-ntp", "-q", "dependency:copy-dependencies"]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
        try:
            done = subprocess.run(
                command + options,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(
                f"Maven did not fetch Kafka {VERSION} within {limit_s:.0f} s; what it has is kept, "
                "so go on by `.venv/bin/python -m tests.real.kafka`, which waits longer"
            ) from error
        if done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise RuntimeError(f"Maven could not fetch Kafka {VERSION}:\n{said}")
        fetched.rename(jars)


@contextlib.contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)  # freed by the system even if the process is killed
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all held at once, so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    print(fetched_jars(FETCH_ALONE_S))  # noqa: T201 - the answer of this little command
