"""One incident on one time axis: volume, noise with its levels, state, trend, activity, alerts."""

from __future__ import annotations

import re
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.alerts import Alert
from bench.story import Story
from schemas.noise_score import NoiseScore
from schemas.times import DAY_S, HOUR_S, from_epoch, to_epoch
from schemas.words import PeakKind, State, Trend
from scoring.policy import Policy

BUCKETS_H: Final = (1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
MOST_BUCKETS: Final = 260
"""Bars that can still be told apart at the width of a page."""

POINTS: Final = 700
"""Points of the noise curve: more than the page has pixels to show."""

STATE_COLOURS: Final = {
    State.EMERGING: "#bcd7ee",
    State.GROWING: "#f6c667",
    State.DEBATED: "#ef8a4a",
    State.MAJOR: "#b3261e",
    State.RESOLVED: "#d9d9d9",
}
TREND_COLOURS: Final = {
    Trend.SURGING: "#b3261e",
    Trend.RISING: "#f2a65a",
    Trend.STEADY: "#ececec",
    Trend.COOLING: "#a9cbe8",
    Trend.FADING: "#4f83b5",
}
ACTIVITY_COLOURS: Final = {
    "spiking": "#b3261e",
    "normal": "#ececec",
    "subsided": "#a9cbe8",
    "silent": "#6f7b86",
}
ALERT_ROWS: Final = ("state", "new peak", "peaked", "surge", "spike")
INK: Final = "#222222"
STYLE: Final = {
    "svg.fonttype": "none",  # text stays text: small, and found by a search
    "svg.hashsalt": "decibel",  # the same bytes on every run
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 10.0,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "text.color": INK,
    "path.simplify": True,
}


def draw(story: Story, found: list[Alert], policy: Policy, file: Path) -> None:
    """Draw a story and its alerts into `file` (.svg or .png)."""
    start, end = extent(story)
    heights = [2.0, 3.6, 0.32, 0.32, *([0.32] if story.trends else []), 1.25]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.5, sum(heights) + 1.6), facecolor="white", layout="constrained")
        axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
        figure.suptitle(
            f"{story.title} ({story.incident_id})", fontsize=13, fontweight="bold", x=0.01, ha="left"
        )
        _volume(axes[0], story, start, end)
        _noise(axes[1], story, policy, start, end)
        states = [(to_epoch(each.at), each.to) for each in story.states]
        _band(axes[2], "state", states, STATE_COLOURS, start, end)
        first = to_epoch(story.scores[0].as_of)
        trends = [(first, Trend.STEADY), *((to_epoch(each.at), each.trend) for each in story.trends)]
        _band(axes[3], "trend", trends, TREND_COLOURS, start, end)
        if story.trends:
            words = [(first, "normal"), *((to_epoch(each.at), str(each.activity)) for each in story.trends)]
            _band(axes[4], "activity", words, ACTIVITY_COLOURS, start, end)
        _alerts(axes[-1], found, start, end)
        axes[-1].set_xlim(_moment(start), _moment(end))
        locator = dates.AutoDateLocator(minticks=6, maxticks=12)
        axes[-1].xaxis.set_major_locator(locator)
        axes[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        axes[-1].set_xlabel("time (UTC)")
        figure.align_ylabels(axes)
        _save(figure, file)


def extent(story: Story) -> tuple[float, float]:
    """Return the first and last time that a picture shows (epoch seconds): to where the story has ended."""
    ends = [story.published[-1]]
    ends += [to_epoch(each.at) for each in story.states]
    margin = max(6.0 * HOUR_S, 0.02 * (max(ends) - story.onset))
    return story.onset - margin, max(ends) + max(margin, 1.0 * DAY_S)


def _volume(axis: Any, story: Story, start: float, end: float) -> None:
    hours = next((h for h in BUCKETS_H if (end - start) / HOUR_S / h <= MOST_BUCKETS), BUCKETS_H[-1])
    width = hours * HOUR_S
    first = start // width * width
    edges = [first + number * width for number in range(int((end - first) / width) + 2)]
    bars = [story.volume(low, low + width) for low in edges]
    x, y = [], []
    for low, bar in zip(edges, bars, strict=True):
        x += [_moment(low), _moment(low + width)]
        y += [bar, bar]
    axis.fill_between(x, y, color="#5b6b7a", linewidth=0)
    unit = "an hour" if hours == 1.0 else f"per {hours:g} h"
    axis.set_ylabel(f"items\n{unit}")
    axis.set_ylim(0, max(bars) * 1.12)
    _plain(axis)


def _noise(axis: Any, story: Story, policy: Policy, start: float, end: float) -> None:
    names, edges = list(policy.levels), [*policy.levels.values(), 100.0]
    for number, name in enumerate(names):
        shade = 0.985 - 0.03 * number
        axis.axhspan(
            edges[number], edges[number + 1], color=(1.0, shade, shade - 0.012 * number), linewidth=0
        )
        axis.text(
            1.005,
            (edges[number] + edges[number + 1]) / 200.0,
            name,
            transform=axis.transAxes,
            va="center",
            fontsize=9,
        )
    x, y = curve(story, start, end)
    axis.plot([_moment(at) for at in x], y, color="#7a1712", linewidth=1.4)
    for each in story.crossed(PeakKind.PEAKED):
        if each.peak is not None:
            axis.plot([each.peak.at], [each.peak.noise], marker="v", color=INK, markersize=6)
    axis.set_ylim(0, 100)
    axis.set_yticks(edges)
    axis.set_ylabel("noise (0 to 100)")
    _plain(axis)


def curve(story: Story, start: float, end: float) -> tuple[list[float], list[float]]:
    """Return times (epoch seconds) and noise: the curve that each score gives until the next, thinned to what shows.

    In each slot of time the least and the greatest noise are kept, so that no peak is lost.
    """
    scores, slot = story.scores, (end - start) / POINTS * 2.0
    x, y = [to_epoch(scores[0].as_of)], [0.0]
    for number, score in enumerate(scores):
        since = to_epoch(score.as_of)
        until = to_epoch(scores[number + 1].as_of) if number + 1 < len(scores) else end
        at = since
        while at < until:
            x.append(at)
            y.append(_noise_at(score, at))
            at += slot * 4.0
        x.append(until)
        y.append(_noise_at(score, until))
    return _thinned(x, y, slot)


def _noise_at(score: NoiseScore, at: float) -> float:
    return score.composite * 2.0 ** -(max(0.0, at - to_epoch(score.anchor)) / score.half_life)


def _thinned(x: list[float], y: list[float], slot: float) -> tuple[list[float], list[float]]:
    kept: list[tuple[float, float]] = []
    number = 0
    while number < len(x):
        last = number
        while last + 1 < len(x) and x[last + 1] < x[number] + slot:
            last += 1
        inside = sorted(
            {
                number,
                min(range(number, last + 1), key=y.__getitem__),
                max(range(number, last + 1), key=y.__getitem__),
                last,
            }
        )
        kept += [(x[each], y[each]) for each in inside]
        number = last + 1
    return [at for at, _ in kept], [noise for _, noise in kept]


def _band(
    axis: Any, name: str, words: list[tuple[float, Any]], colours: dict[Any, str], start: float, end: float
) -> None:
    """One coloured stretch for each word, and the legend of those that occur."""
    seen: dict[Any, list[tuple[float, float]]] = {}
    for number, (since, word) in enumerate(words):
        until = words[number + 1][0] if number + 1 < len(words) else end
        low, high = max(since, start), min(until, end)
        if high > low:
            seen.setdefault(word, []).append((low, high))
    for word, stretches in seen.items():
        spans = [(dates.date2num(_moment(low)), (high - low) / DAY_S) for low, high in stretches]
        axis.broken_barh(spans, (0.0, 1.0), facecolors=colours[word], linewidth=0)
    axis.set_ylim(0, 1)
    axis.set_yticks([])
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
    handles = [Patch(facecolor=colour, label=str(word)) for word, colour in colours.items() if word in seen]
    axis.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.9),
        ncols=5,
        frameon=False,
        fontsize=8.5,
        handlelength=1.1,
        handleheight=0.7,
        columnspacing=1.2,
        borderpad=0.1,
    )
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)


def _alerts(axis: Any, found: list[Alert], start: float, end: float) -> None:
    """A mark for each alert on the row of its kind: filled where it stands, hollow and red where it was false."""
    rows = [row for row in ALERT_ROWS if row != "spike" or any(each.row == row for each in found)]
    for number, row in enumerate(rows):
        here = [each for each in found if each.row == row and start <= each.at <= end]
        good, bad = [e for e in here if not e.false], [e for e in here if e.false]
        axis.plot(
            [_moment(e.at) for e in good],
            [number] * len(good),
            "|",
            color=INK,
            markersize=11,
            markeredgewidth=1.6,
        )
        axis.plot(
            [_moment(e.at) for e in bad],
            [number] * len(bad),
            "x",
            color="#d1231a",
            markersize=7,
            markeredgewidth=1.6,
        )
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_ylabel("alerts\n(× false)")
    axis.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.6)
    _plain(axis)


def _plain(axis: Any) -> None:
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _moment(at: float) -> datetime:
    return from_epoch(at)


def _save(figure: Figure, file: Path) -> None:
    if file.suffix != ".svg":
        figure.savefig(file, dpi=80)
        return
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    # Six decimals of a point are no use to the eye, and most of the bytes.
    file.write_text(re.sub(r"(\d+\.\d\d)\d+", r"\1", text.getvalue()), encoding="utf-8")
