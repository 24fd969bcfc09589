"""The heap of deadlines against a plain sorted list."""

import math

from hypothesis import given
from hypothesis import strategies as st

from scoring.deadlines import Deadlines

times = st.integers(0, 20).map(float)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), st.sampled_from("abcd"), st.one_of(times, st.just(math.inf))),
        st.tuples(st.just("pop"), times),
    ),
    max_size=60,
)


@given(steps)
def test_wake_ups_come_as_from_a_sorted_list(steps):
    # given
    heap, plain = Deadlines(), {}

    for step in steps:
        # when
        if step[0] == "plan":
            _, incident, at = step
            heap.plan(incident, at)
            plain[incident] = at
            continue
        woken = []
        while (wake := heap.pop(step[1])) is not None:
            woken.append(wake)

        # then
        assert woken == sorted((at, incident) for incident, at in plain.items() if at <= step[1])
        plain = {incident: at for incident, at in plain.items() if step[1] < at < math.inf}
        assert len(heap) == len(plain)
        assert step[1] < heap.next() <= min(plain.values(), default=math.inf)


def test_a_later_plan_takes_the_place_of_the_earlier_one():
    deadlines = Deadlines()
    deadlines.plan("a", 5.0)
    deadlines.plan("a", 9.0)
    assert deadlines.pop(8.0) is None
    assert deadlines.next() == 9.0
    assert deadlines.pop(10.0) == (9.0, "a")
    assert deadlines.pop(10.0) is None


def test_one_that_is_not_to_come_any_more_does_not():
    deadlines = Deadlines()
    deadlines.plan("a", 5.0)
    deadlines.plan("a", math.inf)
    assert len(deadlines) == 0
    assert deadlines.pop(10.0) is None
    assert deadlines.next() == math.inf


def test_an_entry_that_an_earlier_plan_has_made_void_is_not_the_next():
    deadlines = Deadlines()
    deadlines.plan("a", 9.0)
    deadlines.plan("a", 5.0)
    deadlines.plan("b", 11.0)
    assert deadlines.pop(5.0) == (5.0, "a")
    assert deadlines.next() == 11.0
    assert deadlines.pop(10.0) is None


def test_who_never_changes_has_no_deadline():
    deadlines = Deadlines()
    deadlines.plan("a", math.inf)
    assert len(deadlines) == 0
    assert deadlines.next() == math.inf


@given(steps)
def test_a_plan_that_is_no_earlier_than_the_last_puts_nothing_on_the_heap(steps):
    heap = Deadlines()

    for step in steps:
        if step[0] == "pop":
            while heap.pop(step[1]) is not None:
                pass
            continue
        _, incident, at = step
        size, entered = len(heap._heap), heap._entry.get(incident, math.inf)
        heap.plan(incident, at)
        assert len(heap._heap) == size + (at < entered)


def test_of_one_that_is_not_to_come_any_more_nothing_stays_when_its_time_is_over():
    deadlines = Deadlines()
    deadlines.plan("a", 5.0)
    deadlines.plan("a", math.inf)
    deadlines.pop(9.0)
    assert (deadlines._heap, deadlines._entry) == ([], {})


def test_the_same_plan_again_puts_nothing_on_the_heap():
    deadlines = Deadlines()
    for _ in range(3):
        deadlines.plan("a", 5.0)
    assert deadlines._heap == [(5.0, "a")]
