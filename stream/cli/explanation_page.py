"""An explanation as a page in the terminal: the verdict, the table that adds up, what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.times import HOUR_S
from schemas.words import Activity
from scoring.explain import LABELS, Explanation
from scoring.history import History, Sample, noise_over, polarity_over
from scoring.lead import told as lead_told
from scoring.levels import shown
from scoring.reasons import CAME_BY, parts, span, when
from stream.cli.context import plain

_WIDTH: Final = 118
"""Of the page: lines of prose longer than this are hard to read, however wide the terminal."""

_ROOM_FOR_BARS: Final = 100
"""Narrower pages do without the factors' bars, so that the reasons have room."""

_METER: Final = 40
_BAR: Final = 10
"""Widths of the noise meter and of a factor's bar, in cells."""

_HEAT: Final = ((75.0, "red"), (60.0, "dark_orange"), (45.0, "yellow"), (25.0, "green"), (0.0, "cyan"))
"""Colours from a noise (0 to 100) on; only looks, the levels are in the policy."""

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"

_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
_SPARKS: Final = 48
"""Cells of a sparkline: two for an hour of a day, one or two for a day of a month."""


def print_page(console: Console, told: Explanation, last_title: str = "") -> None:
    """Print the explanation; `last_title` is the title of the item that moved it last."""
    width = min(console.width, _WIDTH) if console.is_terminal else console.width
    for part in (_head(told), _meter(told), Text(), Text(plain(told.verdict), style="bold")):
        console.print(part, width=width)
    console.print(Text(" ".join(told.story)), width=min(width, _WIDTH))
    console.print()
    console.print(_factors(told, bars=width >= _ROOM_FOR_BARS), width=width)
    console.print()
    console.print(_facts(told, last_title), width=width)
    if told.movers:
        console.print()
        console.print(_movers(told), width=width)


def _head(told: Explanation) -> Text:
    head = Text(plain(told.title or told.incident_id), style="bold")
    head.append(f"   {told.category.value}", style="dim not bold")
    named = f"{plain(told.incident_id)}, " if told.title else ""
    head.append(f"\n{named}{when(told.at.timestamp())}, revision {told.revision}\n", style="dim not bold")
    return head


def _meter(told: Explanation) -> Text:
    colour = next(colour for edge, colour in _HEAT if told.noise >= edge)
    meter = Text(f"{told.shown:>3} ", style=f"bold {colour}")
    meter.append(bar(told.noise, _METER), style=colour)
    meter.append(f" {told.level}", style=f"bold {colour}")
    meter.append(f"  ·  {told.state.state.value}  ·  {told.trend.trend.value}", style="not bold")
    return meter


def bar(value: float, width: int) -> str:
    """Return a bar of `width` cells for a value of 0 to 100, exact to an eighth of a cell.

    >>> bar(50.0, 4), bar(15.0, 4)
    ('██░░', '▋░░░')
    """
    eighths = round(max(0.0, min(100.0, value)) / 100.0 * width * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    return filled + "░" * (width - len(filled))


def _factors(told: Explanation, *, bars: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, padding=(0, 2, 0, 0))
    table.add_column("factor", footer="Composite, noise")
    if bars:
        table.add_column("", footer="")
    table.add_column("value", justify="right")
    table.add_column("× weight", justify="right", footer=f"{sum(line.weight for line in told.factors):.2f}")
    table.add_column("= points", justify="right", footer=Text(f"{told.composite:.2f}", style="bold"))
    table.add_column(
        f"× {100 * told.decay:.1f} %", justify="right", footer=Text(f"{told.noise:.2f}", style="bold")
    )
    table.add_column("because", footer=_decay_told(told), overflow="fold")
    for line in told.factors:
        table.add_row(
            LABELS[line.name],
            *([Text(bar(line.value, _BAR), style="blue")] if bars else []),
            f"{line.value:.1f}",
            f"{line.weight:.2f}",
            f"{line.composite_points:.2f}",
            f"{line.noise_points:.2f}",
            Text(plain(line.because), style="dim"),
        )
    return table


def _decay_told(told: Explanation) -> Text:
    ago = span(max(0.0, told.age_h) * 3600.0)
    return Text(f"last coverage {ago} ago; it halves in {span(told.half_life_h * 3600.0)}", style="dim")


def _facts(told: Explanation, last_title: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    trend, polarity = told.trend, told.polarity
    table.add_row("State", _state(told))
    table.add_row("Trend", f"{trend.trend.value}: {trend.because}")
    table.add_row(
        "", f"{trend.multiple:.1f} times its usual volume{_activity(told)}; noise {trend.slope:+.2f} points/h"
    )
    confirmed = "" if told.peak_confirmed else ", not yet final"
    table.add_row("Peak", f"{shown(told.peak.noise)} on {when(told.peak.at.timestamp())}{confirmed}")
    noise, split = _over_time(told)
    if noise:
        start, end = (when(moment.timestamp()) for moment in (told.past[0].at, told.at))
        table.add_row("Noise", f"{noise} 0 to {shown(told.peak.noise)}, {start} to {end}")
    table.add_row(
        "Polarity",
        f"{polarity.value:.0f}, {polarity.shift.value} (its average of late {told.polarity_average:.0f})",
    )
    if split:
        table.add_row("", f"{split} 0 (one-sided) to 100 (evenly split), over the same time")
    table.add_row("Coverage", _coverage(told))
    if told.items:
        table.add_row("", lead_told(told.lead_time))
    if told.last_item is not None:
        moved = f"{plain(told.last_item.id)} moved it by {told.last_item.points:+.2f} points"
        table.add_row("Last item", moved + (f": {plain(last_title)}" if last_title else ""))
    table.add_row("Forecast", _forecast(told))
    for number, each in enumerate(told.next):
        text = f"{when(each.at.timestamp())}: {each.what}"
        table.add_row("" if number else "Next", Text(text, style="dim" if number else ""))
    if not told.next:
        table.add_row("Next", "nothing, unless new coverage comes")
    return table


def _over_time(told: Explanation) -> tuple[str, str]:
    """Sparklines of noise (up to its peak) and polarity; empty where there is no time to show."""
    if not told.past or told.past[0].at >= told.at:
        return "", ""
    past = History(len(told.past) + 1, 0.001)  # milliseconds: nothing is thinned again
    for number, each in enumerate(told.past):
        past.note(Sample(each.at.timestamp(), number, each.noise, each.polarity))
    start, end = told.past[0].at.timestamp(), told.at.timestamp()
    noise = noise_over(past, start, end, _SPARKS, told.half_life_h * HOUR_S)
    split = polarity_over(past, start, end, _SPARKS)
    return spark(noise, told.peak.noise), spark(split, 100.0)


def spark(values: Sequence[float | None], full: float) -> str:
    """Return a line of blocks, as high as each value is between 0 and `full`; None is a gap.

    >>> spark([None, 0.0, 25.0, 50.0], 50.0)
    ' ▁▅█'
    """
    top = len(_HEIGHTS) - 1
    return "".join(
        " " if value is None else _HEIGHTS[round(top * min(1.0, value / full))] if full else _HEIGHTS[0]
        for value in values
    )


def _movers(told: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("biggest moves")
    table.add_column("points", justify="right")
    table.add_column("to", justify="right")
    table.add_column("through", overflow="fold")
    table.add_column("because", overflow="fold")
    for move in told.movers:
        through = move.item_id or CAME_BY[move.by]
        title = f": {move.title}" if move.title else ""
        why = Text(", ".join(parts(move)), style="dim")
        table.add_row(
            when(move.at.timestamp()),
            f"{move.points:+.1f}",
            str(shown(move.noise)),
            plain(through + title),
            why,
        )
    return table


def _activity(told: Explanation) -> str:
    """What the volume does, where there is something to say."""
    trend = told.trend
    since = when(trend.activity_since.timestamp())
    match trend.activity:
        case Activity.SPIKING:
            return f", spiking since {since} (score {trend.spike:.2f})"
        case Activity.SUBSIDED:
            return f", its spike subsided on {since}"
        case Activity.SILENT:
            return f", silent since {since}"
        case Activity.NORMAL:
            return ""


def _state(told: Explanation) -> str:
    state = told.state
    figures = ", ".join(
        f"held {value:.3g} h" if name == "held_h" else f"{name} {value:.3g}"
        for name, value in state.evidence.items()
        if name != "threshold" and (name != "held_h" or value)
    )
    why = f": {state.reason}" if state.reason else ""
    return f"{state.state.value} since {when(state.since.timestamp())}{why}" + (
        f" ({figures})" if figures else ""
    )


def _forecast(told: Explanation) -> str:
    """The point and the 90 % band at each horizon; all shown rounded down, as every noise is."""
    return ", ".join(
        f"in {each.hours:g} h {shown(each.noise)} ({shown(each.low_90)} to {shown(each.high_90)}"
        + (")" if number else " with 90 %)")
        for number, each in enumerate(told.forecast)
    )


def _coverage(told: Explanation) -> str:
    first, last = (when(moment.timestamp()) for moment in (told.first_seen, told.last_seen))
    platforms = f"{told.platforms} platform{'' if told.platforms == 1 else 's'}"
    return f"{told.items:,} item{'' if told.items == 1 else 's'} on {platforms}, {first} to {last}"
