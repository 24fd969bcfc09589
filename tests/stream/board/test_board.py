"""The board: a model fed by events in any order, a drawing that fits the terminal and shows text as text."""

import io
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from schemas import topics
from schemas.dead_letter import DeadLetter, Origin
from schemas.incident_merged import IncidentMerged
from schemas.incident_profile import IncidentProfile
from schemas.noise_index import NoiseIndex
from schemas.noise_score import Factors, NoiseScore, Peak, Polarity
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import DAY_S, HOUR_S, from_epoch
from schemas.trend_update import TrendUpdate
from schemas.words import Activity, Category, PeakKind, Shift, State, Trend
from stream.board import BoardModel, render
from stream.board.feed import Kind, change_of
from stream.board.model import SPARK_STEP_S
from stream.board.plain import LONGEST_TEXT, plain

START = 1_780_000_000.0
WEEK_S = 7 * DAY_S
NOTHING = Factors(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def score(incident="one", noise=50.0, at=START, revision=1, **changes):
    given = {
        "incident_id": incident, "revision": revision, "as_of": from_epoch(at), "noise": noise,
        "level": "Chatter",
        "decay": 1.0, "composite": noise, "anchor": from_epoch(at), "half_life": WEEK_S, "factors": NOTHING,
        "contributions": NOTHING, "last_item": None, "peak": Peak(noise, from_epoch(at)),
        "state": State.EMERGING,
        "trend": Trend.STEADY, "polarity": Polarity(50.0, Shift.HELD), "category": Category.OTHER, "items": 1,
        "platforms": 1, "audience_estimated": 0.0, "first_seen": from_epoch(at), "last_seen": from_epoch(at),
        "verdict": "",
    }  # fmt: skip
    return NoiseScore(**(given | changes))


def transition(incident="one", to=State.GROWING, revision=1, at=START, previous=State.EMERGING):
    return StateChange(incident, revision, from_epoch(at), previous, to, "a rule was met", {}, 50.0)


def turn(incident="one", trend=Trend.SURGING, revision=1, at=START):
    return TrendUpdate(incident, revision, from_epoch(at), trend, Trend.STEADY, {"6h": 9.0}, 4.2, 0.9, 1.0)


def crossing(incident="one", kind=PeakKind.NEW_PEAK, noise=61.9, revision=1, at=START, level="Clamor"):
    peak = Peak(70.5, from_epoch(at)) if kind is PeakKind.PEAKED else None
    return PeakCrossing(incident, revision, from_epoch(at), kind, noise, level, peak)


def rejected(offset=42, reason="not-json"):
    return DeadLetter(reason, "the value", Origin("source-items", 0, offset, from_epoch(START)), None, None)


def model_of(*events, **options):
    model = BoardModel(**options)
    for event in events:
        model.apply(next(name for name, kind in topics.EVENT_OF.items() if isinstance(event, kind)), event)
    return model


def drawn(model, width=140, height=40, **options):
    screen = io.StringIO()
    console = Console(file=screen, width=width, height=height, color_system=None, force_terminal=False)
    console.print(render(model, width, height, **options))
    return screen.getvalue()


def busy():
    """A model with every kind of event in it."""
    return model_of(
        IncidentProfile("one", title="Halcyon Labs trained Marlin on a choir archive"),
        score("one", 82.7, state=State.MAJOR, trend=Trend.SURGING, level="Uproar", items=437, platforms=6,
              polarity=Polarity(97.4, Shift.HELD), peak=Peak(84.2, from_epoch(START))),
        score("two", 39.9, trend=Trend.FADING, state=State.RESOLVED, level="Murmur"),
        transition(to=State.MAJOR, previous=State.DEBATED),
        turn(),
        crossing(),
        crossing(kind=PeakKind.PEAKED),
        crossing("two", PeakKind.ROSE_ABOVE, level="Murmur"),
        crossing("two", PeakKind.FELL_BELOW, level="Chatter"),
        rejected(),
        NoiseIndex("overall", from_epoch(START), 122.6, WEEK_S, 2, ()),
        NoiseIndex("Safety", from_epoch(START), 7.0, WEEK_S, 1, ()),
    )  # fmt: skip


# -- the model --------------------------------------------------------------------------------


def test_the_loudest_now_comes_first_though_it_was_not_the_loudest_then():
    old = score("old", 80.0, at=START)
    new = score("new", 50.0, at=START + WEEK_S)
    model = model_of(old, new)
    assert [row.score.incident_id for row in model.loudest(9)] == ["new", "old"]
    assert model.noise(model.rows["old"]) == pytest.approx(40.0)


def test_incidents_of_equal_noise_stand_by_id():
    model = model_of(score("b"), score("c"), score("a"))
    assert [row.score.incident_id for row in model.loudest(2)] == ["a", "b"]


def test_with_a_clock_noise_fades_while_nothing_happens():
    now = [START]
    model = model_of(score(noise=80.0), clock=lambda: now[0])
    now[0] += WEEK_S
    assert model.noise(model.rows["one"]) == pytest.approx(40.0)


def test_a_clock_that_is_late_does_not_make_it_louder():
    model = model_of(score(noise=80.0), clock=lambda: START - DAY_S)
    assert model.noise(model.rows["one"]) == 80.0


def test_the_level_follows_the_noise_where_the_policy_is_known():
    events = score("one", 80.0, level="Uproar"), score("two", 10.0, at=START + WEEK_S)
    assert model_of(*events).level(model_of(*events).rows["one"]) == "Uproar"
    model = model_of(*events, level_of=lambda noise: "loud" if noise > 50 else "quiet")
    assert model.level(model.rows["one"]) == "quiet"


def test_repeats_and_older_scores_change_nothing():
    events = [score(revision=2, noise=60.0, items=5), transition(), turn(), crossing(), rejected()]
    once, twice = model_of(*events), model_of(*events, *events, score(revision=1, noise=99.0))
    assert once.totals == twice.totals
    assert twice.noise(twice.rows["one"]) == 60.0


def test_totals_count_what_was_told():
    totals = busy().totals
    assert (totals.items, totals.updates) == (438, 2)
    assert totals.changes == {Kind.STATE: 1, Kind.TREND: 1, Kind.PEAK: 2, Kind.CROSSING: 2, Kind.REJECTED: 1}


def test_a_merged_incident_leaves_the_board_and_an_older_score_does_not_bring_it_back():
    # given
    model = model_of(score("one", items=4), score("two", noise=60.0, items=9))

    # when
    for event in (
        score("one", 0.0, revision=3, items=0, merged_into="two"),
        score("one", revision=2, items=4),
    ):
        model.apply(topics.NOISE_SCORES, event)

    # then
    assert ([row.score.incident_id for row in model.loudest(5)], model.totals.items) == (["two"], 9)
    model.apply(topics.NOISE_SCORES, score("one", revision=4, items=5))
    assert (len(model.rows), model.totals.items) == (2, 14)


def test_a_merge_and_its_undoing_are_told():
    # given
    model = model_of()

    # when
    for undone in (False, True):
        event = IncidentMerged("one", "t\x1bwo", from_epoch(START + undone), 3, 4, undone)
        model.apply(topics.INCIDENT_MERGES, event)

    # then
    assert [change.words for change in model.feed.latest(5)] == ["merge into two undone", "merged into two"]
    assert "merge into two undone" in drawn(model_of(score(), event))


def test_items_follow_the_incident_down_when_one_is_retracted():
    assert model_of(score(items=5), score(items=4, revision=2)).totals.items == 4


def test_rates_are_per_second_of_the_stopwatch():
    model = BoardModel()
    for revision in range(1, 3001):
        model.tick(revision / 100)
        model.apply(topics.NOISE_SCORES, score(revision=revision, items=2 * revision))
    assert model.updates_rate.per_second(30.0) == pytest.approx(100.0, rel=0.02)
    assert model.items_rate.per_second(30.0) == pytest.approx(200.0, rel=0.02)
    assert model.updates_rate.per_second(60.0) < 1.0


def test_the_index_fades_and_an_older_one_is_left_out():
    latest = NoiseIndex("overall", from_epoch(START), 100.0, WEEK_S, 2, ())
    earlier = NoiseIndex("overall", from_epoch(START - 60.0), 999.0, WEEK_S, 2, ())
    model = model_of(latest, earlier, score(at=START + WEEK_S))
    assert model.index() == pytest.approx(50.0)
    assert BoardModel().index() is None


def test_the_index_is_shown_against_its_average_where_that_is_known():
    known = NoiseIndex("overall", from_epoch(START), 122.6, WEEK_S, 2, (), 94.3, from_epoch(START), 1.3)
    assert "index 122, 1.3 × usual  incidents" in drawn(model_of(known))
    assert "index 122, 1.3 x usual  incidents" in drawn(model_of(known), ascii_only=True)
    assert "usual" not in drawn(model_of(NoiseIndex("overall", from_epoch(START), 122.6, WEEK_S, 2, ())))


def test_a_sparkline_shows_rise_and_silence():
    model = model_of(
        score(noise=20.0, at=START),
        score(noise=60.0, at=START + 2 * SPARK_STEP_S, revision=2),
        score("other", at=START + 3 * SPARK_STEP_S),
    )
    before, first, still, then, now = model.rows["one"].recent(model.now(), 5)
    assert before is None
    assert first == pytest.approx(20.0, rel=0.02)
    assert still < first
    assert then == pytest.approx(60.0, rel=0.02)
    assert now < then


def test_of_new_peaks_only_the_last_of_an_incident_is_kept():
    model = model_of(
        *(crossing(noise=40.0 + step, revision=step, at=START + step) for step in range(1, 9)), transition()
    )
    assert [change.words for change in model.feed.latest(9)] == ["new peak 48", "Emerging → Growing"]


def test_what_changed_begins_with_the_latest_by_event_time():
    model = model_of(transition("late", at=START + HOUR_S), transition("early", at=START))
    assert [change.incident_id for change in model.feed.latest(9)] == ["late", "early"]


def test_peaks_leave_room_for_what_is_rarer():
    risers = [crossing(f"riser-{n}", at=START + HOUR_S + n) for n in range(20)]
    changes = list(model_of(*risers, *(transition(f"mover-{n}") for n in range(20))).feed.latest(9))
    assert [change.kind for change in changes] == [Kind.PEAK] * 3 + [Kind.STATE] * 6


# -- the drawing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (140, 40), (200, 50), (40, 12), (20, 5), (80, 3), (1, 1)]
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_it_fits_every_terminal(width, height, ascii_only):
    for model in (BoardModel(), busy(), model_of(*(score(f"incident-{n}", n % 100) for n in range(300)))):
        lines = drawn(model, width, height, ascii_only=ascii_only).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) <= max(height, 5)


def test_at_80_columns_it_shows_every_column_and_what_changed():
    text = drawn(busy(), 80, 24)
    for expected in (
        "Halcyon",
        "82",
        "Uproar",
        "▲ Surging",
        "Major",
        "97",
        "437/6",
        "84",
        "▼ Fading",
        "Resolved",
    ):
        assert expected in text
    for expected in (
        "index 122",
        "incidents 2",
        "items 438",
        "updates 2",
        "states 1",
        "peaks 4",
        "trends 1",
        "dead 1",
    ):
        assert expected in text
    for expected in (
        "Debated → Major Controversy",
        "peaked at 70",
        "Steady → Surging, 4.2 × usual",
        "not-json",
    ):
        assert expected in text


def test_a_change_of_activity_is_told_before_one_of_direction():
    spiking = replace(turn(), activity=Activity.SPIKING)
    assert change_of(turn()).words == "Steady → Surging, 4.2 × usual"
    assert change_of(spiking).words == "normal → spiking, 4.2 × usual"


def test_at_140_columns_the_panel_stands_beside():
    text = drawn(busy(), 140, 40)
    for expected in (
        "Halcyon Labs trained",
        "state changes 1",
        "peak crossings 4",
        "what changed",
        "fell below Chatter",
    ):
        assert expected in text
    assert "#" in text.splitlines()[3]
    assert "what changed" in text.splitlines()[3]


def test_noise_is_rounded_down():
    text = drawn(busy(), 80, 24)
    assert " 39 " in text
    assert " 40 " not in text


def test_in_ascii_nothing_else_is_drawn():
    assert drawn(busy(), 80, 24, ascii_only=True).isascii()
    assert drawn(busy(), 160, 40, ascii_only=True).isascii()


def test_those_that_do_not_fit_are_counted():
    assert "and 288 quieter" in drawn(model_of(*(score(f"incident-{n}", 50.0) for n in range(300))), 80, 24)


def test_rates_are_shown_once_there_is_a_stopwatch():
    model = busy()
    assert "/s" not in drawn(model, 80, 24)
    model.tick(1.0)
    assert "/s" in drawn(model, 80, 24)


def test_before_the_first_score_it_says_so():
    assert "waiting for the first score" in drawn(BoardModel(), 80, 24)


def test_markup_is_shown_as_it_is_written():
    hostile = "[red]a[/red] [bold] [/] :smile: [link=file:///x]y[/link]"
    model = model_of(IncidentProfile("one", title=hostile), score(), transition(), score("[/]", level="[/x]"))
    text = drawn(model, 200, 40)
    assert "[red]a[/red] [bold] [/] :smile:" in text
    assert "[/x]" in text


def test_control_characters_never_reach_the_terminal():
    model = model_of(
        IncidentProfile("one", title="a\x1b[2Jb\r\n\x07c\u202ed\x9b31me"), score(), transition("\x1b]0;x\x07")
    )
    text = drawn(model, 140, 40)
    assert "a[2Jb cd31me" in text
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(text)


@given(st.text(max_size=400))
@settings(max_examples=100, deadline=timedelta(seconds=2))
def test_any_text_can_be_a_title(title):
    cleaned = plain(title)
    assert len(cleaned) <= LONGEST_TEXT
    assert cleaned.isprintable()
    assert plain(cleaned) == cleaned
    for width in (80, 140):
        assert drawn(model_of(IncidentProfile("one", title=title), score(), transition()), width, 20)
