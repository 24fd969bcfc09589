"""What a recording comes to: the events of each incident, replayed as `decibel replay` does, and its volume."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from schemas.cloudevents import Output
from schemas.codec import decode_item, decode_profile
from schemas.noise_score import NoiseScore
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import DAY_S, to_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import PeakKind
from scoring.policy import Policy
from stream.files import RecordFile
from stream.profile_files import read_profiles
from stream.replay.run import Replay

AFTER_S: Final = 90.0 * DAY_S
"""How long the clock runs on after the last observation, so that everything that falls due by itself is seen."""


class Story(NamedTuple):
    """One incident: its title, the times (epoch seconds) at which its items were published, and its events."""

    incident_id: str
    title: str
    published: list[float]
    scores: list[NoiseScore]
    trends: list[TrendUpdate]
    states: list[StateChange]
    crossings: list[PeakCrossing]

    @property
    def onset(self) -> float:
        """When its first item was published."""
        return self.published[0]

    def crossed(self, *kinds: PeakKind) -> list[PeakCrossing]:
        """Return the crossings of these kinds."""
        return [each for each in self.crossings if each.kind in kinds]

    def volume(self, start: float, end: float) -> int:
        """Return how many items were published from `start` to before `end` (epoch seconds)."""
        return sum(start <= at < end for at in self.published)


def stories(folder: Path, policy: Policy) -> list[Story]:
    """Replay a recording (`items.jsonl.gz`, `profiles.jsonl`) and return its incidents, the first met first."""
    items = [line for _, line in RecordFile(str(folder / "items.jsonl.gz")).lines()]
    profiles = [record.value for record in read_profiles(str(folder / "profiles.jsonl"))]
    published = _published(items)
    last = max(to_epoch(decode_item(line).observed_at or decode_item(line).published_at) for line in items)
    events = _events(items, profiles, policy, last + AFTER_S)
    titles = {each.incident_id: each.title for each in map(decode_profile, profiles)}
    return [
        Story(
            incident_id,
            titles.get(incident_id) or incident_id,
            times,
            *(
                [each for each in events[incident_id] if isinstance(each, kind)]
                for kind in (NoiseScore, TrendUpdate, StateChange, PeakCrossing)
            ),
        )
        for incident_id, times in published.items()
    ]


def _published(lines: Iterable[bytes]) -> dict[str, list[float]]:
    """Return when each item of each incident was published, by its first observation, in order."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for line in lines:
        item = decode_item(line)
        found[item.incident_id].setdefault(item.item_id, to_epoch(item.published_at))
    return {incident_id: sorted(items.values()) for incident_id, items in found.items()}


def _events(
    items: Iterable[bytes], profiles: Iterable[bytes], policy: Policy, until: float
) -> dict[str | None, list[object]]:
    """Return the events of each incident in order; without `until` what falls due later would be missing."""
    run = Replay(policy, received_at=round(time.time(), 3), until=until)
    found: dict[str | None, list[object]] = defaultdict(list)

    def take(outputs: Iterable[Output]) -> None:
        for output in outputs:
            found[output.key].append(output.event)

    for number, line in enumerate(profiles, 1):
        take(run.profile(line, ("profiles", number)))
    for number, line in enumerate(items, 1):
        take(run.item(line, ("items", number)) or [])
    take(run.finish())
    return found
