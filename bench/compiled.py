"""The package with its core compiled, as `make compiled` leaves it: what is measured is what an image ships."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "build" / "compiled"


def decibel() -> str:
    """Return the path of the command `decibel` of the project's environment."""
    return str(Path(sys.executable).with_name("decibel"))


def environ() -> dict[str, str]:
    """Return what makes that command run the compiled package, if it was built; it runs the sources else."""
    return {"PYTHONPATH": str(FOLDER)} if FOLDER.is_dir() else {}


def told() -> str:
    """Return how the core runs: `compiled` or `interpreted`."""
    return "compiled" if FOLDER.is_dir() else "interpreted"
