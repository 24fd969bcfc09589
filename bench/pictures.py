"""`python -m bench.pictures [INCIDENT…] [--data DIR] [--out DIR] [--page FILE]`: the real recordings, drawn and judged.

Replays tech-2021 and world-2016, draws a picture of each incident, and writes docs/recordings.md: the table and the
pictures. With incidents named it draws those alone and leaves the page as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from bench.alerts import alerts
from bench.picture import draw
from bench.recordings_page import page, row
from bench.story import stories
from scoring.policy import load_policy

RECORDINGS: Final = ("tech-2021", "world-2016")


def main() -> None:
    """Draw, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("incidents", nargs="*", metavar="INCIDENT")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/img"))
    parser.add_argument("--page", type=Path, default=Path("docs/recordings.md"))
    parser.add_argument("--policy", type=Path, help="Default: the shipped one.")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    given = parser.parse_args()
    policy = load_policy(given.policy)
    given.out.mkdir(parents=True, exist_ok=True)
    told = []
    for recording in RECORDINGS:
        for story in stories(given.data / recording, policy):
            if given.incidents and story.incident_id not in given.incidents:
                continue
            found = alerts(story)
            file = given.out / f"{recording}-{story.incident_id}.{given.format}"
            draw(story, found, policy, file)
            told.append((recording, story, found, file))
            print(" | ".join(row(story, found)), f"| {file.stat().st_size / 1000:.0f} kB")
    if not given.incidents:
        given.page.write_text(page(told, given.page), encoding="utf-8")


if __name__ == "__main__":
    main()
