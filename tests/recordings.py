"""The real recordings beside the project: read for tests, never copied into it."""

import gzip
import json
from pathlib import Path

from tests.requirements import unmet

SHARED = Path(__file__).parents[2] / "shared" / "data"


def recording(name: str) -> tuple[list[bytes], list[bytes]]:
    """Return the items and the profiles of a recording, a JSON line each; without it the test is skipped."""
    folder = SHARED / name
    if not folder.is_dir():
        unmet(f"the recording {name} is needed in {folder}")
    with gzip.open(folder / "items.jsonl.gz") as lines:
        items = [line.strip() for line in lines]
    profiles = folder / "profiles.jsonl"
    return items, profiles.read_bytes().splitlines() if profiles.exists() else []


def keyed(lines: list[bytes]) -> list[tuple[bytes | None, bytes | None]]:
    """Return records of these lines, each with its incident as key."""
    return [(json.loads(line)["incident_id"].encode(), line) for line in lines]
