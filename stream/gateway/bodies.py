"""What the gateway answers, as structs: they are encoded, and they are documented (see `openapi`)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from schemas.noise_score import Change
from schemas.words import Side, Tier

Noise = Annotated[float, Meta(ge=0.0, le=100.0)]


def _event(*names: str) -> Meta:
    """What an event's own bytes are documented as: the event of its topic."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return Meta(extra_json_schema=refs[0] if len(refs) == 1 else {"anyOf": refs})


Score = Annotated[Raw, _event("NoiseScore")]
Profile = Annotated[Raw, _event("IncidentProfile")]
IndexEvent = Annotated[Raw, _event("NoiseIndex")]
ChangeEvent = Annotated[Raw, _event("StateChange", "TrendUpdate", "PeakCrossing", "IncidentMerged")]


class Incident(Struct, frozen=True, omit_defaults=True):
    """An incident as of the answer: `noise` (0 to 100), `level` and `verdict` hold then; `rank` is its place by noise
    among all, from 1, null where it has none. `score` and `profile` are the latest events, as they were sent.

    `spark`, where it was asked for, is the noise over the last 48 h in even steps, the last one now; null before its
    first score.
    """

    incident_id: str
    title: str
    noise: Noise
    level: str
    verdict: str
    rank: int | None
    score: Score
    profile: Profile | None
    spark: tuple[Noise | None, ...] = ()


class Event(Struct, frozen=True):
    """An event with its id and topic; what it says is documented in docs/events.md."""

    topic: str
    id: str
    event: ChangeEvent


class Changes(Struct, frozen=True):
    """What changed last, over all incidents: states, trends, peaks, merges, the latest first.

    Only of what the live stream still holds. `place` is a place in it before it was read.
    """

    at: datetime
    place: str
    changes: tuple[Event, ...]


class Incidents(Struct, frozen=True):
    """A page of incidents. `cursor` asks for the next; null at the end. A page may hold fewer than `limit` before that.

    `place` is a place in the live stream before the page was read: who listens from there on misses nothing.
    """

    at: datetime
    place: str
    incidents: tuple[Incident, ...]
    cursor: str | None


class Factor(Struct, frozen=True):
    """One of the seven: `value` (0 to 100) by `weight` is what it adds to the composite; by decay, to the noise."""

    name: str
    label: str
    value: float
    weight: float
    composite_points: float
    noise_points: float


class Explanation(Struct, frozen=True):
    """Why an incident is as loud as it is at `at`. `shown` is the noise rounded down; `noise = composite * decay`.

    `story` tells it in sentences, `change_told` what moved it last; both rest on its latest score alone.
    """

    at: datetime
    incident_id: str
    title: str
    noise: Noise
    shown: int
    level: str
    verdict: str
    story: tuple[str, ...]
    composite: float
    decay: float
    half_life: float
    factors: tuple[Factor, ...]
    change: Change | None
    change_told: str


class IncidentPage(Struct, frozen=True):
    """All that is known of one incident; `changes` are the latest first."""

    at: datetime
    place: str
    incident_id: str
    title: str
    noise: Noise
    level: str
    verdict: str
    rank: int | None
    score: Score
    profile: Profile | None
    changes: tuple[Event, ...]
    explain: Explanation


class HistoryPoint(Struct, frozen=True):
    """Noise and polarity (0 to 100) at `at`, and the curve on which the noise went on until the next point."""

    at: datetime
    noise: float
    polarity: float
    composite: float
    anchor: datetime
    half_life: float


class History(Struct, frozen=True):
    """Noise and polarity of an incident over time, the earliest first: the last of each hour."""

    at: datetime
    incident_id: str
    points: tuple[HistoryPoint, ...]


class Part(Struct, frozen=True):
    """The part of a figure in an incident, with the incident's noise now; null before its first score."""

    incident_id: str
    title: str
    noise: Noise | None
    name: str
    side: Side
    tier: Tier
    position: str


class Figure(Struct, frozen=True):
    """A person, company or body, and the incidents it is a party to, the loudest first."""

    name: str
    parts: tuple[Part, ...]


class Figures(Struct, frozen=True):
    """The figures that are party to most incidents."""

    at: datetime
    figures: tuple[Figure, ...]


class FigurePage(Struct, frozen=True):
    """One figure."""

    at: datetime
    name: str
    parts: tuple[Part, ...]


class IndexPoint(Struct, frozen=True):
    """The index at `at`, its average over months, and the one by the other."""

    at: datetime
    value: float
    average: float
    relative: float | None


class CategoryIndex(Struct, frozen=True):
    """The index of a category: `value` now, the latest event, and its past (the last of each hour)."""

    category: str
    value: float
    event: IndexEvent
    history: tuple[IndexPoint, ...]


class Index(Struct, frozen=True):
    """The index, `overall` first, then by category."""

    at: datetime
    place: str
    categories: tuple[CategoryIndex, ...]


class IndexNow(Struct, frozen=True):
    """The overall index now; `relative` to its average over months, null while there is too little history."""

    value: float
    relative: float | None


class Pulse(Struct, frozen=True):
    """How it is at a glance. `clock` says what time is: `wall`, or `stream`, the latest event's, for recordings.

    `per_hour` are events by topic, counted over the last `counted_s` seconds.
    """

    at: datetime
    place: str
    clock: str
    incidents: int
    loudest: Incident | None
    index: IndexNow | None
    latest_event_at: datetime | None
    per_hour: dict[str, float]
    counted_s: float


class LoudIncident(Struct, frozen=True):
    """An incident of a month, with the greatest noise that was told of it then."""

    incident_id: str
    title: str
    noise: float


class Recap(Struct, frozen=True):
    """A month: its loudest incidents, and its state changes and confirmed peaks, the earliest first."""

    at: datetime
    month: str
    loudest: tuple[LoudIncident, ...]
    events: tuple[Event, ...]


class Section(Struct, frozen=True):
    """One subject of the methodology: what holds, in words, and a table where there is one."""

    title: str
    words: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Methodology(Struct, frozen=True):
    """The scoring rules, with the numbers of the policy that runs, and the policy itself."""

    sections: tuple[Section, ...]
    policy: dict[str, Any]


class ViewState(Struct, frozen=True):
    """The view: its generation (null: there is none yet), how much it holds, from where to where it can be followed."""

    generation: int | None
    incidents: int
    live_entries: int
    live_first: str | None
    live_last: str | None


class Clients(Struct, frozen=True):
    """Live connections now."""

    sse: int
    websocket: int


class GatewayState(Struct, frozen=True):
    """This gateway: since its start `dropped` connections were too slow, `delivered` events were handed to connections.

    `read_lag_s` is how old the last events were when they were handed on; null before the first.
    """

    version: str
    started_at: datetime
    clients: Clients
    dropped: int
    delivered: int
    read_lag_s: float | None


class PartitionLag(Struct, frozen=True):
    """How many records of a partition of `source-items` the workers have not committed yet."""

    partition: int
    lag_records: int


class KafkaState(Struct, frozen=True):
    """What Kafka says, as of `asked_at`: null what it could not be asked, with the reason in `error`.

    `lag_records` wait in the source topics; `dead_letters` are those that are kept.
    """

    lag_records: int | None
    dead_letters: int | None
    partitions: tuple[PartitionLag, ...]
    asked_at: datetime | None
    error: str | None


class Operations(Struct, frozen=True):
    """How the deployment does, as far as the gateway can know."""

    at: datetime
    view: ViewState
    gateway: GatewayState
    kafka: KafkaState
    per_hour: dict[str, float]
    counted_s: float
