"""docs/recordings.md: what the recordings come to, as a table and pictures. Everything in it is computed."""

from __future__ import annotations

import os
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path

from bench.alerts import RULES, Alert
from bench.story import Story
from schemas.times import from_epoch
from schemas.words import PeakKind
from scoring.reasons import span

HEAD = (
    "incident",
    "items",
    "onset",
    "first alert",
    "peak",
    "peaked",
    "alerts",
    "false",
    "trend words",
    "level crossings",
    "states",
)


INTRODUCTION = """\
Written by `python -m bench.pictures`, which replays two recordings under the shipped policy as `decibel replay` does:
ten technology incidents of 2020 and 2021 (Hacker News, Lobsters, r/programming) and four world stories of 2016 (18
Facebook pages, a sample of Hacker News). The items are cut by keyword, their early counts are partly modelled, and
volumes are small beside what crawlers of whole platforms see; impact and parties are ours, by hindsight. The rules
were looked at on these very recordings: they show how the rules behave, they prove nothing on fresh ground.

**Alerts** are new peaks, `peaked`, *Surging*, spikes and state changes (other than the first detection). Which of
them were **false** is our judgement, by these rules:"""

COLUMNS = """\
*Onset* is the first item's publishing time, *first alert* the time from there. *Peaked* is the loudest peak that was
told to be one: its noise, and when that was told (a louder moment within the margin of 5 points is not told again).
The last figures say how restless the words are: changes of the trend's word, and level crossings in both directions.
In the pictures ▼ stands where a peak was that `peaked` told of later."""


def row(story: Story, found: list[Alert]) -> list[str]:
    """Return the cells of one incident, in the order of `HEAD`."""
    onset, last = story.onset, story.scores[-1]
    first = found[0] if found else None
    peaked = story.crossed(PeakKind.PEAKED)
    loudest = max(peaked, key=lambda each: each.peak.noise if each.peak else 0.0, default=None)
    false = [each for each in found if each.false]
    levels = story.crossed(PeakKind.ROSE_ABOVE, PeakKind.FELL_BELOW)
    return [
        story.incident_id,
        str(len(story.published)),
        _time(from_epoch(onset)),
        "none" if first is None else f"{span(first.at - onset)} ({first.words})",
        _peak(last.peak.noise, last.peak.at),
        "not told" if loudest is None or loudest.peak is None else _peak(loudest.peak.noise, loudest.at),
        str(len(found)),
        f"{len(false)} ({_kinds(false)})" if false else "0",
        str(len(story.trends)),
        str(len(levels)),
        _states(story),
    ]


def page(told: list[tuple[str, Story, list[Alert], Path]], file: Path) -> str:
    """Return the page; `told` is recording, story, alerts and picture, `file` where the page will lie."""
    lines = [
        "# What real recordings come to",
        "",
        INTRODUCTION,
        "",
        RULES,
        "",
        COLUMNS,
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
    ]
    lines += ["| " + " | ".join(row(story, found)) + " |" for _, story, found, _ in told]
    number, wrong = (
        sum(len(found) for *_, found, _ in told),
        sum(each.false for *_, found, _ in told for each in found),
    )
    lines += [
        "",
        f"Together {number} alerts, of which {wrong} false ({100.0 * wrong / max(number, 1):.0f} %).",
    ]
    for recording, group in groupby(told, key=lambda each: each[0]):
        lines += ["", f"## {recording}"]
        for _, story, _, picture in group:
            path = os.path.relpath(picture, file.parent)
            lines += [
                "",
                f"### {story.incident_id}",
                "",
                f"![{story.title}: volume, noise, state, trend and alerts]({path})",
            ]
    return "\n".join(lines) + "\n"


def _states(story: Story) -> str:
    words = [each.to.value for each in story.states]
    kept = words[:1] + [after for before, after in pairwise(words) if after != before]
    return " → ".join(kept)


def _kinds(found: list[Alert]) -> str:
    counts: dict[str, int] = {}
    for each in found:
        counts[each.row] = counts.get(each.row, 0) + 1
    return ", ".join(f"{number} {row}" for row, number in counts.items())


def _peak(noise: float, at: datetime) -> str:
    return f"{noise:.1f}, {_time(at)}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
