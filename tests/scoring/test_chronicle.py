"""A chronicle keeps the last step, the last jump and the greatest ones, and knows a jump from a trifle."""

from __future__ import annotations

import pytest
from msgspec import structs

from schemas.cloudevents import Output
from schemas.noise_score import Change, NoiseScore
from schemas.times import from_epoch
from schemas.topics import NOISE_SCORES
from schemas.words import Cause
from scoring.chronicle import NOTICED, Chronicle, Move, move_of
from scoring.movement import NOTHING
from tests.builders import hours, item
from tests.driver import SHIPPED_POLICY, Driver


@pytest.fixture(scope="module")
def pattern() -> NoiseScore:
    """A score to be changed."""
    driver = Driver()
    driver.pipe(item("a", platform="reddit", likes=50))
    return driver.events(NOISE_SCORES)[-1]


@pytest.fixture
def score(pattern):
    def made(points: float, revision: int = 1, by: Cause = Cause.OBSERVATION) -> NoiseScore:
        """A score of which `points` came by engagement alone."""
        change = Change(by, points, 0.0, structs.replace(NOTHING, engagement=points))
        return structs.replace(
            pattern, revision=revision, as_of=from_epoch(hours(revision)), noise=40.0, change=change
        )

    return made


def noted(*scores: NoiseScore) -> Chronicle:
    """A chronicle of these scores."""
    chronicle = Chronicle(SHIPPED_POLICY)
    chronicle.note(Output(NOISE_SCORES, each.incident_id, str(each.revision), 0.0, each) for each in scores)
    return chronicle


def test_a_move_says_when_by_what_and_by_how_much(score):
    move = move_of(score(2.5, revision=7))

    assert move == Move(
        from_epoch(hours(7)),
        7,
        Cause.OBSERVATION,
        "a",
        "reddit",
        2.5,
        0.0,
        {**structs.asdict(NOTHING), "engagement": 2.5},
        40.0,
    )


@pytest.mark.parametrize("by", [Cause.PROFILE, Cause.DEADLINE, Cause.MERGE])
def test_a_move_that_no_observation_brought_has_no_item(score, by):
    move = move_of(score(2.5, by=by))

    assert move is not None
    assert (move.item_id, move.platform) == ("", "")


@pytest.mark.parametrize("points", [NOTICED, -NOTICED, 30.0])
def test_what_shows_is_a_move(score, points):
    move = move_of(score(points))

    assert move is not None
    assert move.points == points


@pytest.mark.parametrize("points", [0.0, 0.049, -0.049])
def test_what_does_not_show_is_none(score, points):
    assert move_of(score(points)) is None


def test_a_score_that_was_written_before_there_were_changes_tells_of_no_move(pattern):
    assert move_of(structs.replace(pattern, change=None)) is None


def test_the_greatest_five_moves_are_kept_up_or_down_of_equals_the_earlier_first(score):
    # given
    points = (1.0, -7.0, 3.0, 9.0, -3.0, 2.0, 8.0, 0.5)

    # when
    chronicle = noted(*(score(each, revision) for revision, each in enumerate(points, 1)))

    # then
    assert [(each.revision, each.points) for each in chronicle.greatest] == [
        (4, 9.0),
        (7, 8.0),
        (2, -7.0),
        (3, 3.0),
        (5, -3.0),
    ]
    assert chronicle.last is not None
    assert chronicle.last.points == 0.5


def test_of_six_moves_that_are_equal_the_last_is_left_out(score):
    chronicle = noted(*(score(1.0, revision) for revision in range(1, 7)))

    assert [each.revision for each in chronicle.greatest] == [1, 2, 3, 4, 5]


def test_the_past_is_sampled_as_finely_as_the_policy_says():
    past = Chronicle(SHIPPED_POLICY).history

    assert (past.most, past.spacing_s) == (96, 900.0)
