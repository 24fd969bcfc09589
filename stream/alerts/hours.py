"""When something may be told: quiet hours, and the boundaries at which digests go out. Times are epoch seconds.

Local times that a change of the clock leaves out or repeats are read as Python does (the first of two; by the offset
before the gap), so that an hour may be missed or held twice a year, never an alert.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.times import HOUR_S
from stream.alerts.rules import DAYS, Quiet, Rule, clock_time

QUARTER_S: Final = 900.0
"""Every zone is whole quarters of an hour away from UTC: their quarters begin together."""

_MOST_CHAINED: Final = 64
"""Quiet hours that follow each other without a gap are passed through so often: two months of whole days."""

_DAY: Final = timedelta(days=1)


def quiet_until(rule: Rule, at: float) -> float | None:
    """Return when the quiet hours end that hold at `at`, those that follow without a gap included; None in no such.

    Where they never end within two months, the last end looked at is given: something is told then all the same.
    """
    zone, until = ZoneInfo(rule.zone), at
    for _ in range(_MOST_CHAINED):
        end = max((_end(each, until, zone) for each in rule.quiet), default=until)
        if end <= until:
            break
        until = end
    return until if until > at else None


def boundary(rule: Rule, at: float) -> float:
    """Return when a digest that collects at `at` goes out: strictly after it. `at` itself without a digest."""
    if rule.digest == "none":
        return at
    if rule.digest == "15min":
        return (at // QUARTER_S + 1.0) * QUARTER_S
    zone = ZoneInfo(rule.zone)
    local = datetime.fromtimestamp(at, zone)
    if rule.digest == "hour":
        offset = local.utcoffset() or timedelta(0)
        shift = offset.total_seconds() % HOUR_S
        return ((at + shift) // HOUR_S + 1.0) * HOUR_S - shift
    due = _local(local.date(), clock_time(rule.digest_at), zone)
    return due if due > at else _local(local.date() + _DAY, clock_time(rule.digest_at), zone)


def tell_at(rule: Rule, at: float) -> float:
    """Return when what is decided at `at` is told: at the digest's boundary, and not in quiet hours."""
    due = boundary(rule, at)
    return due if rule.urgent else quiet_until(rule, due) or due


def _end(quiet: Quiet, at: float, zone: ZoneInfo) -> float:
    """Return when these quiet hours end, if they hold at `at`; else `at`."""
    today = datetime.fromtimestamp(at, zone).date()
    for day in (today - _DAY, today):
        if DAYS[day.weekday()] not in quiet.days:
            continue
        over_night = _DAY if clock_time(quiet.end) <= clock_time(quiet.begin) else timedelta(0)
        begin = _local(day, clock_time(quiet.begin), zone)
        end = _local(day + over_night, clock_time(quiet.end), zone)
        if begin <= at < end:
            return end
    return at


def _local(day: date, at: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, at, zone).timestamp()
