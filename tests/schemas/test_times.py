"""Times: whole milliseconds inside, RFC 3339 in UTC at the edge, and nothing in between is lost."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import FIRST, LAST, ceil_ms, format_time, from_epoch, parse_time, to_epoch

FIRST_MS = -62_135_596_800_000  # the year 1
LAST_MS = 253_402_300_799_999  # the end of the year 9999

milliseconds = st.integers(FIRST_MS, LAST_MS)
deadlines = st.floats(0.0, 4e9)


@given(ms=milliseconds)
def test_a_whole_millisecond_comes_back_from_the_wire_as_it_went(ms: int):
    # given
    at = ms / 1000.0

    # then
    assert to_epoch(from_epoch(at)) == at
    assert parse_time(format_time(at)) == at


@given(at=st.floats(-6e10, 2.5e11))
def test_any_time_comes_back_to_the_millisecond(at: float):
    assert parse_time(format_time(at)) == pytest.approx(at, abs=0.000_6, rel=0)


@given(at=st.floats(0.0, 4e9))
def test_a_time_is_written_as_the_millisecond_it_is_taken_for(at: float):
    assert parse_time(format_time(at)) == to_epoch(from_epoch(at))


@given(moment=st.datetimes(timezones=st.just(UTC)), hours=st.integers(-23, 23))
def test_the_zone_a_time_is_told_in_does_not_matter(moment: datetime, hours: int):
    # given
    try:
        there = moment.astimezone(timezone(timedelta(hours=hours)))
    except OverflowError:  # beyond the calendar in that zone
        return

    # then
    assert to_epoch(there) == to_epoch(moment)


def test_a_naive_time_is_read_as_utc():
    assert to_epoch(datetime(2021, 12, 10, 1, 5)) == 1639098300.0  # noqa: DTZ001 - naive on purpose
    assert parse_time("2021-12-10T01:05:00") == 1639098300.0


@pytest.mark.parametrize("text", ["", "yesterday", "2021-13-01T00:00:00Z", "1639098300"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(ValueError, match=r"Invalid isoformat string|month must be"):
        parse_time(text)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1639098300.25, "2021-12-10T01:05:00.250Z"),
        (1639098300.2504, "2021-12-10T01:05:00.250Z"),
        (1639098300.9996, "2021-12-10T01:05:01Z"),
    ],
)
def test_milliseconds_are_written_only_where_there_are_any(at: float, text: str):
    assert format_time(at) == text


@pytest.mark.parametrize(
    ("moment", "edge"),
    [
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), LAST),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), FIRST),
    ],
)
def test_a_time_at_the_edge_of_the_calendar_can_still_be_reported(moment: datetime, edge: datetime):
    assert from_epoch(to_epoch(moment)) == edge


def test_infinity_is_the_end_of_the_calendar_and_not_a_number_is_an_error():
    assert from_epoch(math.inf) == LAST
    with pytest.raises(ValueError, match="NaN"):
        from_epoch(math.nan)


@given(at=deadlines)
def test_the_next_millisecond_is_after_and_no_other_lies_between(at: float):
    # when
    after = ceil_ms(at)

    # then
    whole = round(after * 1000.0)
    assert after == whole / 1000.0 > at
    assert (whole - 1) / 1000.0 <= at


@given(ms=st.integers(0, 4_000_000_000_000))
def test_from_a_whole_millisecond_the_next_is_one_later(ms: int):
    assert ceil_ms(ms / 1000.0) == (ms + 1) / 1000.0
