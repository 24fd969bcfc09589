"""Kafka Streams in Java (bench/throughput/kafka_streams): built by Maven into the cache, run on the machine's Java."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from bench.throughput.peers.environment import cache_folder, digest
from bench.throughput.peers.work import Place

PROJECT: Final = Path(__file__).parents[1] / "kafka_streams"
POM: Final = PROJECT / "pom.xml"
SOURCE: Final = PROJECT / "src" / "main" / "java" / "decibel" / "NoiseStreams.java"
BUILD_S: Final = 900


@cache
def jars() -> Path:
    """Return the folder with the program and all it needs, built if it is not there. Raises CalledProcessError."""
    built = cache_folder() / f"bench-kafka-streams-{digest(POM, SOURCE)}"
    if not built.is_dir():
        built.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.parent, prefix="building-") as folder:
            project = Path(folder) / "project"
            shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target"))
            goals = ["package", "dependency:copy-dependencies", "-DincludeScope=runtime"]
            command = ["mvn", "-B", "-ntp", "-q", *goals]
            subprocess.run(command, cwd=project, check=True, timeout=BUILD_S)
            (project / "target" / "kafka-streams-peer.jar").rename(
                project / "target" / "dependency" / "kafka-streams-peer.jar"
            )
            (project / "target" / "dependency").rename(built)
    return built


def missing() -> str | None:
    """Say why it cannot be built here, or None."""
    if lacking := [each for each in ("javac", "mvn") if shutil.which(each) is None]:
        return f"{' and '.join(lacking)} not found: it is built from source"
    try:
        jars()
    except (subprocess.SubprocessError, OSError) as error:
        return f"it could not be built: {error}"
    return None


def command(place: Place) -> list[str]:
    """Return the command; the heap holds the state of the largest load several times over."""
    classes = f"{jars()}/*"
    return [
        "java", "-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes,
        "decibel.NoiseStreams",
    ]  # fmt: skip


def version() -> str:
    """Return the version of Kafka Streams."""
    found = re.search(r"<artifactId>kafka-streams</artifactId><version>([^<]+)", POM.read_text())
    return found.group(1) if found else "unknown"
