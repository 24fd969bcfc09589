"""Quiet hours and the boundaries of digests, by the clock of a place."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import parse_time
from stream.alerts.hours import boundary, quiet_until, tell_at
from tests.alerting import rule

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
]
NIGHT = {"from": "22:00", "to": "07:00"}
WEEKEND = {"from": "00:00", "to": "00:00", "days": ["sat", "sun"]}

moments = st.floats(parse_time("2024-01-01T00:00:00Z"), parse_time("2028-01-01T00:00:00Z"))
quiets = st.lists(
    st.builds(
        lambda begin, end, days: {"from": begin, "to": end, "days": sorted(days)},
        st.sampled_from(["00:00", "02:30", "08:15", "22:00", "23:59"]),
        st.sampled_from(["00:00", "02:30", "03:00", "07:00", "13:45"]),
        st.sets(st.sampled_from(["mon", "tue", "thu", "sat", "sun"]), min_size=1),
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-06-24T21:59:59+02:00", None),
        ("2026-06-24T22:00:00+02:00", "2026-06-25T07:00:00+02:00"),
        ("2026-06-25T03:00:00+02:00", "2026-06-25T07:00:00+02:00"),
        ("2026-06-25T07:00:00+02:00", None),
        (
            "2026-06-26T23:00:00+02:00",
            "2026-06-29T07:00:00+02:00",
        ),  # Friday night runs into the weekend, and that on
    ],
)
def test_quiet_hours_are_those_of_the_rules_zone(at, until):
    quiet = rule(zone="Europe/Berlin", quiet=[NIGHT, WEEKEND])
    assert quiet_until(quiet, parse_time(at)) == (until and parse_time(until))


def test_days_are_those_on_which_quiet_hours_begin():
    friday = rule(quiet=[NIGHT | {"days": ["fri"]}])
    assert quiet_until(friday, parse_time("2026-06-27T03:00:00Z")) == parse_time("2026-06-27T07:00:00Z")
    assert quiet_until(friday, parse_time("2026-06-26T03:00:00Z")) is None


def test_the_night_of_the_change_of_the_clock_is_an_hour_shorter():
    """Given Berlin's last Sunday in March; when it is 01:00; then quiet hours end at 07:00 summer time."""
    night = rule(zone="Europe/Berlin", quiet=[NIGHT])
    assert quiet_until(night, parse_time("2026-03-29T01:00:00+01:00")) == parse_time(
        "2026-03-29T07:00:00+02:00"
    )


@pytest.mark.parametrize(
    ("digest", "zone", "due"),
    [
        ("15min", "Asia/Kolkata", "2026-06-24T10:15:00Z"),
        ("hour", "UTC", "2026-06-24T11:00:00Z"),
        ("hour", "Asia/Kolkata", "2026-06-24T10:30:00Z"),
        ("day", "UTC", "2026-06-25T08:00:00Z"),
        ("day", "America/New_York", "2026-06-24T12:00:00Z"),
        ("none", "UTC", "2026-06-24T10:00:00Z"),
    ],
)
def test_a_digest_goes_out_at_the_next_boundary_of_its_zone(digest, zone, due):
    assert boundary(rule(digest=digest, zone=zone), parse_time("2026-06-24T10:00:00Z")) == parse_time(due)


@given(moments, st.sampled_from(ZONES), quiets)
def test_quiet_hours_end_later_and_not_in_quiet_hours(at, zone, quiet):
    table = rule(zone=zone, quiet=quiet)
    until = quiet_until(table, at)
    if until is not None:
        assert at < until
        assert quiet_until(table, until) is None


@given(moments, st.sampled_from(ZONES), st.sampled_from(["15min", "hour", "day"]))
def test_a_boundary_lies_ahead_on_the_clock_and_within_its_length(at, zone, digest):
    due = boundary(rule(digest=digest, zone=zone), at)
    longest = {"15min": 900, "hour": 3600, "day": 25 * 3600}[digest]
    assert at < due <= at + longest
    local = datetime.fromtimestamp(due, ZoneInfo(zone))
    minutes = {"15min": local.minute % 15, "hour": local.minute, "day": local.hour * 60 + local.minute - 480}
    gap = local.utcoffset() - datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()
    assert minutes[digest] == 0 or gap != timedelta(0)  # an hour in which the clock was changed


@given(moments, st.sampled_from(ZONES), quiets, st.sampled_from(["none", "15min", "hour", "day"]))
def test_what_is_told_is_told_in_no_quiet_hours_unless_it_is_urgent(at, zone, quiet, digest):
    table = rule(zone=zone, quiet=quiet, digest=digest)
    assert quiet_until(table, tell_at(table, at)) is None
    urgent = rule(zone=zone, quiet=quiet, digest=digest, urgent=True)
    assert tell_at(urgent, at) == boundary(urgent, at)
