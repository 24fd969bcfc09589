"""What another policy would have done: the same records through both, and every difference told."""

from dataclasses import replace

import pytest

from schemas.cloudevents import Output
from schemas.noise_index import NoiseIndex
from schemas.noise_score import Peak
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import from_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import PeakKind, State, Trend
from scoring.comparison import Alert, AlertLine, Count, Run, Side, StepLine, Track, compare, differences
from scoring.incident import Incident
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY, Driver

END = hours(200.0)
LOUD = 40.0


def changed(**tables):
    """The shipped policy with keys of some tables changed."""
    return replace(
        SHIPPED_POLICY,
        **{table: replace(getattr(SHIPPED_POLICY, table), **keys) for table, keys in tables.items()},
    )


def run(policy, stream):
    driver, track = Driver(policy), Track(policy, LOUD)
    for each in stream:
        track.note(driver.pipe(each))
    track.note(driver.advance(END))
    return Run(track, {incident_id: held.incident for incident_id, held in driver.ledger._held.items()})


def compared(policy, stream):
    return compare(run(SHIPPED_POLICY, stream), run(policy, stream), END)


STORY = [
    *(item(f"l{n}", "leak", h=0.02 * n, platform="reddit", likes=4000, audience=10**6) for n in range(60)),
    item("news", "leak", h=5.0, platform="news", likes=50),
    *(item(f"f{n}", "fire", h=50.0 + n, platform="x", likes=3000, audience=10**8) for n in range(4)),
    item("old", "strike", h=60.0, platform="x"),
]


def test_the_same_policy_does_nothing_otherwise():
    told = compared(SHIPPED_POLICY, STORY)

    assert (told.policy, told.steps, told.rings) == ((), (), ())
    assert all(line.a == line.b for line in told.incidents)
    assert all(count.a == count.b for count in (*told.alerts, *told.index, told.changes))


def test_constants_that_differ_are_named_by_their_keys():
    other = replace(
        changed(curve={"half_life_h": 72.0}),
        lifecycle=replace(SHIPPED_POLICY.lifecycle, rules=SHIPPED_POLICY.lifecycle.rules[:-1]),
    )

    found = {each.key: (each.a, each.b) for each in differences(SHIPPED_POLICY, other)}

    assert found["curve.half_life_h"] == (168.0, 72.0)
    assert found["lifecycle.rules[8].to"] == ("Emerging", None)
    assert not any(key.startswith("lifecycle.rules[7]") for key in found)


def test_ranks_noise_and_peaks_stand_side_by_side():
    """Given a policy under which reach alone counts; then the fire, which is seen by more people, is the loudest."""
    reach = replace(SHIPPED_POLICY, weights=type(SHIPPED_POLICY.weights)(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))

    told = compared(reach, STORY)

    by_name = {line.incident_id: line for line in told.incidents}
    assert [line.incident_id for line in told.incidents] == sorted(
        by_name, key=lambda name: by_name[name].a.rank
    )
    assert by_name["fire"].b.rank == by_name["fire"].b.peak_rank == 1
    assert by_name["leak"].b.peak.noise == pytest.approx(77.8, abs=0.1)  # 60 million people
    for side in ("a", "b"):
        sides = {name: getattr(line, side) for name, line in by_name.items()}
        ranked = sorted(sides, key=lambda name: sides[name].rank)
        assert ranked == sorted(sides, key=lambda name: (-sides[name].noise, name))
        peaks = sorted(sides, key=lambda name: sides[name].peak_rank)
        assert peaks == sorted(sides, key=lambda name: (-sides[name].peak.noise, name))


def test_states_entered_under_one_policy_alone_or_at_another_time_are_told():
    # given: no incident grows under B, which asks for more items than there are; and resolves later
    rules = list(SHIPPED_POLICY.lifecycle.rules)
    rules[2] = replace(rules[2], when=(replace(rules[2].when[0], than=1000.0),))
    rules[5] = replace(rules[5], hold_h=24.0)
    strict = replace(SHIPPED_POLICY, lifecycle=replace(SHIPPED_POLICY.lifecycle, rules=tuple(rules)))

    # when
    told = compared(strict, STORY)

    # then
    growing = [step for step in told.steps if step.to is State.GROWING]
    assert [(step.incident_id, step.b) for step in growing] == [("leak", None)]
    resolved = {step.incident_id: step for step in told.steps if step.to is State.RESOLVED}
    assert (resolved["strike"].b - resolved["strike"].a).total_seconds() == pytest.approx(
        12 * 3600.0, abs=0.01
    )
    assert (
        told.changes.a - told.changes.b == sum((step.b is None) - (step.a is None) for step in told.steps) > 0
    )
    assert not any(step.a == step.b for step in told.steps)


def test_alerts_are_counted_by_kind_and_by_incident():
    # given: under B a build-up is told at every point it gains
    told = compared(changed(peaks={"margin": 1.0, "pause_h": 0.01}), STORY)

    # then
    counts = {count.name: (count.a, count.b) for count in told.alerts}
    loud = [ring for ring in told.rings if ring.alert is Alert.LOUD]
    assert set(counts) == {kind.value for kind in Alert}
    assert 0 < counts["loud peak"][0] < counts["loud peak"][1]
    assert sum(ring.a - ring.b for ring in loud) == counts["loud peak"][0] - counts["loud peak"][1]
    assert counts["surging"][0] == counts["surging"][1]


def test_the_end_is_the_same_moment_for_both():
    assert compared(SHIPPED_POLICY, STORY).at == from_epoch(END)


# -- events made by hand ----------------------------------------------------------------------------------------


def step(name, to, h):
    return StateChange(name, 1, from_epoch(hours(h)), None, to, "", {}, 0.0)


def peak(name, noise, kind=PeakKind.NEW_PEAK):
    return PeakCrossing(name, 1, from_epoch(hours(0.0)), kind, noise, "Murmur")


def turn(name, trend):
    return TrendUpdate(name, 1, from_epoch(hours(0.0)), trend, Trend.STEADY, {}, 0.0, 0.0, 0.0)


def index(category, value):
    return NoiseIndex(category, from_epoch(hours(0.0)), value, 604_800.0, 1, ())


def track_of(*events):
    track = Track(SHIPPED_POLICY, LOUD)
    track.note(Output("", "", "", 0.0, event) for event in events)
    return track


def rows(**noise):
    """Rows that are so loud at END, and were louder by ten an hour before."""
    return {
        name: Incident(items=1, composite=each, last_seen=END, peak_noise=each + 10.0, peak_at=END - 3600.0)
        for name, each in noise.items()
    }


def test_alerts_ring_at_a_major_controversy_a_loud_new_peak_and_a_surge_and_at_nothing_else():
    # when
    track = track_of(
        step("leak", State.MAJOR, 0),
        step("leak", State.DEBATED, 1),
        step("leak", State.MAJOR, 2),
        peak("leak", LOUD),
        peak("leak", LOUD - 0.1),
        peak("fire", 99.0, PeakKind.ROSE_ABOVE),
        peak("fire", 99.0, PeakKind.PEAKED),
        turn("fire", Trend.SURGING),
        turn("fire", Trend.RISING),
        turn("leak", Trend.STEADY),
    )

    # then
    assert {kind: dict(counts) for kind, counts in track.alerts.items()} == {
        Alert.MAJOR: {"leak": 2},
        Alert.LOUD: {"leak": 1},
        Alert.SURGE: {"fire": 1},
    }
    assert [each.to for each in track.steps["leak"]] == [State.MAJOR, State.DEBATED, State.MAJOR]


def test_of_the_index_the_last_value_of_each_category_is_compared_all_together_first():
    a = track_of(index("Safety", 5.0), index("overall", 9.0), index("Ethics", 4.0), index("Safety", 6.0))
    b = track_of(index("overall", 2.0), index("Labor", 1.5))

    assert compare(Run(a, {}), Run(b, {}), END).index == (
        Count("overall", 9.0, 2.0),
        Count("Ethics", 4.0, 0.0),
        Count("Labor", 0.0, 1.5),
        Count("Safety", 6.0, 0.0),
    )


def test_a_side_has_noise_peak_and_state_of_the_row_with_both_ranks():
    track = track_of()
    found = rows(leak=20.0, fire=30.0)
    found["leak"].peak_noise, found["leak"].state = 70.0, State.DEBATED

    told = compare(Run(track, found), Run(track, found), END)

    assert told.incidents[1].incident_id == "leak"
    assert told.incidents[1].a == Side(20.0, 2, Peak(70.0, from_epoch(END - 3600.0)), 1, State.DEBATED)


def test_incidents_stand_in_the_order_of_the_noise_under_a_and_those_of_b_alone_after_them():
    track = track_of()
    a = rows(low=10.0, high=30.0)
    b = rows(only_b_low=1.0, high=30.0, only_b_high=80.0, another=40.0, more=5.0)

    told = compare(Run(track, a), Run(track, b), END)

    assert [line.incident_id for line in told.incidents] == [
        "high",
        "low",
        "only_b_high",
        "another",
        "more",
        "only_b_low",
    ]
    by_name = {line.incident_id: line for line in told.incidents}
    assert (by_name["low"].b, by_name["another"].a) == (None, None)


def test_those_of_a_alone_keep_their_place():
    track = track_of()

    told = compare(Run(track, rows(loud=50.0, b=40.0, quiet=1.0)), Run(track, rows(b=40.0)), END)

    assert [line.incident_id for line in told.incidents] == ["loud", "b", "quiet"]


def test_steps_are_paired_by_the_state_they_enter_and_those_of_one_side_alone_have_one_time():
    # given
    a = track_of(
        step("leak", State.EMERGING, 0), step("leak", State.DEBATED, 5), step("fire", State.EMERGING, 1)
    )
    b = track_of(
        step("leak", State.EMERGING, 0), step("leak", State.GROWING, 5), step("flood", State.EMERGING, 2)
    )

    # when
    told = compare(Run(a, {}), Run(b, {}), END)

    # then
    assert set(told.steps) == {
        StepLine("fire", State.EMERGING, from_epoch(hours(1)), None),
        StepLine("flood", State.EMERGING, None, from_epoch(hours(2))),
        StepLine("leak", State.DEBATED, from_epoch(hours(5)), None),
        StepLine("leak", State.GROWING, None, from_epoch(hours(5))),
    }
    assert [line.incident_id for line in told.steps] == ["fire", "flood", "leak", "leak"]
    assert told.changes == Count("state changes", 3, 3)


def test_an_incident_that_rings_otherwise_is_named_with_both_counts():
    a, b = track_of(peak("leak", 50.0), peak("leak", 60.0), peak("fire", 50.0)), track_of(peak("fire", 50.0))

    told = compare(Run(a, {}), Run(b, {}), END)

    assert told.rings == (AlertLine("leak", Alert.LOUD, 2, 0),)
    assert told.alerts == (Count("Major Controversy", 0, 0), Count("loud peak", 3, 1), Count("surging", 0, 0))


def test_a_constant_that_only_one_policy_has_is_none_in_the_other():
    longer = replace(
        SHIPPED_POLICY,
        lifecycle=replace(
            SHIPPED_POLICY.lifecycle,
            rules=(*SHIPPED_POLICY.lifecycle.rules, SHIPPED_POLICY.lifecycle.rules[-1]),
        ),
    )

    found = {each.key: (each.a, each.b) for each in differences(SHIPPED_POLICY, longer)}

    assert found["lifecycle.rules[9].to"] == (None, "Emerging")
    assert all(key.startswith("lifecycle.rules[9]") for key in found)
