"""Quiet growth is told as if everything had been assessed: to the byte, and only where nothing can have come of it."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.words import State
from scoring.assessment import look_ahead
from scoring.quiet import NEVER_CALM, calm
from scoring.rows import encode_row
from tests.builders import hours, item
from tests.driver import Driver
from tests.scoring.strategies import bursts, in_order, profiles, streams

END = hours(24.0 * 120)
gaps_h = st.sampled_from([0.0, 0.0, 1e-6, 0.001, 0.2, 1.0, 2.9, 4.0, 11.0, 30.0, 200.0])
gains = st.sampled_from([0, 1, 3, 10, 60, 400, 3000, 40_000])


@st.composite
def growths(draw):
    """Few items that are seen again and again, mostly grown: at once, after hours, after the noise has decayed."""
    found, likes, at_h = [], {}, 0.0
    for _ in range(draw(st.integers(2, 40))):
        at_h += draw(gaps_h)
        which = draw(st.integers(0, 5))
        grown = likes[which] = max(
            0, likes.get(which, 0) + draw(gains) - draw(st.sampled_from([0, 0, 0, 0, 50]))
        )
        found.append(
            item(
                f"i{which}",
                h=which / 10.0,
                seen=max(at_h, which / 10.0),
                platform=("reddit", "x", "news")[which % 3],
                likes=grown,
                audience=draw(st.sampled_from([None, None, None, 5000])),
                stance=(None, -0.5, 0.8)[which % 3],
                retracted=draw(st.integers(0, 30)) == 0,
            )
        )
    return in_order(found)


def told(driver: Driver) -> list[tuple[str, float, bytes]]:
    return [(each.id, each.at, encode(each.event)) for each in driver.log]


def stored(driver: Driver) -> dict[str, bytes]:
    return {name: encode_row(held.incident) for name, held in driver.ledger._held.items()}


def run(stream, edits, *, conflate: bool, batch: int) -> Driver:
    driver = Driver(conflate=conflate)
    for start in range(0, len(stream), batch):
        driver.batch([driver.record(each) for each in stream[start : start + batch]])
        if edits and start // batch % 3 == 1:
            driver.profile(edits[start % len(edits)])
    driver.advance(END)
    return driver


@given(
    st.one_of(growths(), bursts(("leak", "fire")), streams(incidents=("leak", "fire")).map(in_order)),
    st.lists(profiles(), max_size=3),
    st.booleans(),
    st.sampled_from([1, 4]),
)
def test_what_is_told_and_stored_is_what_comes_of_assessing_every_observation(stream, edits, conflate, batch):
    # given: a ledger that never finds anything calm, and so assesses everything
    quick = run(stream, edits, conflate=conflate, batch=batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scoring.held.calm", lambda *_: NEVER_CALM)
        slow = run(stream, edits, conflate=conflate, batch=batch)

    # then
    event(
        "something was quiet"
        if quick.ledger.tally.deadlines != slow.ledger.tally.deadlines
        else "as many wakes"
    )
    assert told(quick) == told(slow)
    assert stored(quick) == stored(slow)


@given(growths(), st.integers(1, 7))
def test_letting_go_of_all_that_is_held_in_memory_changes_nothing(stream, every):
    # given
    kept, forgetful = Driver(), Driver(stored=True)

    # when
    for number, each in enumerate(stream):
        kept.pipe(each)
        forgetful.pipe(each)
        if number % every == 0:
            forgetful.restart()
    kept.advance(END)
    forgetful.advance(END)

    # then
    assert told(forgetful) == told(kept)


def test_growth_between_two_thresholds_assesses_nothing_and_moves_the_peak(monkeypatch):
    # given: an incident of which nothing is near a threshold
    driver = Driver()
    driver.pipe(item(likes=100, platform="reddit"))
    driver.pipe(item(likes=101, platform="reddit", seen=0.1))
    assessed = []
    monkeypatch.setattr("scoring.ledger.assess", lambda *args: assessed.append(args))

    # when
    driver.pipe(item(likes=103, platform="reddit", seen=0.2))

    # then
    row = driver.state()
    assert assessed == []
    assert (row.peak_at, row.revision) == (hours(0.2), 3)
    assert row.peak_noise == driver.log[-1].event.noise


def test_an_incident_is_calm_between_the_thresholds_around_its_noise():
    # given
    driver = Driver()
    driver.pipe(item(likes=100, platform="reddit"))
    row, policy = driver.state(), driver.policy

    # when
    ahead = look_ahead(row, policy)
    stood = calm(row, policy, ahead)

    # then
    noise = row.noise_at(row.as_of, policy.curve.half_life_s)
    edges = [
        *policy.level_edges,
        policy.peaks.first_noise,
        *(w.noise[0][1] for w in policy.derived.watches[row.state] if w.noise),
    ]
    assert stood.high == min(edge for edge in edges if edge > noise)
    assert stood.low <= noise
    seen = ahead.outlook
    ends = [
        *(*seen.edges, seen.rise_ends, seen.fall_ends, seen.kept_until),
        *(at for span in ahead.spans.by_rates for at in (span.begins, span.ends)),
    ]
    assert stood.until == min(at for at in ends if at > row.as_of)


def test_an_incident_whose_noise_holds_out_for_a_rule_is_never_calm():
    # given: noise above 75, which must hold for four hours to be a major controversy
    driver = Driver()
    for number in range(12):
        driver.pipe(
            item(
                f"i{number}",
                h=number * 0.3,
                platform=("news", "reddit", "x", "facebook", "bluesky", "youtube")[number % 6],
                likes=10**6,
                audience=10**9,
                stance=(-1.0) ** number,
                figures=tuple(f"f{n}" for n in range(20)),
            )
        )
    row = driver.state()
    assert row.state is not State.MAJOR
    assert row.composite > 75.0

    # then
    assert calm(row, driver.policy, look_ahead(row, driver.policy)) is NEVER_CALM
