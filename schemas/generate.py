"""`python -m schemas.generate` writes `schemas/generated/`; with `--check` it only names stale files.

The files are committed, so that a reader without Python has them and a review shows each change of the
contract.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.documents import Json, asyncapi, event_schema
from schemas.topics import EVENT_OF

FOLDER: Final = Path(__file__).with_name("generated")


def documents() -> dict[str, bytes]:
    """Return the bytes of each document by its file name: the same structs give the same bytes."""
    texts = {f"{topic}.schema.json": _text(event_schema(topic)) for topic in EVENT_OF}
    return texts | {"asyncapi.json": _text(asyncapi())}


def stale(folder: Path) -> list[str]:
    """Return the names of the files in `folder` that are missing, differ from the structs, or have none."""
    wanted = documents()
    found = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path) -> list[str]:
    """Make `folder` hold the documents and no other JSON file; return the names of the files that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted, changed = documents(), stale(folder)
    for name in changed:
        if name in wanted:
            (folder / name).write_bytes(wanted[name])
        else:
            (folder / name).unlink()
    return changed


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Write or check the documents in `folder`; return the exit code: 1 where a checked file is stale."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 and name stale files"
    )
    if not parser.parse_args(arguments).check:
        for name in write(folder):
            sys.stdout.write(f"{folder / name}: written\n")
        return 0
    names = stale(folder)
    for name in names:
        sys.stderr.write(f"{folder / name}: stale; run `python -m schemas.generate` and commit the result\n")
    return 1 if names else 0


def _text(document: Json) -> bytes:
    return (json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    raise SystemExit(main())
