"""What a test needs from the machine, and what happens where that is missing.

At a developer's desk a test that lacks its server is skipped and says what to install. In CI nothing may be
skipped unseen: `DECIBEL_REQUIRE=all` turns each such skip into a failure.
"""

import os
import shutil
from typing import NoReturn

import pytest

_PACKAGES = {
    "java": "openjdk-17-jdk-headless",
    "mvn": "maven",
    "redis-server": "redis-server",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "chromium": "chromium",
    "amtool": "prometheus-alertmanager",
}
"""Command -> the Debian package that brings it; what is not here is its own package's name."""


def require(what: str, why: str) -> str:
    """The path of the command `what`; where the machine lacks it, the test is skipped (or fails, in CI).

    `why` completes the sentence "needed ...", as in "to run a real Kafka broker".
    """
    path = shutil.which(what)
    if path is None:
        unmet(f"{what} is needed {why}: apt-get install {_PACKAGES.get(what, what)}")
    return path


def unmet(reason: str) -> NoReturn:
    """Skip the test for this reason, or fail it where everything is required (`DECIBEL_REQUIRE=all`)."""
    if os.environ.get("DECIBEL_REQUIRE") == "all":
        pytest.fail(f"DECIBEL_REQUIRE=all, but {reason}", pytrace=False)
    pytest.skip(reason)
