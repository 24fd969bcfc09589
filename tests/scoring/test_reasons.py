"""Each reason in full: what stands behind a factor, a move and the trend, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from schemas.times import from_epoch
from schemas.words import Activity, Cause, Tier, Trend
from scoring import reasons, trend
from scoring.chronicle import NOTICED, Move
from scoring.incident import LN2, Incident, PlatformSum
from scoring.item import MICRO, MILLI
from tests.builders import hours
from tests.driver import SHIPPED_POLICY as POLICY

NOW = hours(100.0)


def row(items: int = 3, recent: float | None = None, **fields) -> Incident:
    """An incident of which `recent` items (all of them unless said) still count, as of NOW."""
    counts = [0.0, 0.0, 0.0, float(items if recent is None else recent)]
    return Incident(**{"items": items, "counts": counts, "rates_at": NOW, "last_seen": NOW, **fields})


def with_rates(fast: float, slow: float, word: Trend = Trend.STEADY, **fields) -> Incident:
    """An incident with so many items an hour at NOW, at 6 h and at 24 h."""
    return row(counts=[0.0, fast * 6.0 / LN2, slow * 24.0 / LN2, 0.0], trend=word, **fields)


def policy_with(table: str, **keys):
    return replace(POLICY, **{table: replace(getattr(POLICY, table), **keys)})


def move(freshness: float = 0.0, **values: float) -> Move:
    return Move(from_epoch(NOW), 7, Cause.DEADLINE, "", "", 1.0, freshness, values, 50.0)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (2700.0, "45 min"),
        (3600.0, "1.0 h"),
        (172_799.0, "48.0 h"),
        (172_800.0, "2.0 days"),
        (200_000.0, "2.3 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_suits_it(seconds, told):
    assert reasons.span(seconds) == told


@pytest.mark.parametrize(
    ("sums", "told"),
    [
        (PlatformSum(3, audience=1200), "audience 1,200, as the sources say"),
        (
            PlatformSum(3, without_audience=10 * MILLI),
            "audience 500, all of it estimated from interactions",
        ),
        (PlatformSum(3, audience=1500, without_audience=10 * MILLI), "audience 2,000 (25 % estimated)"),
    ],
)
def test_reach_says_how_much_is_a_guess(sums, told):
    assert reasons.reach(row(platforms={"x": sums}), POLICY) == told


def test_what_is_old_is_said_to_be_aged_with_the_share_that_still_counts():
    # given: of ten items there is as much left as of five, and 70 % would count in full
    old = row(10, recent=5.0, platforms={"x": PlatformSum(10, audience=1400)})

    assert reasons.reach(old, POLICY) == (
        "audience 1,000, as the sources say; aged to 71 %, most of it is old"
    )


def test_a_trickle_of_coverage_does_not_age_duration_and_platforms():
    """They want their share of no more than six items: so five left of ten are enough, and three are not."""
    trickle = row(10, recent=5.0, first_seen=NOW - 7200.0, platforms={"x": PlatformSum(10)})
    assert reasons.duration(trickle, POLICY) == "2.0 h from first to last coverage; 72 h give 100"
    assert reasons.cross_platform(trickle, POLICY) == "1 platform: x 10"

    silent = row(10, recent=3.0, first_seen=NOW - 7200.0, platforms={"x": PlatformSum(10)})
    assert reasons.duration(silent, POLICY).endswith("give 100; aged to 71 %, most of it is old")
    assert reasons.cross_platform(silent, POLICY) == "1 platform: x 10; aged to 71 %, most of it is old"


def test_at_nine_tenths_nothing_is_called_old_yet():
    whole = policy_with("aging", full_share=1.0)
    coverage = {"x": PlatformSum(10, audience=1000)}

    assert reasons.reach(row(10, recent=9.0, platforms=coverage), whole) == "audience 900, as the sources say"
    assert "aged to 89 %" in reasons.reach(row(10, recent=8.9, platforms=coverage), whole)


def test_engagement_names_the_most_engaged_platform_first_and_equals_by_name():
    # given: typical items are of 120 interactions on x, 100 on news and on unnamed platforms
    found = row(
        platforms={
            "news": PlatformSum(1, interactions=200 * MILLI),
            "x": PlatformSum(1, interactions=600 * MILLI),
            "blog": PlatformSum(1, interactions=200 * MILLI),
        }
    )

    assert reasons.engagement(found, POLICY) == "interactions of 9 typical items: x 5, blog 2, news 2"


def test_platforms_are_counted_the_busiest_first_equals_by_name():
    many = {name: PlatformSum(number) for name, number in (("x", 1), ("news", 2000), ("blog", 1))}
    assert reasons.cross_platform(row(2002, platforms=many), POLICY) == (
        "3 platforms: news 2,000, blog 1, x 1"
    )
    assert reasons.cross_platform(row(0, platforms={}), POLICY) == "no platform covers it any more"


@pytest.mark.parametrize(("platforms", "ends"), [(4, "a 1, b 1, c 1, d 1"), (5, "c 1, d 1 and 1 more")])
def test_four_are_named_and_the_rest_counted(platforms, ends):
    named = {name: PlatformSum(1) for name in "abcdef"[:platforms]}
    assert reasons.cross_platform(row(platforms, platforms=named), POLICY).endswith(ends)


def test_a_figure_has_the_tier_that_the_policy_gives_it_and_a_party_that_of_the_profile():
    # given
    listed = policy_with("star_power", figures={"Ann": Tier.S, "Eve": Tier.S, "Zoe": Tier.S})
    named = row(figures={"ann": 1, "bob": 2, "eve": 1}, parties={"eve": Tier.A})

    # then
    assert reasons.tiers(named, listed) == {"ann": Tier.S, "bob": Tier.C, "eve": Tier.A}
    assert reasons.star_power(named, listed, {"ann": "Ann"}) == "Ann (S 30), eve (A 20), bob (C 5)"


def test_one_side_alone_is_weighed_too():
    assert reasons.polarity(row(critic=2 * MICRO), POLICY) == "critics weigh 2, defenders 0 typical items"
    assert reasons.polarity(row(defender=2 * MICRO), POLICY) == "critics weigh 0, defenders 2 typical items"


def test_a_doubt_says_how_much_of_the_reach_is_a_guess_and_what_it_would_move_now():
    # given: 50 people for each interaction; twice as many are 10 log10(2) points of reach, of which a fifth counts
    guessed = row(platforms={"x": PlatformSum(3, without_audience=1000 * MILLI)})

    # then: half of it after a week
    assert reasons.doubt(guessed, POLICY, NOW) == (
        "All of its audience is estimated from interactions; were there twice as many people, "
        "the noise would be 0.6 points higher."
    )
    assert "the noise would be 0.3 points higher" in reasons.doubt(guessed, POLICY, NOW + 168 * 3600.0)


def test_a_doubt_gives_the_share_where_sources_know_a_part():
    part = row(platforms={"x": PlatformSum(3, audience=5000, without_audience=900 * MILLI)})
    assert reasons.doubt(part, POLICY, NOW).startswith(
        "Of its audience 90 % are estimated from interactions;"
    )


@pytest.mark.parametrize(
    "known", [PlatformSum(3, audience=5000), PlatformSum(3, audience=10**9, without_audience=MILLI)]
)
def test_where_nothing_or_a_trifle_is_a_guess_there_is_no_doubt(known):
    assert reasons.doubt(row(platforms={"x": known}), POLICY, NOW) == ""


def test_the_parts_of_a_move_say_whether_coverage_is_fresher_and_leave_out_what_rounds_to_nothing():
    assert reasons.parts(move(0.4, reach=NOTICED, duration=0.049)) == ("fresher coverage +0.4", "reach +0.1")
    assert reasons.parts(move(-0.4, reach=-2.0)) == ("reach -2.0", "staler coverage -0.4")


def test_parts_of_a_move_that_weigh_the_same_stand_by_name():
    assert reasons.parts(move(reach=-1.0, engagement=1.0)) == ("engagement +1.0", "reach -1.0")


def test_the_outlook_gives_rates_an_hour_or_a_day_whichever_reads_better():
    assert reasons.outlook(with_rates(1.5, 1.2), POLICY, NOW) == (
        "1.5 items an hour at 6 h, 1.2 at 24 h, ratio 1.25"
    )
    assert reasons.outlook(with_rates(0.5, 0.4), POLICY, NOW) == (
        "12 items a day at 6 h, 9.6 at 24 h, ratio 1.25"
    )


@pytest.mark.parametrize(("rate", "unit"), [(1.0, "an hour"), (0.999, "a day")])
def test_from_one_item_an_hour_on_rates_are_told_by_the_hour(rate, unit):
    assert f" items {unit} at 6 h" in reasons.outlook(with_rates(rate, rate), POLICY, NOW)


def test_the_outlook_of_an_incident_without_items_has_no_ratio():
    gone = row(0, counts=[0.0, 0.0, 0.0, 0.0])
    assert reasons.outlook(gone, POLICY, NOW) == (
        "0 items a day at 6 h, 0 at 24 h, ratio 0.00; too few items to call it falling"
    )


def test_a_word_that_the_ratio_alone_gives_is_not_said_to_be_held_back():
    assert reasons.outlook(with_rates(20.0, 10.0, Trend.RISING), POLICY, NOW).endswith("ratio 2.00")
    assert reasons.outlook(with_rates(1.0, 1.0), POLICY, NOW).endswith("ratio 1.00")


def test_what_holds_a_rise_back_is_the_noise_and_from_a_moment_on_the_number_of_items():
    # given: many items, whose noise is as it was on average
    flat = with_rates(20.0, 10.0, composite=50.0, averages_at=NOW, noise_average=50.0)
    few_from = trend.outlook(flat, POLICY).rise_ends
    assert few_from > NOW
    keen = policy_with("trend", rising_ratio=0.001, cooling_ratio=0.0001)

    # then
    assert reasons.outlook(flat, POLICY, NOW).endswith(
        "ratio 2.00; but the noise does not grow to call it rising"
    )
    assert reasons.outlook(flat, keen, few_from - 0.001).endswith(
        "; but the noise does not grow to call it rising"
    )
    assert reasons.outlook(flat, keen, few_from).endswith("; too few items to call it rising")


def test_what_holds_a_fall_back_is_the_noise_and_from_a_moment_on_the_number_of_items():
    # given: few items of late, whose noise is as it was on average
    flat = with_rates(1.0, 10.0, composite=50.0, averages_at=NOW, noise_average=50.0)
    few_from = trend.outlook(flat, POLICY).fall_ends

    # then
    assert reasons.outlook(flat, POLICY, NOW).endswith(
        "ratio 0.10; but the noise does not fall to call it falling"
    )
    assert reasons.outlook(flat, POLICY, few_from - 0.001).endswith(
        "; but the noise does not fall to call it falling"
    )
    assert reasons.outlook(flat, POLICY, few_from).endswith("; too few items to call it falling")


def test_a_ratio_at_an_edge_is_past_it_upwards_and_not_yet_downwards():
    even = row(counts=[0.0, 6.0, 24.0, 0.0])
    at_rise, at_fall = policy_with("trend", rising_ratio=1.0), policy_with("trend", cooling_ratio=1.0)

    assert reasons.outlook(even, at_rise, NOW).endswith(
        "ratio 1.00; but the noise does not grow to call it rising"
    )
    assert reasons.outlook(even, at_fall, NOW).endswith("ratio 1.00")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (
            Activity.SPIKING,
            "Its volume has been far above its own usual level since 27 June 2026, 04:00 UTC.",
        ),
        (
            Activity.SILENT,
            "It has been silent since 27 June 2026, 04:00 UTC: at its usual rate so long a gap is no chance.",
        ),
    ],
)
def test_the_volume_says_what_it_does_since_when(word, told):
    assert reasons.volume(row(activity=word, activity_since=hours(76.0)), POLICY) == told


def test_of_a_volume_that_was_never_sustained_nothing_is_said():
    assert reasons.volume(row(1), POLICY) == ""


def test_a_move_that_no_item_brought_says_what_did():
    told = {by: reasons.moved(structs.replace(move(reach=1.0), by=by)) for by in Cause}
    assert told == {
        Cause.OBSERVATION: "+1.0 points by an observation: reach +1.0",
        Cause.PROFILE: "+1.0 points by the editors' profile: reach +1.0",
        Cause.DEADLINE: "+1.0 points by a deadline: reach +1.0",
        Cause.MERGE: "+1.0 points by a merge with another incident: reach +1.0",
    }
