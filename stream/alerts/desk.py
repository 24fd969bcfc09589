"""The desk: hears events and decides what is told, and when. Pure: no I/O, no clock; `now` is an argument.

What it keeps can be stored (`take_changes`) and read back (`restore`). Each event that a rule tells of is in exactly
one notice of kind `alert` or `digest`, whatever repeats there are and in whatever order topics are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from schemas.incident_profile import IncidentProfile
from schemas.state_change import StateChange
from schemas.times import to_epoch
from scoring.decay import NEVER
from scoring.policy import Policy
from stream.alerts import groups
from stream.alerts.groups import Group, Member
from stream.alerts.heard import DECODERS, Heard, Known, Score, Trigger
from stream.alerts.hours import quiet_until, tell_at
from stream.alerts.matching import matches
from stream.alerts.notices import Alert, Notice
from stream.alerts.rules import Rule, seconds
from stream.alerts.wording import alert_id, alert_of

SETTLE_S: Final = 2.0
"""How long an event waits for the score of its revision, which is on another topic: that says category and noise."""

KNOWN: Final = "known"
GROUP: Final = "group"
WAITING: Final = "waiting"
SEEN: Final = "seen"
"""Kinds of what is kept: by incident, by rule and group, by event, by alert."""

Change = tuple[str, str, bytes | None]
"""Kind, key, and the value as it is now; None: it is gone."""


class _Waiting(Struct, frozen=True):
    heard: Heard
    until: float


class _Stored(Struct, frozen=True):
    """A waiting event as it is stored; its topic says what it is."""

    topic: str
    id: str
    incident_id: str
    event: Raw
    until: float


class Desk:
    """Decides by `rules`, in their order. `page_url` is where readers find incidents; empty: no links."""

    def __init__(self, rules: Iterable[Rule], policy: Policy, page_url: str = "") -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._policy, self._page_url = policy, page_url.rstrip("/")
        self._known: dict[str, Known] = {}
        self._groups: dict[str, Group] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._seen: dict[str, float] = {}
        self._groups_of: dict[str, set[str]] = {}
        self._planned: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._changed: set[tuple[str, str]] = set()

    # -- what comes in --------------------------------------------------------------------------------------

    def hear(self, heard: Heard, now: float) -> list[Notice]:
        """Take in an event and return what is told because of it."""
        event, known = heard.event, self._known.get(heard.incident_id)
        if known is None:
            known = self._known[heard.incident_id] = Known()
        if isinstance(event, IncidentProfile | Score | StateChange) and known.learn(event):
            self._changed.add((KNOWN, heard.incident_id))
        notices = []
        if isinstance(event, Score):
            ready = [
                each
                for each in self._waiting_of(heard.incident_id)
                if each.heard.event.revision <= known.scored  # type: ignore[union-attr]
            ]
            for each in ready:
                notices += self._release(each, now)
        elif not isinstance(event, IncidentProfile):
            if event.revision <= known.scored:
                notices += self._judge(heard, event, known, now)
            elif heard.id not in self._waiting:
                self._waiting[heard.id] = _Waiting(heard, now + SETTLE_S)
                self._changed.add((WAITING, heard.id))
        for key in sorted(self._groups_of.get(heard.incident_id, ())):
            notices += self._settle(key, now)
        return notices

    def advance(self, now: float) -> list[Notice]:
        """Return what is told because it is `now`."""
        notices = self.wait_no_more(now, now)
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._planned.get(key) == at:
                del self._planned[key]
                notices += self._settle(key, now)
        return notices

    def wait_no_more(self, now: float, until: float = NEVER) -> list[Notice]:
        """Judge those events that wait for their score up to `until` as if it did not come; by default all."""
        notices = []
        for each in [each for each in self._waiting.values() if each.until <= until]:
            notices += self._release(each, now)
        return notices

    @property
    def next_due(self) -> float:
        """When something is to be decided next, if nothing new comes (epoch seconds, or NEVER); perhaps nothing."""
        waiting = min((each.until for each in self._waiting.values()), default=NEVER)
        return min(waiting, self._heap[0][0] if self._heap else NEVER)

    @property
    def collecting(self) -> int:
        """How many alerts wait for their digest or for the end of quiet hours."""
        return sum(len(group.collected) for group in self._groups.values())

    def lasting(self, channel: str) -> list[Notice]:
        """Return the last notices of a channel's alerts that have not ended."""
        return [
            group.told
            for group in self._groups.values()
            if group.open
            and group.ended is None
            and group.told
            and channel in self._rules[group.rule].channels
        ]

    def channels_of(self, notice: Notice) -> tuple[str, ...]:
        """Return to whom a notice goes."""
        return self._rules[notice.rule].channels

    # -- what is kept ---------------------------------------------------------------------------------------

    def restore(self, kept: Iterable[tuple[str, str, bytes]]) -> None:
        """Read back what was stored. Of rules that are no more, nothing is."""
        for kind, key, value in kept:
            if kind == KNOWN:
                self._known[key] = _KNOWN.decode(value)
            elif kind == SEEN:
                self._seen[key] = float(value)
            elif kind == WAITING:
                stored = _STORED.decode(value)
                event = DECODERS[stored.topic].decode(bytes(stored.event))
                heard = Heard(stored.topic, stored.id, stored.incident_id, event)
                self._waiting[key] = _Waiting(heard, stored.until)
            elif kind == GROUP:
                group = _GROUP.decode(value)
                if group.rule not in self._rules:
                    self._changed.add((GROUP, key))
                    continue
                self._groups[key] = group
                for incident_id in group.members:
                    self._groups_of.setdefault(incident_id, set()).add(key)
        for key, group in self._groups.items():
            self._plan(key, group)

    def take_changes(self) -> list[Change]:
        """Return what has changed since it was asked last."""
        changes = [(kind, key, self._value(kind, key)) for kind, key in sorted(self._changed)]
        self._changed.clear()
        return changes

    def forget(self, before: float) -> None:
        """Forget which events were told before `before` (epoch seconds): nobody repeats them any more."""
        for key in [key for key, at in self._seen.items() if at < before]:
            del self._seen[key]
            self._changed.add((SEEN, key))

    # -- within ---------------------------------------------------------------------------------------------

    def _waiting_of(self, incident_id: str) -> list[_Waiting]:
        return [each for each in self._waiting.values() if each.heard.incident_id == incident_id]

    def _release(self, waiting: _Waiting, now: float) -> list[Notice]:
        heard = waiting.heard
        del self._waiting[heard.id]
        self._changed.add((WAITING, heard.id))
        assert not isinstance(heard.event, IncidentProfile | Score)
        return self._judge(heard, heard.event, self._known[heard.incident_id], now)

    def _judge(self, heard: Heard, event: Trigger, known: Known, now: float) -> list[Notice]:
        """Put an event into the groups of the rules that tell of it, and settle those."""
        notices = []
        for rule in self._rules.values():
            if alert_id(rule, heard) in self._seen or not matches(rule, event, known, self._policy):
                continue
            alert = alert_of(rule, heard, event, known, self._policy)
            self._seen[alert.id] = now
            self._changed.add((SEEN, alert.id))
            notices += self._settle(self._collect(rule, alert, now), now)
        return notices

    def _collect(self, rule: Rule, alert: Alert, now: float) -> str:
        key = f"{rule.name}/{groups.key_of(rule, alert)}"
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(
                rule.name, groups.key_of(rule, alert), to_epoch(alert.at), groups.labels_of(rule, alert)
            )
        if not group.collected:
            group.due = tell_at(rule, now)
        group.collected.append(alert)
        group.members[alert.incident_id] = Member(alert.state, now)
        self._groups_of.setdefault(alert.incident_id, set()).add(key)
        group.ended = None
        return key

    def _settle(self, key: str, now: float) -> list[Notice]:
        """Let end what has ended, tell what is due, and plan when to look again."""
        group = self._groups.get(key)
        if group is None:
            return []
        rule, notices = self._rules[group.rule], []
        self._changed.add((GROUP, key))
        self._end_members(key, group, now)
        if group.collected and group.due <= now:
            notices.append(self._tell(group, rule, now))
        if group.ended is not None and not group.collected:
            if not group.open or _free(rule, now):
                if group.open:
                    notices.append(groups.again(group, "resolved", now))
                del self._groups[key]
                return notices
        elif group.open and now >= self._repeat_at(group, rule) and _free(rule, now):
            group.repeats += 1
            notices.append(groups.again(group, "repeat", now))
            group.told_at = now
        self._plan(key, group, now)
        return notices

    def _end_members(self, key: str, group: Group, now: float) -> None:
        rule = self._rules[group.rule]
        for incident_id, member in list(group.members.items()):
            if groups.ends_at(rule, member, self._known[incident_id]) <= now:
                del group.members[incident_id]
                self._groups_of[incident_id].discard(key)
                if not self._groups_of[incident_id]:
                    del self._groups_of[incident_id]
        if not group.members and group.ended is None:
            group.ended = now

    def _tell(self, group: Group, rule: Rule, now: float) -> Notice:
        notice = groups.told(group, rule, self._link(rule, group), now)
        group.collected = []
        group.told, group.told_at, group.repeats = notice, now, 0
        group.open = group.open or notice.lasting
        return notice

    def _repeat_at(self, group: Group, rule: Rule) -> float:
        return group.told_at + seconds(rule.repeat_after) if rule.repeat_after else NEVER

    def _plan(self, key: str, group: Group, now: float = -NEVER) -> None:
        """Remember when to look at the group next; an earlier plan stands, and plans anew when it is due."""
        rule = self._rules[group.rule]
        times = [
            groups.ends_at(rule, member, self._known[incident]) for incident, member in group.members.items()
        ]
        if group.collected:
            times.append(group.due)
        if group.open and not (group.ended is not None and group.collected):
            # Its end, or that it lasts still, is told now or then, but not in quiet hours.
            at = max(now, self._repeat_at(group, rule) if group.ended is None else group.ended)
            times.append(at if rule.urgent or at == NEVER else quiet_until(rule, at) or at)
        at = max(group.since, min(times, default=NEVER))
        if at < self._planned.get(key, NEVER):
            self._planned[key] = at
            heapq.heappush(self._heap, (at, key))

    def _link(self, rule: Rule, group: Group) -> str:
        if not self._page_url:
            return ""
        return (
            f"{self._page_url}/incident/{quote(group.key, safe='')}"
            if rule.group == "incident"
            else self._page_url
        )

    def _stored_waiting(self, key: str) -> bytes | None:
        waiting = self._waiting.get(key)
        if waiting is None:
            return None
        heard = waiting.heard
        event = Raw(msgspec.json.encode(heard.event))
        return msgspec.json.encode(_Stored(heard.topic, heard.id, heard.incident_id, event, waiting.until))

    def _value(self, kind: str, key: str) -> bytes | None:
        """Return what is kept under a kind and key, as it is stored; None: nothing any more."""
        if kind == WAITING:
            return self._stored_waiting(key)
        kept: dict[str, dict[str, Any]] = {KNOWN: self._known, GROUP: self._groups, SEEN: self._seen}
        return msgspec.json.encode(kept[kind][key]) if key in kept[kind] else None


def _free(rule: Rule, now: float) -> bool:
    """Whether something may be told that is no alert: not in quiet hours, unless the rule is urgent."""
    return rule.urgent or quiet_until(rule, now) is None


_KNOWN: Final = msgspec.json.Decoder(Known)
_GROUP: Final = msgspec.json.Decoder(Group)
_STORED: Final = msgspec.json.Decoder(_Stored)
