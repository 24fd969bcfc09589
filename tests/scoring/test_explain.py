"""An explanation says in words and figures what the score event says, and adds up."""

import math
import re

import pytest
from msgspec import structs

from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Activity, Cause, State, Trend
from scoring import factors, reasons
from scoring.chronicle import Chronicle, Move
from scoring.explain import LABELS, explain
from scoring.factors import star_power
from scoring.upcoming import upcoming
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver


def told(driver, at, **more):
    return explain("leak", driver.state(), driver.policy, hours(at), **more)


def chronicle_of(driver):
    chronicle = Chronicle(driver.policy)
    chronicle.note(driver.log)
    return chronicle


def by_name(explanation):
    return {line.name: line for line in explanation.factors}


@pytest.fixture
def driver():
    """Three items on two platforms with a profile, in their fourth hour."""
    driver = Driver()
    driver.profile(profile(impact=80.0, Anthropic="B", Alibaba="C"))
    driver.pipe(item("a", h=0, platform="hackernews", likes=300, audience=1000))
    driver.pipe(item("b", h=1, platform="reddit", likes=30, stance=-0.5))
    driver.pipe(item("c", h=3, platform="reddit", likes=30, stance=0.5, figures=("Someone",)))
    driver.advance(hours(4))
    return driver


def test_it_agrees_with_the_score_event(driver):
    score = driver.events(NOISE_SCORES)[-1]
    explanation = explain("leak", driver.state(), driver.policy, driver.state().as_of)

    assert (explanation.noise, explanation.composite) == (score.noise, score.composite)
    assert (explanation.decay, explanation.level) == (score.decay, score.level)
    assert explanation.verdict == score.verdict
    for line in explanation.factors:
        assert line.value == getattr(score.factors, line.name)
        assert line.noise_points == getattr(score.contributions, line.name)
    assert (explanation.peak, explanation.last_item) == (score.peak, score.last_item)
    assert explanation.polarity == score.polarity
    assert explanation.forecast == score.forecast


def test_points_add_up_to_composite_and_noise(driver):
    explanation = told(driver, 4)

    assert math.fsum(line.composite_points for line in explanation.factors) == pytest.approx(
        explanation.composite
    )
    assert math.fsum(line.noise_points for line in explanation.factors) == pytest.approx(explanation.noise)
    assert explanation.noise == pytest.approx(explanation.composite * explanation.decay)
    assert explanation.age_h == pytest.approx(1.0)


def test_every_factor_has_a_label_and_a_reason(driver):
    assert [line.name for line in told(driver, 4).factors] == list(LABELS)
    assert all(line.because for line in told(driver, 4).factors)


def test_reasons_name_the_figures(driver):
    why = {name: line.because for name, line in by_name(told(driver, 4)).items()}
    typical = {name: driver.policy.platform(name).typical for name in ("hackernews", "reddit")}

    assert why["reach"] == "audience 4,600 (78 % estimated)"
    recent = factors.recent_share(driver.state(), driver.policy)
    assert f"hackernews {recent * 300 / typical['hackernews']:.3g}" in why["engagement"]
    assert f"reddit {recent * 60 / typical['reddit']:.3g}" in why["engagement"]
    assert why["cross_platform"] == "2 platforms: reddit 2, hackernews 1"
    assert why["duration"] == "3.0 h from first to last coverage; 72 h give 100"
    side = 0.5 * (1 + 30 / typical["reddit"])  # one post on either side, half convinced, with 30 interactions
    assert why["polarity"].startswith(f"critics weigh {side:.3g}, defenders {side:.3g}")
    assert why["industry_impact"] == "as the editors assess it"


def test_parties_are_written_as_in_the_profile_the_most_influential_first(driver):
    written = profile(impact=80.0, Anthropic="B", Alibaba="C")

    line = by_name(told(driver, 4, profile=written))["star_power"]

    assert line.because == "Anthropic (B 10), Alibaba (C 5), someone (C 5)"


def test_tiers_are_those_the_factor_counts(driver):
    tiers = reasons.tiers(driver.state(), driver.policy)
    points = math.fsum(driver.policy.star_power.points(tier) for tier in tiers.values())

    assert points == star_power(driver.state(), driver.policy)


def test_an_incident_without_evidence_says_so():
    driver = Driver()
    driver.pipe(item())

    why = {name: line.because for name, line in by_name(told(driver, 0)).items()}

    assert why["reach"] == "no audience known, and no interactions to estimate one from"
    assert why["engagement"] == "no interactions yet"
    assert why["star_power"] == "no party or figure is named"
    assert why["polarity"] == "nobody has taken a side: 50"
    assert why["industry_impact"] == "not assessed: 50 by default"


def test_a_retracted_incident_makes_no_noise(driver):
    for name, h, platform in (("a", 0, "hackernews"), ("b", 1, "reddit"), ("c", 3, "reddit")):
        driver.pipe(item(name, h=h, seen=5, platform=platform, retracted=True))

    explanation = told(driver, 5)

    assert (explanation.noise, explanation.composite, explanation.items) == (0.0, 0.0, 0)
    assert {line.noise_points for line in explanation.factors} == {0.0}
    assert explanation.story[0].startswith("Everything about it has been retracted")


def test_the_state_says_since_when_and_why(driver):
    state = told(driver, 4, chronicle=chronicle_of(driver)).state

    assert (state.state, state.since) == (State.DEBATED, from_epoch(hours(1)))
    assert (state.reason, state.evidence["platforms"]) == ("platforms at or above 2", 2.0)
    assert told(driver, 4).state.reason == ""


def test_a_trend_held_back_says_what_is_missing(driver):
    trend = told(driver, 4).trend

    assert trend.trend is Trend.STEADY
    assert trend.ratio > driver.policy.trend.rising_ratio
    assert trend.because.endswith("; too few items to call it rising")


def test_what_is_told_to_come_next_happens_then(driver):
    """Given what is due first; when nothing new comes; then nothing changes before, and that changes then."""
    for _ in range(6):
        ahead = upcoming(driver.state(), driver.policy, driver.ledger.time)
        if not ahead:
            break
        due = ahead[0].at.timestamp()
        assert driver.advance(due - 0.001) == [], ahead[0].what
        outputs = [output for output in driver.advance(due) if output.topic != NOISE_SCORES]
        assert outputs, ahead[0].what
        assert {output.at for output in outputs} == {due}


def test_every_next_event_of_a_silent_incident_is_announced(driver):
    seen = []
    while ahead := upcoming(driver.state(), driver.policy, driver.ledger.time):
        seen.append(ahead[0].what)
        driver.advance(ahead[0].at.timestamp())

    assert driver.advance(hours(10_000)) == []
    assert any(what.startswith("the state turns to Resolved") for what in seen)
    assert any("counts as final" in what for what in seen)


def test_the_story_reads_in_sentences(driver):
    story = told(driver, 4, chronicle=chronicle_of(driver)).story

    assert all(sentence.endswith(".") for sentence in story)
    assert any("It has been Debated since" in sentence for sentence in story)


def test_the_story_names_the_factor_that_carries_it_and_what_moved_it_last(driver):
    story = told(driver, 4, chronicle=chronicle_of(driver)).story

    strongest = max(told(driver, 4).factors, key=lambda line: line.noise_points)
    assert story[0].startswith(LABELS[strongest.name])
    assert re.match(r"[\w -]+ carries more of the noise than any other factor, \d+ % \(.+\); ", story[0])
    (moved,) = [sentence for sentence in story if sentence.startswith("It was last moved")]
    assert moved.startswith("It was last moved 1.0 h ago, by +")
    assert " points through c: polarity +" in moved


def test_the_story_says_how_sure_reach_is(driver):
    (doubt,) = [each for each in told(driver, 4).story if "estimated" in each and "twice" in each]
    people = factors.audience(driver.state(), driver.policy)
    twice = factors.Audience(people.known, 2.0 * people.estimated)
    more = 0.2 * (factors.reach(twice, driver.policy) - factors.reach(people, driver.policy))

    assert doubt.startswith("Of its audience 78 % are estimated from interactions")
    assert f"the noise would be {more * told(driver, 4).decay:.1f} points higher" in doubt
    assert told(driver, 4).audience_estimated == pytest.approx(people.estimated_share)


def test_a_guess_that_would_move_nothing_is_not_mentioned():
    driver = Driver()
    driver.pipe(item("a", platform="reddit", likes=3, audience=10**7))
    driver.pipe(item("b", platform="reddit", likes=3))
    assert driver.events(NOISE_SCORES)[-1].audience_estimated > 0.0
    assert not any("twice" in sentence for sentence in told(driver, 0).story)


def test_the_story_tells_a_shift_of_the_split_as_long_as_it_is_of_late():
    driver = Driver()
    driver.pipe(item("a", h=0, likes=5000, stance=-1.0))
    driver.pipe(item("b", h=24, likes=5000, stance=1.0))

    (sentence,) = [each for each in told(driver, 25).story if "split" in each]
    assert sentence.startswith(
        "Among those who take a side, the split has widened: polarity is 99, of late it was "
    )
    driver.advance(hours(24 * 20))
    assert not any("split" in each for each in told(driver, 24 * 20).story)


def test_the_story_says_who_had_it_first(driver):
    assert "Mainstream media do not have it yet." in told(driver, 4).story

    driver.pipe(item("paper", h=6.5, platform="news"))

    explanation = told(driver, 7)
    assert "It was seen 6 h before mainstream media." in explanation.story
    assert explanation.lead_time == 6.5 * 3600.0


def test_movers_are_the_greatest_jumps_with_their_items_and_titles(driver):
    # given: a profile first, then an item that shrinks
    driver.profile(profile(impact=95.0, Anthropic="S", Alibaba="S"))
    driver.pipe(item("a", h=0, seen=5, platform="hackernews", likes=3, audience=10))

    # when
    movers = told(driver, 5, chronicle=chronicle_of(driver), titles={"a": "It leaks"}).movers

    # then
    scores = driver.events(NOISE_SCORES)
    greatest = sorted((abs(each.change.points) for each in scores), reverse=True)[:5]
    assert [abs(move.points) for move in movers] == pytest.approx(greatest)
    assert (movers[0].item_id, movers[0].title) == ("a", "It leaks")
    assert any(move.points < 0.0 for move in movers)
    (edited,) = [move for move in movers if move.by is Cause.PROFILE]
    assert (edited.item_id, edited.title) == ("", "")
    for move in movers:
        assert math.fsum(move.values.values()) + move.freshness == pytest.approx(move.points)


def test_a_move_is_told_with_its_parts_the_greatest_first_and_without_those_that_are_nothing():
    move = Move(
        from_epoch(hours(0.0)),
        7,
        Cause.OBSERVATION,
        "hackernews:123",
        "hackernews",
        3.1,
        1.18,
        {**dict.fromkeys(LABELS, 0.0), "engagement": 1.9, "reach": 0.02},
        50.0,
    )
    assert reasons.moved(move) == (
        "+3.1 points through hackernews:123: engagement +1.9, fresher coverage +1.2"
    )
    edited = structs.replace(move, by=Cause.PROFILE, item_id="", points=-2.0, freshness=0.0, values={})
    assert reasons.moved(edited) == "-2.0 points by the editors' profile"


def test_the_past_is_sampled_in_order_and_ends_with_what_stands(driver):
    past = told(driver, 4, chronicle=chronicle_of(driver)).past

    assert [each.at for each in past] == sorted(each.at for each in past)
    score = driver.events(NOISE_SCORES)[-1]
    assert (past[-1].noise, past[-1].polarity) == (score.noise, score.polarity.value)


def test_the_story_says_what_the_volume_does_and_when_it_will_be_silent():
    # given: an outbreak
    driver = Driver()
    for number in range(12):
        driver.pipe(item(str(number), h=0.25 * number))
    outbreak = told(driver, 3)
    silent = next(each for each in outbreak.next if each.what == "it falls silent")
    subsides = next(each for each in outbreak.next if each.what == "the spike subsides")

    # when
    driver.advance(subsides.at.timestamp())
    calm = explain("leak", driver.state(), driver.policy, driver.ledger.time, chronicle=chronicle_of(driver))
    driver.advance(silent.at.timestamp())
    quiet = explain("leak", driver.state(), driver.policy, driver.ledger.time, chronicle=chronicle_of(driver))

    # then
    assert any("far above its own usual level since" in sentence for sentence in outbreak.story)
    assert outbreak.trend.activity is Activity.SPIKING
    assert f"Without new coverage it falls silent on {reasons.when(silent.at.timestamp())}." in calm.story
    assert any("It has been silent since" in sentence for sentence in quiet.story)
    assert quiet.trend.activity_since == silent.at


@pytest.mark.parametrize("seconds", [0.0, 59.0, 3599.0, 100_000.0, 1e9])
def test_spans_are_short(seconds):
    assert len(reasons.span(seconds)) <= 14


def test_the_policy_is_the_one_given(driver):
    assert sum(line.weight for line in told(driver, 4).factors) == pytest.approx(1.0)
    assert told(driver, 4).half_life_h == SHIPPED_POLICY.curve.half_life_h
