"""The words of an alert say what has happened, with the figures, in one line of text."""

import pytest

from schemas.incident_profile import IncidentProfile
from schemas.noise_score import Peak
from schemas.times import from_epoch
from schemas.words import Activity, PeakKind, State, Trend
from stream.alerts.heard import LONGEST_TITLE, Known
from stream.alerts.wording import MOST_LISTED, alert_of, bundled
from tests.alerting import POLICY, changed, crossed, rule, scored, turned
from tests.builders import hours


def alert(heard, title="Leak at sea"):
    known = Known(title=title)
    known.learn(scored().event)
    return alert_of(rule(), heard, heard.event, known, POLICY)


@pytest.mark.parametrize(
    ("heard", "title", "summary"),
    [
        (
            changed(),
            "Leak at sea: now Major Controversy (was Debated)",
            "noise held; noise 80; noise 80 (Uproar)",
        ),
        (
            changed(previous=None, to=State.EMERGING),
            "Leak at sea: now Emerging",
            "noise held; noise 80; noise 80 (Uproar)",
        ),
        (
            turned(),
            "Leak at sea: surging (was holding steady)",
            "3.0 times its usual volume; 2 items per hour over 6h; noise 80 (Uproar)",
        ),
        (
            turned(trend=Trend.RISING, activity=Activity.SPIKING),
            "Leak at sea: rising (was holding steady), spiking",
            "3.0 times its usual volume; 2 items per hour over 6h; noise 80 (Uproar)",
        ),
        (crossed(noise=79.9), "Leak at sea: new peak, noise 79", "noise 79 (Uproar)"),
        (
            crossed(kind=PeakKind.PEAKED, noise=70.0, peak=Peak(81.2, from_epoch(hours(-20.5)))),
            "Leak at sea: peaked at noise 81",
            "its peak was on 2026-06-23 03:30 UTC; noise 70 (Clamor)",
        ),
        (crossed(kind=PeakKind.ROSE_ABOVE), "Leak at sea: risen to Uproar", "noise 80 (Uproar)"),
        (
            crossed(kind=PeakKind.FELL_BELOW, noise=72.0),
            "Leak at sea: fallen below Uproar",
            "noise 72 (Clamor)",
        ),
    ],
)
def test_title_and_summary_say_what_has_happened(heard, title, summary):
    said = alert(heard)
    assert (said.title, said.summary) == (title, summary)


def test_an_incident_without_a_title_is_named_by_its_id_and_a_stranger_commands_no_terminal():
    assert alert(changed(), title="").title.startswith("leak: ")
    assert alert(changed(), title="\x1b[2J\r\nGone").title.startswith(" [2J  Gone: ")


def test_a_title_is_cut_to_a_line():
    known = Known()
    known.learn(IncidentProfile("leak", title="x" * 16_000))
    assert len(known.title) == LONGEST_TITLE


def test_a_bundle_lists_its_alerts_with_their_times_and_counts_what_is_too_much():
    many = [alert(changed(revision=number, h=number)) for number in range(MOST_LISTED + 5)]
    title, summary = bundled(many)
    lines = summary.splitlines()
    assert title == "25 alerts – Leak at sea: now Major Controversy (was Debated)"
    assert lines[1] == "2026-06-24 01:00 UTC  Leak at sea: now Major Controversy (was Debated)"
    assert (len(lines), lines[-1]) == (MOST_LISTED + 1, "and 5 more")
