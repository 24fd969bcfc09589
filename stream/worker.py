"""Running a worker: the app in Faust's worker, with plain log lines on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Final

import faust

from stream.app import make_app
from stream.commit import BatchCommit
from stream.settings import Settings

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# Faust and its parts tell of every step of a rebalance; of interest only when something is wrong with one.
CHATTY: Final = ("faust", "mode", "aiokafka")


def run_worker(
    settings: Settings, log_level: str = "info", commit_type: type[BatchCommit] = BatchCommit
) -> None:
    """Run one worker until it is told to stop (SIGTERM, SIGINT) or fails; raises SystemExit."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    logging.basicConfig(level=level, format=LOG_FORMAT, stream=sys.stderr, force=True)
    if level > logging.DEBUG:
        for name in CHATTY:
            logging.getLogger(name).setLevel(max(level, logging.WARNING))
    app = make_app(settings, commit_type)
    runner = faust.Worker(app, loglevel=level, override_logging=False, quiet=True, redirect_stdouts=False)
    runner.execute_from_commandline()
