"""docs/recordings.md: what the recordings come to, as a table and pictures. Everything in it is computed."""

from __future__ import annotations

import os
from itertools import groupby, pairwise
from pathlib import Path

from bench.alerts import RULES, Alert
from bench.story import Story
from schemas.times import to_epoch
from schemas.words import PeakKind
from scoring.reasons import span

HEAD = (
    "incident",
    "items",
    "onset",
    "first alert",
    "peak",
    "peaked told",
    "alerts",
    "false",
    "trend words",
    "level crossings",
    "states",
)


def row(story: Story, found: list[Alert]) -> list[str]:
    """Return the cells of one incident, in the order of `HEAD`."""
    onset, last = story.onset, story.scores[-1]
    first = found[0] if found else None
    peaked = story.crossed(PeakKind.PEAKED)
    told = [each for each in peaked if each.peak == last.peak]
    false = [each for each in found if each.false]
    levels = story.crossed(PeakKind.ROSE_ABOVE, PeakKind.FELL_BELOW)
    return [
        story.incident_id,
        str(len(story.published)),
        _time(onset),
        "none" if first is None else f"{span(first.at - onset)} ({first.words})",
        f"{last.peak.noise:.1f}, {_time(to_epoch(last.peak.at))}",
        _time(to_epoch(told[0].at)) if told else "not told",
        str(len(found)),
        f"{len(false)}" + (f" ({_kinds(false)})" if false else ""),
        str(len(story.trends)),
        str(len(levels)),
        _states(story),
    ]


def page(told: list[tuple[str, Story, list[Alert], Path]], file: Path) -> str:
    """Return the page; `told` is recording, story, alerts and picture, `file` where the page will lie."""
    lines = [
        "# What real recordings come to",
        "",
        "Written by `python -m bench.pictures`, which replays two recordings under the shipped policy as `decibel replay`",
        "does: ten technology incidents of 2020 and 2021 (Hacker News, Lobsters, r/programming) and four world stories of 2016",
        "(18 Facebook pages, a sample of Hacker News). The items are cut by keyword, their early counts are partly modelled,",
        "and volumes are small beside what crawlers of whole platforms see; impact and parties are ours, by hindsight. The",
        "policy was looked at on these very recordings: they show how the rules behave, they are no proof on fresh ground.",
        "",
        "**Alerts** are new peaks, `peaked`, *Surging*, spikes and state changes (other than the first detection).",
        "Which of them were **false** is our judgement, by these rules:",
        "",
        RULES,
        "",
        "Onset is the first item's publishing time, *first alert* the time from there; *peaked told* says when the highest peak",
        "was known to have been one. The last two figures tell how restless the words are: changes of the trend's word, and level",
        "crossings in both directions.",
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


def _time(at: float) -> str:
    from schemas.times import from_epoch

    return f"{from_epoch(at):%Y-%m-%d %H:%M}"
