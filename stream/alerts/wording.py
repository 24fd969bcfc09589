"""The words of an alert. What strangers wrote (titles, names) is shown as text, without control characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import from_epoch, to_epoch
from schemas.words import Activity, PeakKind
from scoring.levels import level_of, shown
from scoring.policy import Policy
from stream.alerts.heard import Heard, Known, Trigger, noise_of
from stream.alerts.notices import Alert
from stream.alerts.rules import Rule

MOST_LISTED: Final = 20
"""Lines of a digest; what lies beyond is counted."""

_ACTIVITIES: Final = {
    Activity.SPIKING: "spiking",
    Activity.SUBSIDED: "the spike has subsided",
    Activity.SILENT: "silent",
    Activity.NORMAL: "back to its usual volume",
}


def clean(text: str) -> str:
    """Return the text in one line without control characters.

    >>> clean("stop\\x1b[2J\\nnow")
    'stop [2J now'
    """
    return "".join(char if char.isprintable() else " " for char in text)


def alert_of(rule: Rule, heard: Heard, event: Trigger, known: Known, policy: Policy) -> Alert:
    """Return what `rule` says of an event that it matches."""
    noise = noise_of(event, known)
    name = clean(known.title or event.incident_id)
    what, more = _said(event, noise, policy)
    state = event.to if isinstance(event, StateChange) else known.state
    return Alert(
        id=alert_id(rule, heard),
        event_id=heard.id,
        topic=heard.topic,
        incident_id=event.incident_id,
        at=event.at,
        title=f"{name}: {what}",
        summary=clean(more),
        category=known.category,
        noise=noise,
        level=level_of(noise, policy),
        state=None if state is None else state.value,
    )


def alert_id(rule: Rule, heard: Heard) -> str:
    """Return the id of what a rule says of an event: the same for each repeat of the event."""
    return f"{heard.id}/alert/{rule.name}"


def bundled(alerts: Sequence[Alert]) -> tuple[str, str]:
    """Return title and summary of alerts told together, in their order."""
    if len(alerts) == 1:
        return alerts[0].title, alerts[0].summary
    incidents = len({alert.incident_id for alert in alerts})
    of = f" on {incidents} incidents" if incidents > 1 else ""
    lines = [f"{alert.at:%Y-%m-%d %H:%M} UTC  {alert.title}" for alert in alerts[:MOST_LISTED]]
    if len(alerts) > MOST_LISTED:
        lines.append(f"and {len(alerts) - MOST_LISTED} more")
    return f"{len(alerts)} alerts{of} – {alerts[-1].title}", "\n".join(lines)


def _said(event: Trigger, noise: float, policy: Policy) -> tuple[str, str]:
    """Return what has happened in some words that stand behind the incident's title, and more about it."""
    loud = f"noise {shown(noise)} ({level_of(noise, policy)})"
    if isinstance(event, StateChange):
        figures = ", ".join(f"{name} {value:g}" for name, value in event.evidence.items())
        before = f" (was {event.previous.value})" if event.previous else ""
        return f"now {event.to.value}{before}", f"{event.reason}; {figures or 'no figures'}; {loud}"
    if isinstance(event, PeakCrossing):
        return _crossed(event, loud)
    rates = ", ".join(f"{rate:.2g} items per hour over {horizon}" for horizon, rate in event.rates.items())
    said = []
    if event.trend != event.previous:
        said.append(f"{event.trend.value.lower()} (was {event.previous.value.lower()})")
    if event.activity != event.previous_activity:
        said.append(_ACTIVITIES[event.activity])
    return ", ".join(said), f"{event.multiple:.1f} times its usual volume; {rates}; {loud}"


def _crossed(event: PeakCrossing, loud: str) -> tuple[str, str]:
    if event.kind is PeakKind.NEW_PEAK:
        return f"new peak, noise {shown(event.noise)}", loud
    if event.kind is PeakKind.PEAKED:
        peak = event.peak
        if peak is None:
            return "peaked", loud
        when = from_epoch(to_epoch(peak.at))
        return (
            f"peaked at noise {shown(peak.noise)}",
            f"its peak was on {when:%Y-%m-%d %H:%M} UTC; {loud}",
        )
    if event.kind is PeakKind.ROSE_ABOVE:
        return f"risen to {event.level}", loud
    return f"fallen below {event.level}", loud
