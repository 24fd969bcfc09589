"""The desk tells each event that a rule asks for exactly once: at once, as a digest, or when quiet hours end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.words import PeakKind, State
from stream.alerts.hours import quiet_until
from tests.alerting import (
    changed,
    crossed,
    desk,
    profiled,
    restarted,
    rule,
    scored,
    store,
    told_until,
    turned,
)
from tests.builders import hours, profile

NIGHT = {"quiet": [{"from": "22:00", "to": "07:00"}]}


def told(notices):
    return [(notice.kind, [alert.event_id for alert in notice.alerts]) for notice in notices]


# -- at once ------------------------------------------------------------------------------------------------


def test_an_event_is_told_as_soon_as_its_score_is_known():
    at = desk(rule())
    assert at.hear(changed(revision=3), hours(0)) == []
    notices = at.hear(scored(revision=3), hours(0))
    assert told(notices) == [("alert", ["leak/3/state/Major Controversy"])]
    assert notices[0].id == "leak/3/state/Major Controversy/alert/all"
    assert notices[0].alerts[0].category == "Safety"


def test_an_event_whose_score_does_not_come_is_told_all_the_same():
    at = desk(rule())
    at.hear(changed(), hours(0))
    assert at.advance(hours(0) + 1.9) == []
    assert len(at.advance(hours(0) + 2.0)) == 1


def test_an_event_need_not_wait_where_nothing_comes_any_more():
    at = desk(rule())
    at.hear(changed(), hours(0))
    assert len(at.wait_no_more(hours(0))) == 1
    assert at.wait_no_more(hours(0)) == []


def test_a_repeat_is_not_told_again_nor_by_a_desk_that_was_restarted():
    rules, stored = [rule()], {}
    at = desk(*rules)
    at.hear(scored(), hours(0))
    assert len(at.hear(changed(), hours(0))) == 1
    assert at.hear(changed(), hours(1)) == []
    at = restarted(at, stored, *rules)
    assert at.hear(changed(), hours(2)) == []


def test_an_event_that_waits_for_its_score_waits_over_a_restart():
    rules, stored = [rule()], {}
    at = desk(*rules)
    at.hear(turned(), hours(0))
    at.hear(changed(), hours(0))
    at = restarted(at, stored, *rules)
    assert told(at.hear(scored(), hours(0))) == [("alert", ["leak/1/state/Major Controversy"])]


def test_each_rule_tells_of_an_event_for_itself():
    at = desk(rule("one"), rule("two", channels=["duty"]))
    at.hear(scored(), hours(0))
    notices = at.hear(changed(), hours(0))
    assert [(notice.rule, at.channels_of(notice)) for notice in notices] == [
        ("one", ("hook",)),
        ("two", ("duty",)),
    ]


def test_a_notice_names_the_incident_by_its_title_and_leads_to_its_page():
    at = desk(rule())
    at.hear(profiled(profile("a/b", Ada="S")), hours(0))
    at.hear(scored("a/b"), hours(0))
    [notice] = at.hear(changed("a/b"), hours(0))
    assert notice.title == "a/b: now Major Controversy (was Debated)"
    assert notice.link == "https://decibel.example/incident/a%2Fb"
    assert notice.labels == {
        "alertname": "all",
        "severity": "warning",
        "category": "Safety",
        "incident": "a/b",
        "state": "Major Controversy",
    }


# -- digests and quiet hours --------------------------------------------------------------------------------


def test_a_digest_goes_out_at_its_boundary_with_all_of_its_group():
    at = desk(rule(digest="15min", group="category"))
    for incident in ("leak", "vote"):
        at.hear(scored(incident), hours(0.1))
        assert at.hear(changed(incident), hours(0.1)) == []
    assert at.advance(hours(0.25) - 0.001) == []
    [notice] = at.advance(hours(0.25))
    assert told([notice]) == [
        ("digest", ["leak/1/state/Major Controversy", "vote/1/state/Major Controversy"])
    ]
    assert notice.title.startswith("2 alerts on 2 incidents – ")
    assert notice.group == "Safety"


def test_the_digest_of_one_alert_is_that_alert():
    at = desk(rule(digest="hour"))
    at.hear(scored(), hours(0.1))
    at.hear(changed(), hours(0.1))
    [notice] = at.advance(hours(1))
    assert (notice.kind, notice.id) == ("alert", "leak/1/state/Major Controversy/alert/all")


def test_quiet_hours_hold_what_comes_and_tell_it_together_when_they_end():
    at = desk(rule(**NIGHT))
    for revision, h in ((1, 22.5), (2, 26.0)):
        at.hear(scored(revision=revision, h=h), hours(h))
        assert at.hear(changed(revision=revision, h=h), hours(h)) == []
    assert at.collecting == 2
    notices = told_until(at, 40)
    assert [(notice.kind, len(notice.alerts), notice.at) for notice in notices] == [
        ("digest", 2, notices[0].at),
    ]
    assert to_epoch(notices[0].at) == hours(24 + 7)


def test_what_is_urgent_passes_through_quiet_hours():
    at = desk(rule(urgent=True, **NIGHT))
    at.hear(scored(h=23), hours(23))
    assert len(at.hear(changed(h=23), hours(23))) == 1


# -- repeat and resolve -------------------------------------------------------------------------------------


def opened(*rules, h=0.0):
    at = desk(*rules)
    at.hear(scored(h=h), hours(h))
    return at, at.hear(changed(h=h), hours(h))


def test_an_alert_that_nothing_ends_is_a_moment():
    at, [notice] = opened(rule())
    assert (notice.lasting, notice.ends) == (False, None)
    assert told_until(at, 1000) == []
    assert at.lasting("hook") == []


def test_an_alert_ends_when_the_state_leaves():
    at, [notice] = opened(
        rule(when={"states": {"to": ["Major Controversy"]}}, resolve={"state_leaves": True})
    )
    assert notice.lasting
    assert at.lasting("hook") == [notice]
    assert at.lasting("duty") == []
    [over] = at.hear(changed(revision=2, h=5, to=State.RESOLVED), hours(5))
    assert (over.kind, over.labels, to_epoch(over.ends)) == ("resolved", notice.labels, hours(5))
    assert over.id == "leak/1/state/Major Controversy/alert/all/resolved"
    assert at.lasting("hook") == []


def test_an_alert_ends_when_the_noise_will_have_fallen_without_any_further_event():
    at, _ = opened(rule(resolve={"noise_below": 40.0}, min_noise=40.0))
    [over] = told_until(at, 1000)
    assert over.kind == "resolved"
    assert to_epoch(over.at) == pytest.approx(hours(7 * 24), abs=0.01)  # 80 to 40: one half-life


def test_new_coverage_puts_the_end_off():
    at, _ = opened(rule(resolve={"noise_below": 40.0}, min_noise=40.0))
    assert at.hear(scored(revision=2, h=24), hours(24)) == []
    [over] = told_until(at, 1000)
    assert to_epoch(over.at) == pytest.approx(hours(8 * 24), abs=0.01)


def test_an_alert_ends_after_its_time():
    at, _ = opened(rule(resolve={"after": "6h"}))
    assert [(each.kind, to_epoch(each.at)) for each in told_until(at, 100)] == [("resolved", hours(6))]


def test_an_incident_that_is_merged_into_another_ends():
    at, _ = opened(rule(resolve={"after": "6h"}))
    [over] = at.hear(scored(revision=2, noise=0.0, merged_into="other"), hours(1))
    assert over.kind == "resolved"


def test_an_alert_that_lasts_is_repeated_until_it_ends():
    at, _ = opened(rule(resolve={"after": "6h"}, repeat_after="2h"))
    kinds = [(each.kind, to_epoch(each.at)) for each in told_until(at, 100)]
    assert kinds == [("repeat", hours(2)), ("repeat", hours(4)), ("resolved", hours(6))]


def test_repeats_have_ids_of_their_own():
    at, [notice] = opened(rule(resolve={"after": "6h"}, repeat_after="2h"))
    assert len({notice.id, *(each.id for each in told_until(at, 100))}) == 4


def test_a_group_ends_with_the_last_of_its_incidents():
    at = desk(
        rule(group="rule", when={"states": {"to": ["Major Controversy"]}}, resolve={"state_leaves": True})
    )
    for incident in ("leak", "vote"):
        at.hear(scored(incident), hours(0))
        at.hear(changed(incident), hours(0))
    assert at.hear(changed("leak", 2, to=State.RESOLVED), hours(1)) == []
    assert told(at.hear(changed("vote", 2, to=State.RESOLVED), hours(1))) == [
        ("resolved", ["vote/1/state/Major Controversy"])
    ]


def test_what_ended_before_it_could_be_told_is_told_once_and_not_as_over():
    at = desk(rule(when={"states": {"to": ["Major Controversy"]}}, resolve={"state_leaves": True}, **NIGHT))
    at.hear(scored(h=23), hours(23))
    at.hear(changed(h=23), hours(23))
    at.hear(changed(revision=2, h=24, to=State.RESOLVED), hours(24))
    [notice] = told_until(at, 100)
    assert (notice.kind, notice.lasting, to_epoch(notice.ends)) == ("alert", False, hours(24))


def test_an_end_in_quiet_hours_is_told_when_they_are_over():
    at, _ = opened(rule(resolve={"after": "6h"}, **NIGHT), h=18)
    assert [(each.kind, to_epoch(each.at)) for each in told_until(at, 100)] == [("resolved", hours(31))]


def test_an_alert_that_begins_anew_before_its_end_was_told_goes_on():
    at, _ = opened(rule(resolve={"after": "6h"}, **NIGHT), h=18)
    assert told_until(at, 25) == []
    at.hear(scored(revision=2, h=30), hours(30))
    at.hear(changed(revision=2, h=30), hours(30))
    kinds = [(each.kind, to_epoch(each.at)) for each in told_until(at, 100)]
    assert kinds == [("alert", hours(31)), ("resolved", hours(36))]


def test_an_end_is_told_after_what_was_still_collected_when_it_came():
    at, _ = opened(rule(resolve={"after": "2h"}, **NIGHT), h=21)
    at.hear(scored(revision=2, h=22.5), hours(22.5))
    at.hear(changed(revision=2, h=22.5), hours(22.5))
    kinds = [(each.kind, each.lasting, to_epoch(each.at)) for each in told_until(at, 100)]
    assert kinds == [("alert", False, hours(31)), ("resolved", False, hours(31))]


def test_a_digest_is_not_put_off_by_what_comes_after_its_boundary():
    """Given a desk that was not looked at for a while; when more comes; then what is overdue is told with it."""
    at = desk(rule(digest="15min"))
    at.hear(scored(revision=2), hours(0.1))
    at.hear(changed(revision=1), hours(0.1))
    assert told(at.hear(changed(revision=2), hours(0.3))) == [
        ("digest", ["leak/1/state/Major Controversy", "leak/2/state/Major Controversy"])
    ]


def test_a_repeat_that_quiet_hours_of_yesterday_held_waits_for_those_of_today():
    """Given a desk that stood still from one night into the next; when it goes on; then it comes to an end."""
    at, _ = opened(rule(resolve={"after": "90h"}, repeat_after="12h", **NIGHT), h=11)
    assert at.advance(hours(24 + 23)) == []
    assert [(each.kind, to_epoch(each.at)) for each in told_until(at, 56)] == [("repeat", hours(55))]


def test_an_open_alert_goes_on_after_a_restart():
    rules, stored = [rule(resolve={"after": "6h"}, repeat_after="4h")], {}
    at, [notice] = opened(*rules)
    at = restarted(at, stored, *rules)
    assert at.lasting("hook") == [notice]
    assert [each.kind for each in told_until(at, 100)] == ["repeat", "resolved"]


def test_an_end_that_quiet_hours_hold_is_told_after_a_restart():
    rules, stored = [rule(resolve={"after": "6h"}, **NIGHT)], {}
    at, _ = opened(*rules, h=18)
    assert told_until(at, 25) == []
    at = restarted(at, stored, *rules)
    assert [(each.kind, to_epoch(each.at)) for each in told_until(at, 100)] == [("resolved", hours(31))]


def test_a_rule_that_is_no_more_is_forgotten_with_its_alerts():
    at, _ = opened(rule("old", resolve={"after": "6h"}))
    stored = {}
    at = restarted(at, stored, rule("new"))
    store(at, stored)
    assert told_until(at, 100) == []
    assert not [key for kind, key in stored if kind == "group"]


def test_what_was_told_long_ago_is_forgotten():
    stored = {}
    at, _ = opened(rule())
    store(at, stored)
    assert any(kind == "seen" for kind, _ in stored)
    at.forget(hours(1))
    store(at, stored)
    assert not any(kind == "seen" for kind, _ in stored)


# -- whatever comes -----------------------------------------------------------------------------------------

INCIDENTS = ("leak", "vote", "wheel")
STATES = list(State)


@st.composite
def rules(draw):
    """A rule that tells of all state changes and peaks, whatever its digest, group, quiet hours and end."""
    return rule(
        when={"states": {}, "peaks": {}},
        group=draw(st.sampled_from(["incident", "category", "rule"])),
        digest=draw(st.sampled_from(["none", "15min", "hour", "day"])),
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])),
        urgent=draw(st.booleans()),
        quiet=draw(
            st.lists(
                st.sampled_from(
                    [
                        {"from": "22:00", "to": "07:00"},
                        {"from": "12:00", "to": "13:30"},
                        {"from": "00:00", "to": "00:00", "days": ["sat", "sun"]},
                    ]
                ),
                max_size=3,
            )
        ),
        **draw(
            st.sampled_from(
                [
                    {},
                    {"resolve": {"after": "3h"}, "repeat_after": "1h"},
                    {"resolve": {"state_leaves": True}},
                    {"resolve": {"after": "2d", "state_leaves": True}, "repeat_after": "12h"},
                ]
            )
        ),
    )


@st.composite
def steps(draw):
    """Events of few incidents with growing revisions and times, some repeated; restarts and looks at the clock."""
    found, h = [], 0.0
    revisions = dict.fromkeys(INCIDENTS, 0)
    for _ in range(draw(st.integers(1, 25))):
        h += draw(st.floats(0.0, 9.0))
        incident = draw(st.sampled_from(INCIDENTS))
        revisions[incident] += 1
        revision = revisions[incident]
        events = [
            draw(
                st.sampled_from(
                    [
                        changed(incident, revision, h=h, to=draw(st.sampled_from(STATES))),
                        crossed(incident, revision, h=h, kind=draw(st.sampled_from(list(PeakKind)))),
                    ]
                )
            ),
            scored(incident, revision, h=h, state=draw(st.sampled_from(STATES))),
        ]
        found += [(h, event) for event in draw(st.permutations(events))]
        if draw(st.booleans()):
            found.append((h, draw(st.sampled_from(["restart", "look"]))))
        if draw(st.booleans()):  # a worker that was killed repeats what it has said
            found += [(h, event) for _, event in found[-4:] if not isinstance(event, str)]
    return found


@given(rules(), steps())
@settings(max_examples=200, deadline=None)
def test_no_event_is_lost_none_is_told_twice_and_none_in_quiet_hours(rule, steps):
    """Given any rule and events; when they come in any order, repeated, over restarts; then each is told once."""
    at, stored, notices, heard = desk(rule), {}, [], set()
    for h, step in steps:
        if step == "restart":
            at = restarted(at, stored, rule)
        elif step == "look":
            notices += told_until(at, h)
        else:
            notices += told_until(at, h)
            notices += at.hear(step, hours(h))
            if not step.id.endswith("/noise"):
                heard.add(step.id)
    notices += told_until(at, h + 24 * 60)
    fresh = [alert.event_id for each in notices if each.kind in {"alert", "digest"} for alert in each.alerts]
    assert sorted(fresh) == sorted(heard)
    assert at.collecting == 0
    assert len({each.id for each in notices}) == len(notices)
    for notice in notices:
        assert rule.urgent or quiet_until(rule, to_epoch(notice.at)) is None, notice
    ends = [each.group for each in notices if each.kind == "resolved"]
    begins = [each.group for each in notices if each.lasting and each.kind != "repeat"]
    assert set(ends) <= set(begins), "only what was told as lasting is told as over"
