"""What another policy would have done: two runs over the same records, side by side.

A `Track` notes what one run tells; `compare` holds two of them against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from schemas.cloudevents import Output
from schemas.noise_index import NoiseIndex
from schemas.noise_score import Peak
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import Moment, from_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import PeakKind, State, Trend
from scoring import policy_tables
from scoring.alignment import align
from scoring.incident import Incident
from scoring.policy import Policy


class Alert(StrEnum):
    """What a newsroom would be woken by."""

    MAJOR = "Major Controversy"
    LOUD = "loud peak"
    SURGE = "surging"


class Track:
    """What one run tells: the states of each incident with their times, alerts, and the index at the end.

    A new peak of `loud` (0 to 100) or more is an alert; the same measure serves both runs.
    """

    def __init__(self, policy: Policy, loud: float) -> None:
        self.policy, self.loud = policy, loud
        self.steps: dict[str, list[StateChange]] = {}
        self.alerts: dict[Alert, Counter[str]] = {kind: Counter() for kind in Alert}
        self.index: dict[str, float] = {}

    def note(self, outputs: Iterable[Output]) -> None:
        """Take events in their order."""
        for output in outputs:
            event = output.event
            if isinstance(event, StateChange):
                self.steps.setdefault(event.incident_id, []).append(event)
                self._alert(Alert.MAJOR, event.incident_id, event.to is State.MAJOR)
            elif isinstance(event, PeakCrossing):
                loud = event.kind is PeakKind.NEW_PEAK and event.noise >= self.loud
                self._alert(Alert.LOUD, event.incident_id, loud)
            elif isinstance(event, TrendUpdate):
                self._alert(Alert.SURGE, event.incident_id, event.trend is Trend.SURGING)
            elif isinstance(event, NoiseIndex):
                self.index[event.category] = event.value

    def _alert(self, kind: Alert, incident_id: str, rings: bool) -> None:  # noqa: FBT001 - what it is asked
        if rings:
            self.alerts[kind][incident_id] += 1


class Side(Struct, frozen=True):
    """An incident under one policy at the end: noise and its rank by it, the peak and the rank by that, the state."""

    noise: float
    rank: int
    peak: Peak
    peak_rank: int
    state: State


class IncidentLine(Struct, frozen=True):
    """An incident under both policies; None where a policy's limits have refused all of it."""

    incident_id: str
    a: Side | None
    b: Side | None


class StepLine(Struct, frozen=True):
    """A state that an incident enters at another time, or under one policy alone (the other time is None)."""

    incident_id: str
    to: State
    a: Moment | None
    b: Moment | None


class Count(Struct, frozen=True):
    """How many of something there are under each policy."""

    name: str
    a: float
    b: float


class AlertLine(Struct, frozen=True):
    """An incident that would ring more or less often."""

    incident_id: str
    alert: Alert
    a: int
    b: int


class Difference(Struct, frozen=True):
    """A constant that differs between the policies; None where one has none."""

    key: str
    a: object
    b: object


class Comparison(Struct, frozen=True):
    """Two policies over the same records, at `at`. Incidents stand in the order of A's noise, then B's.

    `steps` are only those that differ; `changes` counts all state changes, `alerts` all alerts, by kind; `index` is
    the noise of all incidents together, by category.
    """

    at: Moment
    policy: tuple[Difference, ...]
    incidents: tuple[IncidentLine, ...]
    changes: Count
    steps: tuple[StepLine, ...]
    alerts: tuple[Count, ...]
    rings: tuple[AlertLine, ...]
    index: tuple[Count, ...]


class Run(NamedTuple):
    """A finished run: what it told, and the rows it ended with."""

    track: Track
    rows: Mapping[str, Incident]


def compare(a: Run, b: Run, at: float) -> Comparison:
    """Return what run B makes of the records otherwise than run A, both at `at` (epoch seconds)."""
    names = sorted({*a.track.steps, *b.track.steps})
    return Comparison(
        at=from_epoch(at),
        policy=tuple(differences(a.track.policy, b.track.policy)),
        incidents=_incidents(_sides(a, at), _sides(b, at)),
        changes=Count("state changes", _number(a.track), _number(b.track)),
        steps=tuple(
            line
            for name in names
            for line in _steps(name, a.track.steps.get(name, ()), b.track.steps.get(name, ()))
        ),
        alerts=tuple(
            Count(kind.value, a.track.alerts[kind].total(), b.track.alerts[kind].total()) for kind in Alert
        ),
        rings=tuple(_rings(a.track, b.track)),
        index=tuple(
            Count(category, a.track.index.get(category, 0.0), b.track.index.get(category, 0.0))
            for category in sorted(
                {*a.track.index, *b.track.index}, key=lambda name: (name != "overall", name)
            )
        ),
    )


def differences(a: Policy, b: Policy) -> Iterator[Difference]:
    """Yield every constant that differs, by its key in the file."""
    ours, theirs = (dict(_constants("", policy_tables.to_builtins(each))) for each in (a, b))
    for key in (*ours, *(key for key in theirs if key not in ours)):
        if ours.get(key) != theirs.get(key):
            yield Difference(key, ours.get(key), theirs.get(key))


def _constants(key: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _constants(f"{key}.{name}" if key else str(name), each)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        for number, each in enumerate(value, 1):
            yield from _constants(f"{key}[{number}]", each)
    else:
        yield key, value


def _sides(run: Run, at: float) -> dict[str, Side]:
    half_life_s = run.track.policy.curve.half_life_s
    noise = {name: row.noise_at(at, half_life_s) for name, row in run.rows.items()}
    rank = _ranked(noise)
    peak_rank = _ranked({name: row.peak_noise for name, row in run.rows.items()})
    return {
        name: Side(
            noise[name],
            rank[name],
            Peak(row.peak_noise, from_epoch(row.peak_at)),
            peak_rank[name],
            row.state,
        )
        for name, row in run.rows.items()
    }


def _ranked(values: Mapping[str, float]) -> dict[str, int]:
    """Ranks from 1, the greatest first, ties by name."""
    order = sorted(values, key=lambda name: (-values[name], name))
    return {name: number for number, name in enumerate(order, 1)}


def _incidents(a: Mapping[str, Side], b: Mapping[str, Side]) -> tuple[IncidentLine, ...]:
    last = len(a) + len(b) + 1

    def place(name: str) -> tuple[int, int]:
        ranks = (side[name].rank if name in side else last for side in (a, b))
        first, second = ranks
        return first, second

    return tuple(IncidentLine(name, a.get(name), b.get(name)) for name in sorted({*a, *b}, key=place))


def _number(track: Track) -> int:
    return sum(map(len, track.steps.values()))


def _steps(name: str, a: Sequence[StateChange], b: Sequence[StateChange]) -> Iterator[StepLine]:
    for one, other in align(a, b, lambda step: step.to, lambda step: step.at.timestamp()):
        stands = one or other
        if stands is not None and (one is None or other is None or one.at != other.at):
            yield StepLine(name, stands.to, one.at if one else None, other.at if other else None)


def _rings(a: Track, b: Track) -> Iterator[AlertLine]:
    for kind in Alert:
        ours, theirs = a.alerts[kind], b.alerts[kind]
        for name in sorted({*ours, *theirs}):
            if ours[name] != theirs[name]:
                yield AlertLine(name, kind, ours[name], theirs[name])
