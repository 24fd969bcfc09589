"""The pictures of growth, one file a subject: docs/img/growth-*.svg."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from bench.growth.recovery import Recovered
from bench.growth.size import Incidents, Items
from bench.growth.workers import Restarted, Scaled
from bench.throughput.plot import OURS, STEADY, THEIRS


def cost(grown: Sequence[Incidents], large: Sequence[Items], file: Path) -> None:
    """Microseconds of CPU per event over incidents, and over items of one incident."""

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        _curve(
            left, [each.incidents for each in grown], [each.us for each in grown], "incidents in a partition"
        )
        _curve(right, [each.items for each in large], [each.us for each in large], "items in one incident")
        left.set_ylabel("µs of CPU per event")
        left.set_ylim(bottom=0.0)

    _saved(draw, file)


def changelog(grown: Sequence[Incidents], large: Sequence[Items], file: Path) -> None:
    """Bytes of changelog per event over incidents, and over items of one incident."""

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        _curve(
            left,
            [each.incidents for each in grown],
            [each.changelog for each in grown],
            "incidents in a partition",
        )
        _curve(
            right, [each.items for each in large], [each.changelog for each in large], "items in one incident"
        )
        left.set_ylabel("changelog, bytes per event, uncompressed")
        left.set_ylim(bottom=0.0)

    _saved(draw, file)


def memory(grown: Sequence[Incidents], file: Path) -> None:
    """Bytes of memory per idle incident."""

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        _curve(
            axis,
            [each.incidents for each in grown],
            [each.memory for each in grown],
            "incidents in a partition",
        )
        axis.set_ylabel("bytes of memory per idle incident of one item")
        axis.set_ylim(bottom=0.0)

    _saved(draw, file)


def recovery(tables: Sequence[Recovered], workers: Sequence[Restarted], file: Path) -> None:
    """Seconds of CPU to recover, by store: rows into tables, ledger from tables; and a worker on Kafka, by the wall."""

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        names = [f"{each.store}, {each.incidents:,} incidents\nwithout Kafka" for each in tables]
        axis.barh(
            names, [each.tables_s for each in tables], color=THEIRS, label="changelog rows into tables, CPU s"
        )
        axis.barh(
            names,
            [each.ledger_s for each in tables],
            left=[each.tables_s for each in tables],
            color=OURS,
            label="ledger from tables, CPU s",
        )
        names = [f"{each.store}, {each.incidents:,} incidents\na worker on Kafka" for each in workers]
        axis.barh(
            names, [each.wall_s for each in workers], color="#d9a441", label="start to first update, wall s"
        )
        axis.invert_yaxis()
        axis.set_xlabel("seconds")
        axis.legend(frameon=False)

    _saved(draw, file)


def scaling(found: Sequence[Scaled], file: Path) -> None:
    """Events per second, wall and CPU, over the number of workers."""

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        numbers = [str(each.workers) for each in found]
        axis.plot(numbers, [each.per_s for each in found], "o-", color=OURS, label="per second, wall")
        axis.plot(numbers, [each.per_cpu_s for each in found], "o-", color=THEIRS, label="per second of CPU")
        axis.set_xlabel("workers on 8 partitions")
        axis.set_ylabel("events")
        axis.set_ylim(bottom=0.0)
        axis.legend(frameon=False)

    _saved(draw, file)


def _curve(axis: Any, sizes: Sequence[int], values: Sequence[float], what: str) -> None:
    axis.plot(sizes, values, "o-", color=OURS)
    axis.set_xscale("log")
    axis.set_xlabel(what)


def _saved(draw: Callable[[Any], None], file: Path) -> None:
    with mpl.rc_context({**STEADY, "axes.spines.top": False, "axes.spines.right": False}):
        figure = plt.figure(figsize=(8.0, 3.4), layout="constrained")
        draw(figure)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)
