"""The story of an explanation, sentence by sentence, and the lines that are read beside it."""

from __future__ import annotations

import pytest

from schemas.noise_score import LastItem, Peak
from schemas.times import from_epoch, to_epoch
from schemas.topics import NOISE_SCORES, TREND_UPDATES
from schemas.words import Category, State
from scoring import reasons
from scoring.chronicle import Chronicle
from scoring.explain import explain
from scoring.levels import shown
from tests.builders import hours, item, profile
from tests.driver import Driver


def told(driver: Driver, at: float, **more):
    return explain("leak", driver.state(), driver.policy, at, **more)


def chronicle_of(driver: Driver, first: int | None = None) -> Chronicle:
    """What the events so far tell, or only the `first` of them."""
    chronicle = Chronicle(driver.policy)
    chronicle.note(driver.log[:first])
    return chronicle


@pytest.fixture
def driver() -> Driver:
    """Two items on two platforms with a profile, in the second hour."""
    driver = Driver()
    driver.profile(profile(impact=80.0, category=Category.SAFETY))
    driver.pipe(item("a", h=0, platform="hackernews", likes=300, audience=1000))
    driver.pipe(item("b", h=1, platform="reddit", likes=30))
    return driver


def test_the_head_of_an_explanation_is_that_of_the_row_and_its_profile(driver):
    # given
    driver.pipe(item("again", h=5, platform="reddit"))
    driver.advance(hours(40))

    # when
    head = told(driver, hours(40.5), profile=profile(), chronicle=chronicle_of(driver))

    # then
    row = driver.state()
    assert (head.incident_id, head.title, head.category) == ("leak", "", Category.SAFETY)
    assert (head.at, head.revision, head.shown) == (from_epoch(hours(40.5)), row.revision, shown(head.noise))
    assert (head.items, head.platforms) == (3, 2)
    assert (head.first_seen, head.last_seen) == (from_epoch(hours(0)), from_epoch(hours(5)))
    assert (head.peak, head.peak_confirmed) == (Peak(row.peak_noise, from_epoch(row.peak_at)), True)
    assert head.last_item == LastItem("again", "reddit", row.last_points)
    assert told(driver, hours(40.5)).title == ""


def test_the_peak_is_not_confirmed_as_long_as_it_may_grow(driver):
    assert told(driver, hours(1)).peak_confirmed is False


def test_the_last_move_is_that_of_the_chronicle_with_the_title_of_its_item(driver):
    last = told(driver, hours(1), chronicle=chronicle_of(driver), titles={"b": "It spreads"}).last_move

    assert last is not None
    assert (last.item_id, last.platform, last.title) == ("b", "reddit", "It spreads")
    assert told(driver, hours(1)).last_move is None


def test_the_first_sentence_gives_the_two_strongest_factors_their_share(driver):
    # given
    explained = told(driver, hours(30))
    first, second = sorted(explained.factors, key=lambda line: -line.composite_points)[:2]
    assert (first.name, second.name) == ("industry_impact", "reach")

    # when
    shares = [round(100 * line.composite_points / explained.composite) for line in (first, second)]

    # then
    assert explained.story[0] == (
        f"Industry impact carries more of the noise than any other factor, {shares[0]} % ({first.because}); "
        f"reach follows with {shares[1]} %."
    )
    assert first.composite_points == 8.0
    assert shares[0] == round(800.0 / driver.state().composite)


def test_the_freshness_says_how_old_the_coverage_is_and_what_decay_has_left(driver):
    composite = f"{driver.state().composite:.2f}"

    assert (
        f"New coverage came last 0 s ago, so all of the composite of {composite} is left."
        in told(driver, hours(1)).story
    )
    assert (
        f"New coverage came last 3.0 days ago, so 74 % of the composite of {composite} is left."
        in told(driver, hours(73)).story
    )


def test_the_last_move_is_told_with_its_age(driver):
    chronicle = chronicle_of(driver)

    (now,) = [each for each in told(driver, hours(1), chronicle=chronicle).story if "last moved" in each]
    (later,) = [each for each in told(driver, hours(3), chronicle=chronicle).story if "last moved" in each]

    assert now.startswith("It was last moved 0 s ago, by +")
    assert later.startswith("It was last moved 2.0 h ago, by +")
    assert " points through b: " in later


def test_the_state_is_told_with_its_reason_where_that_is_known(driver):
    since = "It has been Debated since 24 June 2026, 01:00 UTC"

    assert (
        f"{since}: platforms at or above 2." in told(driver, hours(2), chronicle=chronicle_of(driver)).story
    )
    assert f"{since}." in told(driver, hours(2)).story


def test_a_chronicle_that_knows_only_an_earlier_state_lends_the_present_one_no_reason(driver):
    # given: it has seen that the incident was first detected, and no more
    stale = chronicle_of(driver, first=3)
    assert stale.step is not None
    assert stale.step.to is State.EMERGING

    # when
    explained = told(driver, hours(2), chronicle=stale)

    # then
    assert (explained.state.state, explained.state.reason, explained.state.evidence) == (
        State.DEBATED,
        "",
        {},
    )
    assert "It has been Debated since 24 June 2026, 01:00 UTC." in explained.story


def test_the_peak_is_told_as_past_from_an_hour_on(driver):
    peak = shown(driver.state().peak_noise)

    assert "It has not been louder before." in told(driver, hours(2) - 0.001).story
    assert f"It was loudest, at {peak}, 1.0 h ago." in told(driver, hours(2)).story


def test_the_last_sentence_says_what_comes_next_and_when(driver):
    explained = told(driver, hours(2))

    first, second = explained.next[:2]
    assert first.at < second.at
    assert explained.story[-1] == (
        f"Without new coverage, {first.what} on {reasons.when(first.at.timestamp())}."
    )


def test_of_an_incident_at_rest_the_last_sentence_says_that_it_only_fades(driver):
    driver.advance(hours(24 * 365))

    assert told(driver, driver.ledger.time).story[-1] == (
        "Without new coverage nothing about it will change but the noise, which fades."
    )


def test_of_what_was_retracted_the_story_tells_no_more_than_that(driver):
    # given
    for name, h, platform in (("a", 0, "hackernews"), ("b", 1, "reddit")):
        driver.pipe(item(name, h=h, seen=5, platform=platform, retracted=True))
    driver.advance(hours(24 * 365))

    # when
    explained = told(driver, driver.ledger.time)

    # then
    peak = driver.state()
    state = f"It has been {peak.state.value} since {reasons.when(peak.state_since)}."
    loudest = f"It was loudest, at {shown(peak.peak_noise)}, "
    assert explained.story[0] == "Everything about it has been retracted: it makes no noise."
    assert explained.story[1] == state
    assert explained.story[2].startswith(loudest)
    assert len(explained.story) == 4
    assert {(line.composite_points, line.noise_points) for line in explained.factors} == {(0.0, 0.0)}
    assert explained.trend.ratio == 0.0


def test_the_split_of_late_lies_between_what_it_was_and_what_it_is():
    # given: critics alone for a day, then as many defenders
    driver = Driver()
    driver.pipe(item("a", h=0, likes=5000, stance=-1.0))
    before = told(driver, hours(0))
    driver.pipe(item("b", h=24, likes=5000, stance=1.0))

    # when
    explained = told(driver, hours(25))

    # then
    assert before.polarity_average == before.polarity.value
    assert before.polarity.value < explained.polarity_average < explained.polarity.value
    assert (
        "Among those who take a side, the split has widened: polarity is 99, of late it was "
        f"{explained.polarity_average:.0f} on average."
    ) in explained.story


def test_the_trend_line_says_what_the_event_of_that_moment_says():
    # given: an outbreak
    driver = Driver()
    for number in range(12):
        driver.pipe(item(str(number), h=0.25 * number, likes=100 * number))

    # when
    event = driver.events(TREND_UPDATES)[0]
    at = to_epoch(event.at)
    replayed = Driver()
    for number in range(12):
        if hours(0.25 * number) <= at:
            replayed.pipe(item(str(number), h=0.25 * number, likes=100 * number))
    line = told(replayed, at).trend

    # then
    assert replayed.events(NOISE_SCORES)[-1].as_of == event.at
    assert (line.trend, line.rates, line.multiple) == (event.trend, event.rates, event.multiple)
    assert (line.spike, line.slope, line.activity) == (event.spike, event.slope, event.activity)
    assert line.slope > 0.0
    assert line.rates["6h"] / line.rates["24h"] == line.ratio > 1.0
