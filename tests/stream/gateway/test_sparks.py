"""Sparklines: as the history says, sample by sample, and empty before the first score."""

import pytest

from schemas.times import parse_time
from stream.gateway.sparks import MOST_SAMPLES, SPAN_S, cells, samples
from stream.view.entries import Point
from tests.gateway import everything, served, streaming


def point(at, composite, half_life=SPAN_S):
    return Point(1, at, composite, 50.0, composite, at, half_life)


def test_between_two_points_the_noise_is_on_the_earlier_ones_curve():
    found = samples([point(0.0, 40.0), point(SPAN_S / 2, 60.0)], SPAN_S, 5)
    assert found == pytest.approx((40.0, 40.0 * 2**-0.25, 60.0, 60.0 * 2**-0.25, 60.0 * 2**-0.5), abs=0.01)


def test_before_the_first_point_there_is_nothing_and_of_none_nothing_at_all():
    assert samples([point(SPAN_S, 30.0)], SPAN_S, 3) == (None, None, 30.0)
    assert samples([], SPAN_S, 2) == (None, None)


def test_a_point_from_before_the_span_counts_from_its_begin():
    assert samples([point(0.0, 40.0)], 2 * SPAN_S, 2) == (20.0, 10.0)


def test_so_many_cells_reach_over_the_span():
    assert cells(3600) == 49
    assert cells(5000) * 5000 >= SPAN_S


async def test_the_board_brings_sparklines_where_they_are_asked_for():
    async with served(streaming(), *everything()) as gateway:
        bare = await gateway.json("/api/v1/incidents")
        assert all("spark" not in each for each in bare["incidents"])
        drawn = await gateway.json("/api/v1/incidents?spark=25")
        for each in drawn["incidents"]:
            assert len(each["spark"]) == 25
            assert each["spark"][-1] == pytest.approx(each["noise"], abs=0.01)
            first_seen = parse_time(each["score"]["first_seen"])
            began = (first_seen - parse_time(drawn["at"]) + SPAN_S) / 7200.0
            assert [value is None for value in each["spark"][: max(0, int(began))]] == [True] * max(
                0, int(began)
            )
        await gateway.json(f"/api/v1/incidents?spark={MOST_SAMPLES + 1}", status=400)
