"""What is kept of a rule's alerts that belong together: told or collected, and the incidents that have not ended.

Plain values that can be stored and read back; what becomes of them is decided in `stream.alerts.desk`.
"""

from __future__ import annotations

from msgspec import Struct, field

from schemas.times import from_epoch
from scoring.decay import ALREADY, NEVER
from stream.alerts.heard import Known
from stream.alerts.notices import Alert, Notice, NoticeKind
from stream.alerts.rules import Rule, seconds
from stream.alerts.wording import bundled


class Member(Struct):
    """An incident that has not ended: its state at its last alert, and when that was decided (epoch seconds)."""

    state: str | None
    at: float


class Group(Struct):
    """The alerts of a rule that share `key`. Times are epoch seconds.

    `collected` are alerts not told yet, `due` is when they are to be. `told` is the last notice, told or repeated at
    `told_at`; `open` says that one was told whose end is to be told too. `ended` is when the last member ended.
    """

    rule: str
    key: str
    since: float
    labels: dict[str, str]
    members: dict[str, Member] = field(default_factory=dict)
    collected: list[Alert] = field(default_factory=list)
    due: float = 0.0
    told: Notice | None = None
    told_at: float = 0.0
    repeats: int = 0
    open: bool = False
    ended: float | None = None


def key_of(rule: Rule, alert: Alert) -> str:
    """Return what the alerts of a group share."""
    return {"incident": alert.incident_id, "category": alert.category, "rule": rule.name}[rule.group]


def labels_of(rule: Rule, alert: Alert) -> dict[str, str]:
    """Return the labels of a group that begins with `alert`: what its later alerts share with it, and its state."""
    labels = {"alertname": rule.name, "severity": rule.severity.value}
    if rule.group != "rule" and alert.category:
        labels["category"] = alert.category
    if rule.group == "incident":
        labels["incident"] = alert.incident_id
        if alert.state is not None:
            labels["state"] = alert.state
    return labels


def ends_at(rule: Rule, member: Member, known: Known) -> float:
    """Return when a member ends, if nothing new comes; ALREADY of one that has, NEVER where only news can end it."""
    resolve, ends = rule.resolve, [NEVER]
    if known.gone or resolve.never:
        return ALREADY
    if resolve.state_leaves and known.state is not None:
        wanted = [state.value for state in rule.when.states.to] if rule.when.states else []
        stays = wanted if member.state in wanted else [member.state]
        if known.state.value not in stays:
            return ALREADY
    if resolve.noise_below is not None and known.scored >= 0:
        ends.append(known.falls_below(resolve.noise_below))
    if resolve.after is not None:
        ends.append(member.at + seconds(resolve.after))
    return min(ends)


def told(group: Group, rule: Rule, link: str, now: float) -> Notice:
    """Return the notice of what a group has collected."""
    alerts = tuple(group.collected)
    title, summary = bundled(alerts)
    single = len(alerts) == 1
    return Notice(
        id=alerts[0].id if single else f"{alerts[0].id}/digest",
        kind="alert" if single else "digest",
        rule=rule.name,
        severity=rule.severity,
        group=group.key,
        at=from_epoch(now),
        since=from_epoch(group.since),
        title=title,
        summary=summary,
        link=link,
        labels=group.labels,
        alerts=alerts,
        ends=None if group.ended is None or rule.resolve.never else from_epoch(group.ended),
        lasting=bool(group.members),
    )


def again(group: Group, kind: NoticeKind, now: float) -> Notice:
    """Return the notice that a group told before lasts still (`repeat`), or has ended (`resolved`)."""
    before = group.told
    assert before is not None, "only what was told is told again"
    resolved = kind == "resolved"
    last = before.alerts[-1]
    return Notice(
        id=f"{last.id}/resolved" if resolved else f"{last.id}/repeat/{group.repeats}",
        kind=kind,
        rule=before.rule,
        severity=before.severity,
        group=group.key,
        at=from_epoch(now),
        since=before.since,
        title=f"[{'over' if resolved else 'still'}] {before.title}",
        summary=before.summary,
        link=before.link,
        labels=before.labels,
        alerts=before.alerts,
        ends=None if group.ended is None else from_epoch(group.ended),
        lasting=not resolved,
    )
