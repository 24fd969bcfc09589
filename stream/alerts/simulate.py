"""What rules would have told of a recording: the desk over a replay, in the time of the recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from schemas.cloudevents import Output
from schemas.codec import decode_profile
from schemas.errors import RecordError
from schemas.incident_profile import IncidentProfile
from schemas.noise_score import NoiseScore
from schemas.topics import INCIDENT_PROFILES
from scoring.policy import Policy
from stream.alerts.desk import Desk
from stream.alerts.heard import TOPICS, Heard, Score, Trigger
from stream.alerts.notices import Notice
from stream.alerts.rules import Rule
from stream.files import FileRecord
from stream.replay.run import Replay


class Sent(NamedTuple):
    """A notice, and the names of the channels it would have gone to."""

    notice: Notice
    channels: tuple[str, ...]


def simulate(
    rules: Iterable[Rule],
    policy: Policy,
    replay: Replay,
    profiles: Iterable[FileRecord],
    items: Iterable[FileRecord],
    page_url: str = "",
) -> Iterator[Sent]:
    """Yield what would have been sent, in order; last the digests that are still collected at the end.

    Alerts that have not ended then stay so: nobody knows what came after.
    """
    desk, now = Desk(rules, policy, page_url), 0.0
    for record in profiles:
        profile = _profile(record)
        if profile is not None:
            desk.hear(Heard(INCIDENT_PROFILES, "", profile.incident_id, profile), now)
        replay.profile(record.value, (record.place, record.line))
    for record in items:
        for output in replay.item(record.value, (record.place, record.line)) or ():
            if output.topic not in TOPICS:
                continue
            while desk.next_due <= max(now, output.at):
                now = max(now, desk.next_due)
                yield from _sent(desk, desk.advance(now))
            now = max(now, output.at)
            yield from _sent(desk, desk.hear(heard_of(output), now))
    while desk.collecting:
        now = max(now, desk.next_due)
        yield from _sent(desk, desk.advance(now))


def heard_of(output: Output) -> Heard:
    """Return an event as it would have been read from its topic."""
    event = output.event
    if isinstance(event, NoiseScore):
        event = Score(
            event.incident_id,
            event.revision,
            event.as_of,
            event.composite,
            event.anchor,
            event.half_life,
            event.state,
            event.category.value,
            event.merged_into,
        )
    return Heard(output.topic, output.id, output.key, cast("Trigger | Score | IncidentProfile", event))


def _profile(record: FileRecord) -> IncidentProfile | None:
    try:
        return decode_profile(record.value)
    except RecordError:
        return None  # the replay says what is wrong with it


def _sent(desk: Desk, notices: list[Notice]) -> Iterator[Sent]:
    for notice in notices:
        yield Sent(notice, desk.channels_of(notice))
