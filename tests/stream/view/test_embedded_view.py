"""The view's contract on the embedded stand-in."""

import pytest

from stream.settings import Settings
from tests.view_contract import *  # noqa: F403 - its tests run here too


@pytest.fixture(scope="module")
def base():
    return Settings()
