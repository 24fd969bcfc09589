"""What another policy would have done: the same records through both, and every difference told."""

import pytest
from msgspec import structs

from schemas.times import from_epoch
from schemas.words import State
from scoring.comparison import Alert, Run, Track, compare, differences
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY, Driver

END = hours(200.0)
LOUD = 40.0


def changed(**tables):
    """The shipped policy with keys of some tables changed."""
    return structs.replace(
        SHIPPED_POLICY,
        **{table: structs.replace(getattr(SHIPPED_POLICY, table), **keys) for table, keys in tables.items()},
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
    other = structs.replace(
        changed(curve={"half_life_h": 72.0}),
        lifecycle=structs.replace(SHIPPED_POLICY.lifecycle, rules=SHIPPED_POLICY.lifecycle.rules[:-1]),
    )

    found = {each.key: (each.a, each.b) for each in differences(SHIPPED_POLICY, other)}

    assert found["curve.half_life_h"] == (168.0, 72.0)
    assert found["lifecycle.rules[8].to"] == ("Emerging", None)
    assert not any(key.startswith("lifecycle.rules[7]") for key in found)


def test_ranks_noise_and_peaks_stand_side_by_side():
    """Given a policy under which reach alone counts; then the fire, which is seen by more people, is the loudest."""
    reach = structs.replace(
        SHIPPED_POLICY, weights=type(SHIPPED_POLICY.weights)(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    )

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
    rules[2] = structs.replace(rules[2], when=(structs.replace(rules[2].when[0], than=1000.0),))
    rules[5] = structs.replace(rules[5], hold_h=24.0)
    strict = structs.replace(
        SHIPPED_POLICY, lifecycle=structs.replace(SHIPPED_POLICY.lifecycle, rules=tuple(rules))
    )

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
