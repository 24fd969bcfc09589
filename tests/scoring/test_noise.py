"""What a score says can be recomputed: from all observations, and by hand from the event itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.incident_profile import IncidentProfile
from schemas.noise_score import Factors, NoiseScore
from schemas.times import to_epoch
from schemas.topics import NOISE_SCORES
from scoring import factors
from scoring.levels import level_of
from tests import oracle
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.strategies import crowded, in_order, minutes, profiles, streams


@given(streams(), st.floats(0.0, 24.0 * 30))
def test_the_noise_at_any_later_time_is_that_of_the_oracle(stream, later_h):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    at = hours(24.0 * 5 + later_h)

    # when
    driver.advance(at)

    # then
    expected = oracle.noise(oracle.standing(stream, POLICY), POLICY, at)
    assert driver.state().noise_at(at, POLICY.curve.half_life_s) == pytest.approx(expected, abs=1e-9)


@given(streams(moments=st.one_of(minutes, crowded)), st.data())
def test_the_scores_told_say_the_noise_at_any_time_of_all_that_was_seen_by_then(stream, data):
    # given: a live stream, with profiles between the observations
    driver, stream = Driver(clock="wall"), in_order(stream)
    known: list[tuple[float, IncidentProfile]] = []
    for each in stream:
        now = to_epoch(each.observed_at)
        driver.pipe(each, at=now)
        if data.draw(st.booleans()):
            known.append((now, data.draw(profiles())))
            driver.profile(known[-1][1], at=now)
    driver.advance(hours(24.0 * 40))
    scores = driver.events(NOISE_SCORES)

    # when
    for at in (
        hours(data.draw(st.floats(0.0, 24.0 * 40))),
        to_epoch(data.draw(st.sampled_from(stream)).observed_at),
    ):
        last = next((score for score in reversed(scores) if to_epoch(score.as_of) <= at), None)
        told = (
            0.0
            if last is None
            else last.composite * 0.5 ** (max(0.0, at - to_epoch(last.anchor)) / last.half_life)
        )

        # then
        seen = oracle.standing([each for each in stream if to_epoch(each.observed_at) <= at], POLICY)
        profile_then = next((each for since, each in reversed(known) if since <= at), profile())
        tiers = {party.name.casefold(): party.tier.value for party in profile_then.parties}
        expected = oracle.noise(seen, POLICY, at, profile_then.industry_impact, tiers)
        assert told == pytest.approx(expected, abs=1e-9)


@given(streams(), st.booleans())
def test_every_score_on_the_wire_can_be_recomputed_by_hand(stream, live):
    # given
    driver = Driver(clock="wall" if live else "stream")
    for each in in_order(stream) if live else stream:
        driver.pipe(each)
    driver.advance(hours(24.0 * 40))

    # when
    for output in driver.outputs(NOISE_SCORES):
        score = msgspec.json.decode(encode(output.event), type=NoiseScore)
        by_hand = score.composite * 2.0 ** -(
            (to_epoch(score.as_of) - to_epoch(score.anchor)) / score.half_life
        )

        # then
        assert score.noise == pytest.approx(by_hand, abs=1e-9)
        assert factors.total(score.contributions) == pytest.approx(score.noise, abs=1e-9)
        if score.items:
            weighted = factors.weighted(score.factors, POLICY.weights, score.decay)
            for name in Factors.__struct_fields__:
                assert getattr(weighted, name) == pytest.approx(getattr(score.contributions, name), abs=1e-9)
        assert score.level == level_of(score.noise, POLICY)
        assert 0.0 <= score.noise <= 100.0
        assert score.peak.noise >= score.noise


@given(streams(incidents=("leak", "fire")))
def test_the_points_of_the_last_item_are_the_difference_it_made(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.advance(to_epoch(each.observed_at))
        before = driver.ledger.incident(each.incident_id)
        composite, anchor = (before.composite, before.last_seen) if before else (0.0, 0.0)

        # when
        for score in (out.event for out in driver.pipe(each) if out.topic == NOISE_SCORES):
            # then
            assert score.last_item.id == each.item_id
            was = composite * 0.5 ** (max(0.0, to_epoch(score.as_of) - anchor) / score.half_life)
            assert score.last_item.points == pytest.approx(score.noise - was, abs=1e-9)


@pytest.mark.parametrize(
    ("observations", "share"),
    [
        ([item("a", likes=100)], 1.0),  # no source knows its audience
        ([item("a", likes=100, audience=20_000)], 0.0),  # one does
        (
            [item("a", likes=100, audience=20_000), item("b", likes=100)],
            0.5,
        ),  # 100 interactions, 200 people each
        ([item("a", likes=100, audience=0)], 0.0),  # nobody is not unknown
        ([item("a")], 0.0),  # nothing to estimate from
        ([item("a", likes=100), item("a", seen=1.0, likes=100, audience=20_000)], 0.0),  # known later
        ([item("a", audience=9, likes=1), item("b", likes=100), item("b", seen=1.0, retracted=True)], 0.0),
    ],
)
def test_a_score_flags_which_share_of_its_audience_is_estimated(observations, share):
    driver = Driver()
    for each in observations:
        driver.pipe(each)
    assert driver.events(NOISE_SCORES)[-1].audience_estimated == pytest.approx(share)


def test_a_profile_moves_the_noise_by_its_impact_and_its_parties():
    # given
    driver = Driver()
    driver.pipe(item("a"))
    before = driver.events(NOISE_SCORES)[-1]

    # when
    driver.profile(profile(impact=90.0, ann="S"))
    after = driver.events(NOISE_SCORES)[-1]

    # then
    assert after.noise - before.noise == pytest.approx(0.10 * 40.0 + 0.15 * 30.0)
    assert after.revision == before.revision + 1
    assert after.as_of == before.as_of


def test_the_split_is_said_to_have_widened_only_as_long_as_that_is_late_news():
    # given: one side for a day, then the other side answers
    driver = Driver()
    driver.pipe(item("a", h=0.0, stance=-1.0, likes=5000))
    driver.pipe(item("b", h=24.0, stance=1.0, likes=5000))
    assert driver.events(NOISE_SCORES)[-1].polarity.shift == "the split has widened"

    # when: nothing comes for weeks
    driver.advance(hours(24.0 * 30))

    # then
    last = driver.events(NOISE_SCORES)[-1]
    assert to_epoch(last.as_of) > hours(24.0 * 10)
    assert last.polarity.shift == "the split has held"
