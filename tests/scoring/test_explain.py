"""An explanation says in words and figures what the score event says, and adds up."""

import math

import pytest

from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES, STATE_CHANGES
from schemas.words import Activity, State, Trend
from scoring import reasons
from scoring.explain import LABELS, explain
from scoring.factors import star_power
from scoring.upcoming import upcoming
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY, Driver


def told(driver, at, **more):
    return explain("leak", driver.state(), driver.policy, hours(at), **more)


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
    assert f"hackernews {300 / typical['hackernews']:.3g}" in why["engagement"]
    assert f"reddit {60 / typical['reddit']:.3g}" in why["engagement"]
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
    change = driver.events(STATE_CHANGES)[-1]

    state = told(driver, 4, change=change).state

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
    story = told(driver, 4, change=driver.events(STATE_CHANGES)[-1]).story

    assert all(sentence.endswith(".") for sentence in story)
    assert any("It has been Debated since" in sentence for sentence in story)


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
    calm = explain("leak", driver.state(), driver.policy, driver.ledger.time)
    driver.advance(silent.at.timestamp())
    quiet = explain("leak", driver.state(), driver.policy, driver.ledger.time)

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
