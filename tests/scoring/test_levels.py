"""Named bands of noise, and the noise as it is shown."""

import pytest

from scoring.levels import level_of, shown
from tests.driver import SHIPPED_POLICY as POLICY


@pytest.mark.parametrize("name", POLICY.levels)
def test_a_level_begins_at_its_lower_edge_and_ends_below_the_next(name):
    names, edges = list(POLICY.levels), [*POLICY.levels.values(), 100.1]
    edge, after = edges[names.index(name)], edges[names.index(name) + 1]
    assert level_of(edge, POLICY) == name
    assert level_of(after - 0.001, POLICY) == name


def test_a_noise_is_shown_rounded_down():
    assert [shown(noise) for noise in (0.0, 39.0, 39.999, 100.0)] == [0, 39, 39, 100]
