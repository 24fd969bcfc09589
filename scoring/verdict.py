"""The verdict line: what a newsroom may read aloud."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from schemas.words import State
from scoring.incident import Incident
from scoring.levels import shown
from scoring.policy import Policy

MONTHS: Final[tuple[str, ...]] = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
"""As the published page writes them, whatever the locale."""


def verdict(incident: Incident, policy: Policy, noise: float, peak_at: datetime) -> str:
    """Return the verdict on the incident at `noise` (0 to 100), in one line, as the published page words it.

    `peak_at` is the time of its peak, which whoever tells of it has at hand.
    """
    return line(
        policy,
        incident.state,
        noise,
        items=incident.items,
        platforms=len(incident.platforms),
        peak_noise=incident.peak_noise,
        peak_at=peak_at,
        merged_into=incident.merged_into,
    )


def line(
    policy: Policy,
    state: str,
    noise: float,
    *,
    items: int,
    platforms: int,
    peak_noise: float,
    peak_at: datetime,
    merged_into: str | None,
) -> str:
    """Return the verdict on what a row or an event says; a `state` without words in the policy stands for itself."""
    if merged_into is not None:
        return f"Merged into {merged_into}: its items count there"
    word = policy.words.get(cast("State", state), state)
    return (
        f"{word}: noise {shown(noise)}/100 · state: {state} · "
        f"{items} source item{'' if items == 1 else 's'} across {platforms} platform{'' if platforms == 1 else 's'} · "
        f"peaked at {shown(peak_noise)}/100 on {MONTHS[peak_at.month - 1]} {peak_at.day}, {peak_at.year}"
    )
