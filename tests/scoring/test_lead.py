"""Lead time: from the first coverage to the first in mainstream media, whatever order they are seen in."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import NOISE_SCORES
from scoring.lead import lead_time_s, told
from tests.builders import item
from tests.driver import SHIPPED_POLICY, Driver
from tests.scoring.strategies import streams

HOUR_S = 3600.0


def lead_of(*observations, **how):
    driver = Driver(**how)
    for each in observations:
        driver.pipe(each)
    return driver.events(NOISE_SCORES)[-1].lead_time


def test_two_days_before_the_first_news_item():
    posts = item("a", h=0.0, platform="reddit"), item("b", h=1.0, platform="x")
    assert lead_of(*posts) is None
    assert lead_of(*posts, item("c", h=48.0, platform="news"), item("d", h=60.0)) == 48.0 * HOUR_S


def test_a_lead_is_told_to_the_millisecond():
    assert lead_of(item("a", platform="x"), item("b", h=1.2345 / 3600.0)) == 1.234


def test_news_that_are_first_leave_no_lead():
    assert lead_of(item("a", h=0.0, platform="news"), item("b", h=3.0, platform="x")) == 0.0


def test_what_was_published_earlier_counts_though_it_is_seen_later():
    late = item("c", h=0.0, seen=9.0, platform="reddit")
    assert lead_of(item("a", h=5.0, platform="news"), late) == 5.0 * HOUR_S


@pytest.mark.parametrize(("gone", "left"), [("a", 9.0 * HOUR_S), ("b", 20.0 * HOUR_S), ("c", 10.0 * HOUR_S)])
@pytest.mark.parametrize("stored", [True, False])
def test_a_retraction_gives_the_next_one_its_place(gone, left, stored):
    # given
    stream = {
        "a": item("a", h=0.0, platform="reddit"),
        "x": item("x", h=1.0, platform="reddit"),
        "b": item("b", h=10.0, platform="news"),
        "c": item("c", h=20.0, platform="news"),
    }

    # when
    again = msgspec.structs.replace(stream[gone], observed_at=item(h=30.0).observed_at, retracted=True)

    # then
    assert lead_of(*stream.values(), again, stored=stored) == left


def test_without_its_only_news_item_there_is_no_lead_any_more():
    posts = item("a", h=0.0, platform="x"), item("b", h=5.0, platform="news")
    assert lead_of(*posts, item("b", h=5.0, seen=6.0, platform="news", retracted=True)) is None


def test_an_item_that_moves_to_another_platform_takes_its_date_along():
    posts = item("a", h=0.0, platform="x"), item("b", h=5.0, platform="news")
    assert lead_of(*posts, item("b", h=5.0, seen=6.0, platform="x")) is None
    assert lead_of(*posts, item("a", h=0.0, seen=6.0, platform="news")) == 0.0


def test_which_platforms_are_mainstream_is_the_policys_to_say():
    papers = replace(SHIPPED_POLICY, lead_time=replace(SHIPPED_POLICY.lead_time, mainstream=("x", "tv")))
    posts = item("a", h=0.0, platform="news"), item("b", h=2.0, platform="tv")
    assert lead_of(*posts, policy=papers) == 2.0 * HOUR_S


@given(streams(), st.data())
def test_it_is_the_same_in_any_order(stream, data):
    shuffled = data.draw(st.permutations(stream))
    plain, jumbled = Driver(), Driver(stored=True)
    for one, other in zip(stream, shuffled, strict=True):
        plain.pipe(one)
        jumbled.pipe(other)
    assert lead_time_s(plain.state()) == lead_time_s(jumbled.state())


@pytest.mark.parametrize(
    ("lead_s", "words"),
    [
        (None, "mainstream media do not have it yet"),
        (0.0, "mainstream media had it first"),
        (2.9 * 86400.0, "seen 2 days before mainstream media"),
        (2 * 86400.0, "seen 2 days before mainstream media"),
        (2 * 86400.0 - 1.0, "seen 47 h before mainstream media"),
        (86400.0, "seen 24 h before mainstream media"),
        (3600.0, "seen 1 h before mainstream media"),
        (119.0, "seen 1 min before mainstream media"),
        (60.0, "seen 1 min before mainstream media"),
        (0.001, "seen at the same time as in mainstream media"),
        (30.0, "seen at the same time as in mainstream media"),
    ],
)
def test_the_lead_in_words_claims_no_more_than_is_true(lead_s, words):
    assert told(lead_s) == words
