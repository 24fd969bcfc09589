"""Write the samples: `python -m samples.make`. Two incidents of the simulator, thinned to what one can read."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from schemas.codec import encode
from schemas.source_item import SourceItem
from stream.simulator import Simulation

FOLDER: Final = Path(__file__).parent
SEED: Final = 20260306
START: Final = datetime(2026, 3, 6, 8, 0, tzinfo=UTC).timestamp()
HOURS: Final = 60
PLATFORMS: Final = ("hackernews", "news", "reddit")
EVERY: Final = 26
"""Of each incident's items on these platforms, every 26th: a story in some fifty lines."""

COLUMNS: Final = ("id", "story", "site", "created", "seen", "followers", "score", "replies", "headline")
"""Of the CSV file: deliberately not the names of our fields, as in an export of somebody else."""


def observations() -> list[SourceItem]:
    """Return the observations of the chosen items, in the order of observation."""
    met: dict[str, dict[str, None]] = {}
    found = []
    for seen in Simulation(SEED, 2, START).observations(START + HOURS * 3600):
        if seen.platform in PLATFORMS:
            items = met.setdefault(seen.incident_id, {})
            items.setdefault(seen.item_id)
            if not list(items).index(seen.item_id) % EVERY:
                found.append(seen)
    return found


def row(item: SourceItem) -> list[object]:
    """Return an observation as a row of the CSV file."""
    return [
        item.item_id,
        item.incident_id,
        item.platform,
        item.published_at.isoformat(),
        (item.observed_at or item.published_at).isoformat(),
        "" if item.audience is None else item.audience,
        item.engagement.likes,
        item.engagement.comments,
        item.title,
    ]


def line(event: msgspec.Struct, left_out: str) -> bytes:
    """Return an event as a line of JSON without the field that a sample has no use for: nothing was merged here."""
    said = msgspec.json.decode(encode(event))
    del said[left_out]
    return msgspec.json.encode(said) + b"\n"


def main() -> None:
    """Write items as JSON lines and as CSV, and the profiles."""
    items = observations()
    profiles = Simulation(SEED, 2, START).profiles()
    (FOLDER / "items.jsonl").write_bytes(b"".join(line(item, "moved") for item in items))
    (FOLDER / "profiles.jsonl").write_bytes(b"".join(line(each, "merged_into") for each in profiles))
    with (FOLDER / "items.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row(item) for item in items[:12])


if __name__ == "__main__":
    main()
