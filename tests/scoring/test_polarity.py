"""The shift: the split against its own average, which forgets by half in a day."""

import msgspec
import pytest

from schemas.words import Shift
from scoring.curve import settle_averages
from scoring.incident import Incident
from scoring.polarity import shift
from tests.builders import hours
from tests.driver import SHIPPED_POLICY as POLICY


def split(polarity, average, *, as_of_h=0.0):
    return Incident(averages_at=hours(0.0), as_of=hours(as_of_h), polarity=polarity, polarity_average=average)


@pytest.mark.parametrize(("later_h", "average"), [(0.0, 50.0), (24.0, 65.0), (48.0, 72.5)])
def test_the_average_goes_half_of_the_way_in_a_day(later_h, average):
    # given
    incident = split(80.0, 50.0)

    # when
    settle_averages(incident, POLICY, hours(later_h))

    # then
    assert incident.polarity_average == pytest.approx(average)
    assert incident.averages_at == hours(later_h)


def test_the_averages_never_go_back_in_time():
    # given
    incident = split(80.0, 50.0)
    before = msgspec.structs.replace(incident)

    # when
    settle_averages(incident, POLICY, hours(-5.0))

    # then
    assert incident == before


@pytest.mark.parametrize(
    ("polarity", "word"),
    [
        (53.0, Shift.WIDENED),
        (52.999, Shift.HELD),
        (50.0, Shift.HELD),
        (47.001, Shift.HELD),
        (47.0, Shift.NARROWED),
    ],
)
def test_three_points_from_the_average_are_a_shift(polarity, word):
    assert shift(split(polarity, 50.0), POLICY) is word


@pytest.mark.parametrize(("as_of_h", "word"), [(23.9, Shift.WIDENED), (24.1, Shift.HELD)])
def test_a_shift_of_six_points_is_news_for_a_day(as_of_h, word):
    assert shift(split(56.0, 50.0, as_of_h=as_of_h), POLICY) is word
