"""Running a worker: the app in Faust's worker, with plain log lines on stderr."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import closing
from typing import Final

import faust

from schemas.errors import BrokerError
from stream.collector import seldom_collect
from stream.kafka_clients import broker_errors, consumer
from stream.provisioning import Standing, partition_mismatch
from stream.settings import Settings
from stream.topics import specs
from stream.worker.app import make_app
from stream.worker.commit import BatchCommit
from stream.worker.compression import keep_compressor

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# Faust and its parts tell of every step of a rebalance; of interest only when something is wrong with one.
CHATTY: Final = ("faust", "mode", "aiokafka")


class PromptWorker(faust.Worker):
    """Faust's worker, without the second that it sleeps at its end: all has stopped, and the group has been left."""

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)


def check_topics(settings: Settings) -> None:
    """Raise BrokerError if Kafka cannot be reached, or a topic is missing or has other partitions than are set.

    Without this a worker would wait for a missing topic in silence.
    """
    with broker_errors(settings, "the worker cannot start"), closing(consumer(settings)) as client:
        present = client.topics()
        for spec in specs(settings):
            if spec.name not in present:
                raise BrokerError(f"topic {spec.name} does not exist; run `decibel topics apply`")
            partitions = len(client.partitions_for_topic(spec.name) or ())
            if partitions != spec.partitions:
                raise BrokerError(partition_mismatch(settings, [Standing(spec.name, partitions, 0, {})]))


def run_worker(
    settings: Settings, log_level: str = "info", commit_type: type[BatchCommit] = BatchCommit
) -> None:
    """Run one worker until it is told to stop (SIGTERM, SIGINT) or fails.

    Raises SystemExit, BrokerError, PolicyError.
    """
    level = logging.getLevelNamesMapping()[log_level.upper()]
    logging.basicConfig(level=level, format=LOG_FORMAT, stream=sys.stderr, force=True)
    if level > logging.DEBUG:
        for name in CHATTY:
            logging.getLogger(name).setLevel(max(level, logging.WARNING))
    check_topics(settings)
    seldom_collect()
    keep_compressor()
    app = make_app(settings, commit_type)
    runner = PromptWorker(app, loglevel=level, override_logging=False, quiet=True, redirect_stdouts=False)
    runner.execute_from_commandline()
