"""The times of a record: which of the two clocks says what, and what is believed at all."""

import msgspec
import pytest

from schemas.errors import RecordError
from schemas.times import from_epoch, parse_time
from scoring.clock import Clock, TimeJudge
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY

LIMITS = SHIPPED_POLICY.limits
EARLIEST = parse_time("2000-01-01T00:00:00Z")


def times(seen, received_h, clock):
    return TimeJudge(clock, LIMITS).times(seen, hours(received_h))


def unseen(h):
    """An item that does not say when it was observed."""
    return msgspec.structs.replace(item(h=h), observed_at=None)


def dated(published, observed):
    return msgspec.structs.replace(
        item(), published_at=from_epoch(published), observed_at=from_epoch(observed)
    )


@pytest.mark.parametrize(
    ("seen", "clock", "now_h", "observed_h", "at_h"),
    [
        (item(h=1.0, seen=2.0), Clock.WALL, 5.0, 2.0, 1.0),
        (item(h=1.0, seen=2.0), Clock.STREAM, 2.0, 2.0, 1.0),
        (item(h=3.0, seen=2.0), Clock.WALL, 5.0, 2.0, 2.0),
        (item(h=3.0, seen=2.0), Clock.STREAM, 2.0, 2.0, 2.0),
        (unseen(1.0), Clock.WALL, 5.0, 5.0, 1.0),
        (unseen(1.0), Clock.STREAM, 1.0, 1.0, 1.0),
    ],
    ids=["wall", "stream", "wall, dated ahead", "stream, dated ahead", "wall, unseen", "stream, unseen"],
)
def test_the_wall_clock_goes_by_arrival_and_the_stream_clock_by_observation(
    seen, clock, now_h, observed_h, at_h
):
    found = times(seen, 5.0, clock)
    assert (found.now, found.observed_at, found.at) == (hours(now_h), hours(observed_h), hours(at_h))


@pytest.mark.parametrize("clock", Clock)
def test_the_edges_of_what_is_believed_are_believed(clock):
    assert TimeJudge(clock, LIMITS).times(dated(EARLIEST, EARLIEST), EARLIEST).at == EARLIEST
    assert times(item(h=6.0), 5.0, clock).observed_at == hours(6.0)


@pytest.mark.parametrize(
    ("published", "observed", "says"),
    [
        (
            EARLIEST - 0.001,
            hours(0),
            "1999-12-31T23:59:59.999Z is before 2000-01-01T00:00:00Z - at `$.published_at`",
        ),
        (
            hours(0),
            EARLIEST - 0.001,
            "1999-12-31T23:59:59.999Z is before 2000-01-01T00:00:00Z - at `$.observed_at`",
        ),
        (
            hours(6) + 0.001,
            hours(0),
            "2026-06-24T06:00:00.001Z is more than 1 h after the record arrived - at `$.published_at`",
        ),
        (
            hours(0),
            hours(6) + 0.001,
            "2026-06-24T06:00:00.001Z is more than 1 h after the record arrived - at `$.observed_at`",
        ),
    ],
)
def test_a_time_beyond_them_is_refused_with_its_field(published, observed, says):
    with pytest.raises(RecordError) as refused:
        times(dated(published, observed), 5.0, Clock.WALL)

    assert str(refused.value) == says
    assert refused.value.reason == "absurd-time"


@pytest.mark.parametrize("clock", Clock)
def test_what_a_judge_has_seen_before_changes_nothing(clock):
    judge = TimeJudge(clock, LIMITS)
    for seen_h in (2.0, 2.0, 1.5, None, 2.0):
        each = unseen(1.0) if seen_h is None else item(h=1.0, seen=seen_h)
        found, alone = judge.times(each, hours(5.0)), times(each, 5.0, clock)
        assert (found.now, found.observed_at, found.at) == (alone.now, alone.observed_at, alone.at)
