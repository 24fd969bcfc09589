"""What is told: an alert is what a rule says of one event, a notice is what goes to a channel."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.times import Moment
from stream.alerts.rules import Severity

NoticeKind = Literal["alert", "digest", "repeat", "resolved", "test"]


class Alert(Struct, frozen=True):
    """What a rule says of one event. `id` is a function of event and rule, and the same whenever it is made anew.

    `noise` (0 to 100) and `level` are those at the event, `state` is null where it is not known.
    """

    id: str
    event_id: str
    topic: str
    incident_id: str
    at: Moment
    title: str
    summary: str
    category: str
    noise: float
    level: str
    state: str | None


class Notice(Struct, frozen=True):
    """What is sent to a channel, once: the body of a webhook's CloudEvent, with all that the other channels need.

    `group` is what its alerts share: incident, category, or the rule. `since` is the event time of the first alert
    that has not ended; `ends` says when it ended, or (of one that nothing ends) is null. `labels` stay the same from
    an alert to its end.
    """

    id: str
    kind: NoticeKind
    rule: str
    severity: Severity
    group: str
    at: Moment
    since: Moment
    title: str
    summary: str
    link: str
    labels: dict[str, str]
    alerts: tuple[Alert, ...]
    ends: Moment | None = None
    lasting: bool = False
    """Whether it goes on until a later notice says that it has ended."""
