"""The one real Kafka of a benchmark: the broker of the tests, let run as fast as it can."""

from __future__ import annotations

import shutil
from typing import Final

from tests.real.kafka import FETCH_ALONE_S, RealKafka, fetched_jars

_JVM: Final = (
    # A heap that never has to grow, and the compiler the tests leave out for a quicker start.
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseParallelGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)

_SETTINGS: Final = """
# Nothing is compacted: what a peer wrote to its changelog is what its log holds.
log.cleaner.enable=false
# Requests of one peer come in parallel on few cores.
num.network.threads=2
num.io.threads=4
"""


def missing() -> str | None:
    """Say why no broker can be started here, or None."""
    lacking = [each for each in ("java", "mvn") if shutil.which(each) is None]
    return f"{' and '.join(lacking)} not found: the broker needs them" if lacking else None


class BenchKafka(RealKafka):
    """A broker on free ports and a temporary folder, both gone when it stops."""

    def __init__(self) -> None:
        fetched_jars(FETCH_ALONE_S)
        super().__init__()

    def _format(self) -> None:
        with self._settings.open("a") as settings:  # of a key that is there twice, the last one holds
            settings.write(_SETTINGS)
        super()._format()

    def _command(self, main: str, *arguments: str) -> list[str]:
        return [self._java, *_JVM, "-cp", f"{self._jars}/*", main, *arguments]
