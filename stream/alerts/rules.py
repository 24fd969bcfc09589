"""The rules of alerting: which events are told, of which incidents, to whom, how bundled, until when.

Plain typed tables of a TOML file, `[[rule]]`; see `stream.alerts.rule_file` for how they are read and checked. What
they decide is in `stream.alerts.matching` and `stream.alerts.desk`.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from schemas.words import Activity, Category, PeakKind, Sensitivity, State, Trend

NAME: Final = r"^[A-Za-z0-9_.-]{1,64}$"
DURATION: Final = r"^[1-9]\d{0,4}(s|min|h|d)$"
CLOCK_TIME: Final = r"^([01]\d|2[0-3]):[0-5]\d$"

Name = Annotated[str, Meta(pattern=NAME)]
Duration = Annotated[str, Meta(pattern=DURATION)]
"""A length of time as it is written: `15min`, `12h`, `2d`."""
ClockTime = Annotated[str, Meta(pattern=CLOCK_TIME)]
"""A time of day as it is written: `22:00`."""
Noise = Annotated[float, Meta(ge=0.0, le=100.0)]

_UNITS_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Severity(StrEnum):
    """How much an alert matters, for whoever sorts by it."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Day(StrEnum):
    """A day of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


DAYS: Final = tuple(Day)


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: what it does not know is an error, for a misspelt condition would widen a rule."""


class States(Table, frozen=True):
    """A state change to one of `to`, from one of `before`. Empty lists hold all; first detected has no `before`."""

    to: tuple[State, ...] = ()
    before: tuple[State, ...] = field(default=(), name="from")


class Peaks(Table, frozen=True):
    """A peak crossing of one of these kinds, at one of these noise levels. Empty lists hold all."""

    kinds: tuple[PeakKind, ...] = ()
    levels: tuple[str, ...] = ()


class When(Table, frozen=True):
    """Which events a rule tells of: those that meet any of these conditions."""

    states: States | None = None
    peaks: Peaks | None = None
    trends: tuple[Trend, ...] = ()
    spike: Sensitivity | None = None
    activity: tuple[Activity, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no event can meet it."""
        return self.states is None and self.peaks is None and not (self.trends or self.spike or self.activity)


class Quiet(Table, frozen=True):
    """Hours in which nothing is sent, by the rule's zone; `days` are those on which they begin.

    Where `end` is not after `begin` they go on into the next day; where both are equal they last a day.
    """

    begin: ClockTime = field(name="from")
    end: ClockTime = field(name="to")
    days: Annotated[tuple[Day, ...], Meta(min_length=1)] = DAYS


class Resolve(Table, frozen=True):
    """What ends an alert: any of these. Without one an alert is a moment, and nothing tells its end."""

    state_leaves: bool = False
    noise_below: Noise | None = None
    after: Duration | None = None

    @property
    def never(self) -> bool:
        """Whether nothing ends it."""
        return not self.state_leaves and self.noise_below is None and self.after is None


class Rule(Table, frozen=True):
    """A rule. Its conditions are joined by "and"; `incidents` and `figures` are one watch-list, joined by "or".

    `urgent` passes through quiet hours. Alerts of one group (rule and incident, category, or the rule alone) share a
    digest, and are resolved together. `repeat_after` tells an alert again that has not ended.
    """

    name: Name
    when: When
    channels: Annotated[tuple[Name, ...], Meta(min_length=1)]
    severity: Severity = Severity.WARNING
    urgent: bool = False
    categories: tuple[Category, ...] = ()
    incidents: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    min_noise: Noise = 0.0
    min_level: str = ""
    group: Literal["incident", "category", "rule"] = "incident"
    digest: Literal["none", "15min", "hour", "day"] = "none"
    digest_at: ClockTime = "08:00"
    zone: str = "UTC"
    quiet: tuple[Quiet, ...] = ()
    repeat_after: Duration | None = None
    resolve: Resolve = Resolve()


def seconds(duration: str) -> float:
    """Return a length of time in seconds.

    >>> seconds("15min"), seconds("2d")
    (900.0, 172800.0)
    """
    number = duration.rstrip("sminhd")
    return int(number) * _UNITS_S[duration[len(number) :]]


def clock_time(text: str) -> time:
    """Return a time of day.

    >>> clock_time("22:30")
    datetime.time(22, 30)
    """
    return time.fromisoformat(text)
