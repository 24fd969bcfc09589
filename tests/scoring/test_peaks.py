"""Peaks and crossings: a new peak by a margin, "peaked" after a hold, levels left only below their edge."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.topics import NOISE_SCORES, PEAK_CROSSINGS
from schemas.words import PeakKind
from scoring.decay import NEVER
from scoring.incident import Incident
from scoring.peaks import announced_at, cross
from tests import oracle
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import CROWD, bursts

NAMES, EDGES = list(POLICY.levels), list(POLICY.levels.values())
RULE = POLICY.peaks
END = hours(24.0 * 60)


def crossings(driver: Driver, *kinds: PeakKind) -> list:
    return [each for each in driver.events(PEAK_CROSSINGS) if not kinds or each.kind in kinds]


def run(stream, end: float = END) -> Driver:
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    driver.advance(end)
    return driver


def loud(name: str, h: float, likes: int = 0):
    """An item with so many figures that the noise is 28, before anybody likes it."""
    return item(name, h=h, likes=likes, figures=CROWD)


def test_a_first_item_of_some_noise_is_a_new_peak():
    driver = run([loud("a", 0.0)], hours(0.0))
    assert [(each.kind, each.noise, each.level) for each in crossings(driver)] == [
        (PeakKind.ROSE_ABOVE, 28.0, "Whisper"),
        (PeakKind.ROSE_ABOVE, 28.0, "Murmur"),
        (PeakKind.NEW_PEAK, 28.0, "Murmur"),
    ]


def test_what_is_quieter_than_the_first_noise_has_no_peak_to_tell():
    driver = run([item("a")])
    assert crossings(driver, PeakKind.NEW_PEAK, PeakKind.PEAKED) == []


@pytest.mark.parametrize("edge", EDGES[1:])
def test_a_level_begins_at_its_edge_and_the_loudest_ends_nowhere(edge):
    # given: the noise is at an edge, having come from nothing
    incident = Incident(composite=edge, last_seen=hours(0.0))

    # when
    told = [each for each in cross(incident, POLICY, hours(0.0))[0] if each.kind is PeakKind.ROSE_ABOVE]

    # then
    assert [each.level for each in told] == NAMES[1 : EDGES.index(edge) + 1]
    assert cross(incident, POLICY, hours(0.0))[0] == []


@pytest.mark.parametrize(
    ("noise", "announced", "told"),
    [(25.0, 0.0, True), (24.99, 0.0, False), (55.0, 50.0, True), (54.99, 50.0, False)],
)
def test_a_new_peak_is_told_from_the_margin_on_and_not_where_there_is_next_to_no_noise(
    noise, announced, told
):
    # given
    incident = Incident(composite=noise, last_seen=hours(0.0), announced=announced, level=len(EDGES) - 1)

    # then
    kinds = [each.kind for each in cross(incident, POLICY, hours(0.0))[0]]
    assert (PeakKind.NEW_PEAK in kinds) is told


def test_the_peak_is_where_the_noise_was_first_as_loud():
    # given
    incident = Incident(composite=50.0, last_seen=hours(2.0), peak_noise=50.0, peak_at=hours(1.0))

    # when
    told = cross(incident, POLICY, hours(2.0))[0]

    # then
    assert (incident.peak_noise, incident.peak_at) == (50.0, hours(1.0))
    assert told[-1].kind is PeakKind.NEW_PEAK


def test_peaked_is_told_with_the_level_of_its_moment():
    # given: loud at 0 h, told; nothing since
    incident = Incident(
        composite=50.0,
        last_seen=hours(0.0),
        peak_noise=50.0,
        peak_at=hours(0.0),
        announced=50.0,
        peaked=False,
    )
    incident.level = NAMES.index("Chatter")

    # then
    assert cross(incident, POLICY, hours(24.0) - 0.001)[0] == []
    [crossing], _ = cross(incident, POLICY, hours(24.0))
    assert (crossing.kind, crossing.level) == (PeakKind.PEAKED, "Chatter")


def test_peaked_is_told_with_the_peak_when_the_noise_has_stayed_below_it_for_the_hold():
    # when
    driver = run([loud("a", 1.0)], hours(100.0))

    # then
    (peaked,) = crossings(driver, PeakKind.PEAKED)
    assert to_epoch(peaked.at) == hours(1.0 + RULE.hold_h)
    assert (peaked.peak.noise, to_epoch(peaked.peak.at)) == (28.0, hours(1.0))
    assert peaked.noise < 28.0


def test_a_higher_peak_within_the_hold_begins_it_anew():
    # when: louder after ten hours
    driver = run([loud("a", 0.0), loud("b", 10.0, likes=1000)], hours(100.0))

    # then
    (peaked,) = crossings(driver, PeakKind.PEAKED)
    assert to_epoch(peaked.at) == hours(10.0 + RULE.hold_h)
    assert to_epoch(peaked.peak.at) == hours(10.0)


def test_a_rise_of_less_than_the_margin_is_no_new_peak():
    # given
    driver = Driver()
    driver.pipe(loud("a", 0.0))
    driver.pipe(loud("a", RULE.pause_h))

    # when: 4.9 points more, then again
    driver.profile(profile(impact=99.0))
    assert len(crossings(driver, PeakKind.NEW_PEAK)) == 1
    driver.profile(profile(impact=100.0))

    # then
    assert len(crossings(driver, PeakKind.NEW_PEAK)) == 2
    assert crossings(driver, PeakKind.NEW_PEAK)[-1].noise >= 28.0 + RULE.margin


def test_a_build_up_is_told_in_steps_the_next_when_the_pause_is_over():
    # when: three steps up within the pause, and nothing after
    steps = [loud(f"i{number}", number * 0.2, likes=10 ** (number + 1)) for number in range(4)]
    driver = run(steps)
    told = crossings(driver, PeakKind.NEW_PEAK)

    # then: the first at once, what came of the others at the end of the pause, at what is left of it by then
    assert [to_epoch(each.at) for each in told] == [hours(0.0), hours(RULE.pause_h)]
    greatest = driver.events(NOISE_SCORES)[-1].peak.noise
    assert told[0].noise + RULE.margin <= told[1].noise < greatest


def test_a_build_up_that_is_taken_back_within_the_pause_is_no_new_peak():
    # given
    driver = Driver()
    driver.pipe(loud("a", 0.0))
    driver.pipe(loud("b", 1.0, likes=10**6))

    # when
    driver.pipe(item("b", h=2.0, retracted=True))
    driver.advance(END)

    # then
    assert len(crossings(driver, PeakKind.NEW_PEAK)) == 1


@pytest.mark.parametrize(("composite", "told"), [(45.01, False), (46.0, True)])
def test_a_peak_within_the_pause_has_a_deadline_only_if_it_is_still_one_when_the_pause_is_over(
    composite, told
):
    # given: 40 were told at hour 0, and 45 are worth telling; 45.01 are below that within three minutes
    row = Incident(
        items=1,
        composite=composite,
        last_seen=hours(0.0),
        peak_noise=composite,
        announced=40.0,
        announced_at=hours(0.0),
    )

    assert announced_at(row, POLICY) == (hours(POLICY.peaks.pause_h) if told else NEVER)


def test_a_level_is_left_only_two_points_below_its_edge():
    # when: 13 points fall to 8, the edge of Whisper being 10
    driver = run([item("a", h=0.0)])

    # then
    (fell,) = crossings(driver, PeakKind.FELL_BELOW)
    assert fell.level == "Whisper"
    assert 8.0 - 1e-5 < fell.noise < 8.0
    assert oracle.noise(oracle.standing([item("a")], POLICY), POLICY, to_epoch(fell.at) - 0.001) >= 8.0 - 1e-9


def test_a_retraction_leaves_every_level_at_once():
    # given
    driver = Driver()
    driver.pipe(item("a", likes=10**6, figures=("Ann", "Bob")))
    rose = [each.level for each in crossings(driver, PeakKind.ROSE_ABOVE)]
    assert len(rose) > 1

    # when
    driver.pipe(item("a", seen=1.0, retracted=True))

    # then
    fell = crossings(driver, PeakKind.FELL_BELOW)
    assert [each.level for each in fell] == rose[::-1]
    assert {(to_epoch(each.at), each.noise) for each in fell} == {(hours(1.0), 0.0)}


@given(bursts(), st.lists(st.floats(0.0, 24.0 * 60), max_size=10))
def test_the_level_told_is_at_any_time_the_one_the_noise_is_in(stream, times):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    items = oracle.standing(stream, POLICY)

    for at in sorted(hours(h) for h in times if hours(h) > driver.ledger.time):
        # when
        driver.advance(at)
        told = crossings(driver, PeakKind.ROSE_ABOVE, PeakKind.FELL_BELOW)
        level = 0
        for each in told:
            level += 1 if each.kind is PeakKind.ROSE_ABOVE else -1
            assert each.level == NAMES[level if each.kind is PeakKind.ROSE_ABOVE else level + 1]

        # then
        noise = oracle.noise(items, POLICY, at)
        assert level == driver.state().level
        assert level == 0 or noise >= EDGES[level] - RULE.level_hysteresis - 1e-6
        assert level == len(EDGES) - 1 or noise < EDGES[level + 1] + 1e-6


@given(bursts())
def test_peaks_grow_by_the_margin_and_each_peaked_is_the_greatest_so_far(stream):
    # when
    driver = run(stream)
    scores = driver.events(NOISE_SCORES)

    # then
    told = [each.noise for each in crossings(driver, PeakKind.NEW_PEAK)]
    assert all(second >= first + RULE.margin for first, second in itertools.pairwise(told))
    greatest = max(each.noise for each in scores)
    assert scores[-1].peak.noise == greatest
    at = [to_epoch(each.at) for each in crossings(driver, PeakKind.NEW_PEAK)]
    assert all(second >= first + 3600.0 * RULE.pause_h for first, second in itertools.pairwise(at))
    for (
        score
    ) in scores:  # what exceeds the last told one by the margin is told, at the latest when the pause is over
        now, before = (
            to_epoch(score.as_of),
            [n for t, n in zip(at, told, strict=True) if t <= to_epoch(score.as_of)],
        )
        if not before:
            assert score.noise < RULE.first_noise
        elif now >= at[len(before) - 1] + 3600.0 * RULE.pause_h:
            assert score.noise < before[-1] + RULE.margin
    for each in crossings(driver, PeakKind.PEAKED):
        peak_at = to_epoch(each.peak.at)
        assert to_epoch(each.at) == round(peak_at + 3600.0 * RULE.hold_h, 3)
        before = [score.noise for score in scores if to_epoch(score.as_of) <= to_epoch(each.at)]
        assert each.peak.noise == max(before)
