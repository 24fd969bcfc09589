"""Which events a rule tells of: by what happens, of which incidents, from which noise."""

import pytest

from schemas.incident_profile import IncidentProfile, Party
from schemas.times import from_epoch
from schemas.words import Activity, Category, PeakKind, State, Trend
from stream.alerts.heard import Known
from stream.alerts.matching import matches
from tests.alerting import HALF_LIFE_S, POLICY, changed, crossed, rule, scored, turned
from tests.builders import hours


def told(rule, heard, known=None):
    return matches(rule, heard.event, known or Known(), POLICY)


@pytest.mark.parametrize(
    ("when", "heard", "expected"),
    [
        ({"states": {}}, changed(to=State.DEBATED), True),
        ({"states": {"to": ["Debated"]}}, changed(to=State.DEBATED), True),
        ({"states": {"to": ["Debated"]}}, changed(to=State.MAJOR), False),
        ({"states": {"from": ["Debated"]}}, changed(previous=State.DEBATED), True),
        ({"states": {"from": ["Debated"]}}, changed(previous=State.GROWING), False),
        ({"states": {"from": ["Debated"]}}, changed(previous=None), False),
        ({"states": {}}, crossed(), False),
        ({"peaks": {}}, crossed(), True),
        ({"peaks": {"kinds": ["peaked"]}}, crossed(kind=PeakKind.PEAKED), True),
        ({"peaks": {"kinds": ["peaked"]}}, crossed(kind=PeakKind.NEW_PEAK), False),
        ({"peaks": {"levels": ["Clamor"]}}, crossed(level="Clamor"), True),
        ({"peaks": {"levels": ["Clamor"]}}, crossed(level="Uproar"), False),
        ({"trends": ["Surging"]}, turned(), True),
        ({"trends": ["Surging"]}, turned(previous=Trend.SURGING), False),  # only the activity has changed
        ({"trends": ["Fading"]}, turned(), False),
        ({"activity": ["silent"]}, turned(activity=Activity.SILENT), True),
        ({"activity": ["normal"]}, turned(), False),  # it was normal before
        ({"spike": "balanced"}, turned(activity=Activity.SPIKING, spike=0.5), True),
        ({"spike": "balanced"}, turned(activity=Activity.SPIKING, spike=0.49), False),
        ({"spike": "fewer"}, turned(activity=Activity.SPIKING, spike=0.55), False),
        ({"spike": "balanced"}, turned(activity=Activity.SUBSIDED, spike=0.9), False),
        (
            {"spike": "balanced"},
            turned(activity=Activity.SPIKING, previous_activity=Activity.SPIKING, spike=0.9),
            False,
        ),
    ],
)
def test_a_rule_tells_of_what_meets_one_of_its_conditions(when, heard, expected):
    assert told(rule(when=when), heard) is expected


def test_a_category_is_that_of_the_incident():
    known = Known(category="Safety")
    assert told(rule(categories=["Safety", "Labor"]), changed(), known)
    assert not told(rule(categories=["Labor"]), changed(), known)


def test_noise_is_that_of_the_event_and_a_level_begins_at_its_edge():
    assert told(rule(min_noise=80.0), changed(noise=80.0))
    assert not told(rule(min_noise=80.0), changed(noise=79.9))
    assert told(rule(min_level="Uproar"), changed(noise=75.0))
    assert not told(rule(min_level="Uproar"), changed(noise=74.9))


def test_the_noise_of_a_trend_update_is_read_off_the_incidents_curve():
    known = Known()
    known.learn(scored(h=0, noise=80.0).event)
    later = turned(h=7 * 24.0)
    assert told(rule(when={"trends": ["Surging"]}, min_noise=40.0), later, known)
    assert not told(rule(when={"trends": ["Surging"]}, min_noise=40.1), later, known)


def test_a_watch_list_holds_incidents_or_figures_whatever_their_case():
    known = Known()
    known.learn(IncidentProfile("leak", parties=(Party("Ada LOVELACE"),)))
    assert told(rule(incidents=["leak"]), changed("leak"), known)
    assert told(rule(incidents=["vote"], figures=["ada lovelace"]), changed("leak"), known)
    assert not told(rule(incidents=["vote"], figures=["ada"]), changed("leak"), known)


def test_what_is_older_than_what_is_known_changes_nothing():
    known = Known()
    known.learn(scored(revision=5, noise=70.0, state=State.MAJOR).event)
    assert not known.learn(scored(revision=4, noise=10.0).event)
    assert not known.learn(changed(revision=4, to=State.RESOLVED).event)
    assert (known.noise_at(hours(0)), known.state) == (70.0, State.MAJOR)
    assert known.learn(changed(revision=6, to=State.RESOLVED).event)
    assert known.learn(scored(revision=6, noise=60.0, state=State.RESOLVED).event)
    assert known.falls_below(30.0) == pytest.approx(hours(0) + HALF_LIFE_S, abs=0.01)


def test_a_profile_says_the_category_until_a_score_does():
    known = Known()
    known.learn(IncidentProfile("leak", category=Category.LABOR, updated_at=from_epoch(0.0)))
    assert known.category == "Labor"
    known.learn(scored(category="Safety").event)
    known.learn(IncidentProfile("leak", category=Category.LABOR))
    assert known.category == "Safety"
