"""The conflation window: when it closes, what makes it last longer, and whom it tells."""

import pytest

from stream.worker.window import LONGEST_S, MOST_RECORDS, ROWS_S, Window

FRESH_S = 0.0
LATE_S = 2.0


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    """A clock of this test's own."""
    return MovableClock()


def test_on_a_quiet_partition_a_window_closes_at_once_and_the_next_one_at_the_next_tenth(clock):
    window = Window(100, clock)
    window.add(1, FRESH_S, None)
    assert window.closes_in() <= 0.0
    window.close()
    assert not window.is_open
    clock.now += 0.02
    window.add(1, FRESH_S, None)
    assert window.is_open
    assert window.closes_in() == pytest.approx(0.08)
    clock.now += 0.08
    assert window.closes_in() == pytest.approx(0.0)


def test_windows_of_all_partitions_close_at_the_same_moments(clock):
    one, other = Window(100, clock), Window(100, clock)
    one.close()
    clock.now += 0.07
    other.close()
    clock.now += 0.01
    for window in (one, other):
        window.add(1, FRESH_S, None)
        assert window.closes_in() == pytest.approx(0.02)


def test_without_conflation_every_window_closes_at_once(clock):
    window = Window(0, clock)
    for waited_s in (FRESH_S, LATE_S):
        window.add(1, waited_s, None)
        assert window.closes_in() <= 0.0
        window.close()


def test_a_window_of_a_backlog_lasts_as_long_as_its_records_have_waited(clock):
    window = Window(100, clock)
    window.close()
    window.add(10, LATE_S, None)
    assert window.closes_in() == pytest.approx(LATE_S)
    window.add(10, FRESH_S, None)
    assert window.closes_in() == pytest.approx(0.1)
    window.add(10, 3600.0, None)
    assert window.closes_in() == pytest.approx(LONGEST_S)


def test_at_the_end_of_a_backlog_a_window_closes_in_its_usual_time(clock):
    window = Window(100, clock)
    window.close()
    window.add(10, LATE_S, None)
    window.caught_up()
    assert window.closes_in() == pytest.approx(0.1)


def test_a_window_longer_than_a_backlogs_is_not_cut_by_one(clock):
    window = Window(10_000, clock)
    window.close()
    window.add(10, LATE_S, None)
    assert window.closes_in() == pytest.approx(10.0)


def test_a_full_window_closes_whatever_the_time(clock):
    window = Window(100, clock)
    window.close()
    window.add(MOST_RECORDS - 1, LATE_S, None)
    assert not window.full
    window.add(1, LATE_S, None)
    assert window.full
    assert window.closes_in() <= 0.0
    assert window.rows_in() <= 0.0
    window.close()
    assert (window.records, window.full) == (0, True)
    window.close_with_rows()
    assert (window.records, window.full) == (0, False)


def test_rows_are_collected_at_once_on_a_quiet_partition_and_not_sooner_than_that_again(clock):
    window = Window(0, clock)
    window.add(1, FRESH_S, None)
    assert window.rows_in() <= 0.0
    window.close_with_rows()
    assert not window.has_rows
    clock.now += ROWS_S / 4
    window.add(1, FRESH_S, None)
    window.close()
    assert (window.is_open, window.has_rows) == (False, True)
    assert window.rows_in() == pytest.approx(ROWS_S * 3 / 4)
    clock.now += ROWS_S
    window.add(1, FRESH_S, None)
    assert window.rows_in() <= 0.0


def test_who_is_to_be_told_is_told_of_the_rows_its_records_changed_and_in_order(clock):
    window, told = Window(100, clock), []
    window.add(1, FRESH_S, lambda: told.append("first"))
    window.close()
    window.add(1, FRESH_S, lambda: told.append("second"))
    first = window.close_with_rows()
    window.add(1, FRESH_S, lambda: told.append("third"))
    second = window.close_with_rows()
    assert told == []
    first()
    assert told == ["first", "second"]
    second()
    assert told == ["first", "second", "third"]
