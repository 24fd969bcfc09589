"""The environment of the Python peers: made in the cache from a lock of its own.

They cannot live in the project's lock: quixstreams 3.28 wants confluent-kafka below 2.13, the project 2.16 or newer.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).parents[1] / "requirements-peers.lock"
MAKE_S: Final = 600


def cache_folder() -> Path:
    """Return where things fetched or built are kept between runs, as for Kafka's jars."""
    return Path(os.environ.get("DECIBEL_CACHE") or Path.home() / ".cache" / "decibel")


def digest(*files: Path) -> str:
    """Return a name for what is in `files`."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


@cache
def python() -> Path:
    """Return the interpreter of the peers' environment, made if it is not there. Raises CalledProcessError."""
    made = cache_folder() / f"bench-peers-{digest(LOCK)}"
    done = made / "done"
    interpreter = made / "bin" / "python"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(made)], check=True, timeout=MAKE_S)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
        subprocess.run([str(interpreter), *install, str(LOCK)], check=True, timeout=MAKE_S)
        done.touch()
    return interpreter


def missing() -> str | None:
    """Say why the environment cannot be made, or None."""
    try:
        python()
    except (subprocess.SubprocessError, OSError) as error:
        return f"its environment could not be made: {error}"
    return None


def version(package: str) -> str:
    """Return the version of a package in the peers' environment."""
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.check_output([str(python()), "-c", asked], text=True, timeout=MAKE_S).strip()
