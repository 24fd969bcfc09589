"""What is searched for cycles, and what is not."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from stream.collector import unsearched


class Thing:
    """An object that can be part of a cycle."""

    other: Thing


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a test froze is searched again by the tests after it."""
    yield
    gc.unfreeze()


def test_what_is_made_within_is_not_searched_any_more() -> None:
    """Given an object that was made within; when the searched ones are listed; then it is not among them."""
    with unsearched():
        made = Thing()
    assert not any(each is made for each in gc.get_objects())
    later = Thing()
    assert any(each is later for each in gc.get_objects())


def test_a_cycle_left_behind_before_is_still_found() -> None:
    """Given a cycle that nobody holds; when something is made unsearched; then the cycle is gone, not frozen."""
    lost = Thing()
    lost.other = lost
    seen = weakref.ref(lost)
    del lost
    with unsearched():
        assert seen() is None


def test_nothing_is_searched_within() -> None:
    """Given Python's own searches; when something is made unsearched; then they rest."""
    with unsearched():
        rests = not gc.isenabled()
    assert rests


def test_searching_goes_on_after_a_failure_within() -> None:
    """Given work that fails within; when it has failed; then Python searches by itself as before."""
    with pytest.raises(KeyError), unsearched():
        raise KeyError(gc.isenabled())
    assert gc.isenabled()
