"""The results as a picture: events per second of CPU, for each load and peer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from bench.throughput.results import Results

OURS: Final = "#c0392b"
THEIRS: Final = "#5d7a94"
THE_FLOOR: Final = "#b8c4ce"

STEADY: Final = {"svg.hashsalt": "decibel", "svg.fonttype": "none", "font.size": 10.0}
"""The same figures give the same file, and text stays text."""


def draw(results: Results, file: Path) -> None:
    """Draw one row of bars for each load, on one logarithmic scale."""
    with mpl.rc_context(STEADY):
        figure, axes = plt.subplots(
            len(results.loads), 1, figsize=(8.0, 0.6 + 2.6 * len(results.loads)), sharex=True, squeeze=False
        )
        for axis, (load, title) in zip(axes[:, 0], results.loads.items(), strict=True):
            measured = [each for each in results.measured if each.load == load][::-1]
            colours = [
                OURS if each.peer == "decibel" else THE_FLOOR if each.peer == "floor" else THEIRS
                for each in measured
            ]
            bars = axis.barh(
                [each.title for each in measured], [each.per_cpu_s for each in measured], color=colours
            )
            axis.bar_label(bars, [f" {each.per_cpu_s:,.0f}" for each in measured])
            axis.set_xscale("log")
            axis.margins(x=0.15)
            axis.set_title(title, loc="left", fontsize=10)
            axis.spines[["top", "right"]].set_visible(False)
        axes[-1, 0].set_xlabel("events per second of CPU (logarithmic)")
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, bbox_inches="tight", metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)
