"""Decay by halves, from the first moment on."""

import pytest

from scoring.decay import decay


@pytest.mark.parametrize(
    ("elapsed_s", "left"), [(-5.0, 1.0), (0.0, 1.0), (0.5, 0.5**0.5), (1.0, 0.5), (3.0, 0.125)]
)
def test_half_is_left_after_a_half_life_and_nothing_is_taken_before_its_time(elapsed_s, left):
    assert decay(elapsed_s, 1.0) == left
