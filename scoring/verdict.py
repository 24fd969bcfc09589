"""The verdict line: what a newsroom may read aloud."""

from __future__ import annotations

from schemas.times import from_epoch
from scoring.incident import Incident
from scoring.levels import shown
from scoring.policy import Policy

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As the published page writes them, whatever the locale."""


def verdict(incident: Incident, policy: Policy, noise: float) -> str:
    """Return the verdict on the incident at `noise` (0 to 100), in one line, as the published page words it."""
    if incident.merged_into is not None:
        return f"Merged into {incident.merged_into}: its items count there"
    peak = from_epoch(incident.peak_at)
    items, platforms = incident.items, len(incident.platforms)
    return (
        f"{policy.words[incident.state]}: noise {shown(noise)}/100 · state: {incident.state.value} · "
        f"{items} source item{'' if items == 1 else 's'} across {platforms} platform{'' if platforms == 1 else 's'} · "
        f"peaked at {shown(incident.peak_noise)}/100 on {MONTHS[peak.month - 1]} {peak.day}, {peak.year}"
    )
