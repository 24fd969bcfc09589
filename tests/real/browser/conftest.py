"""One site and one browser for the tests of a module: both take seconds to start."""

import pytest_asyncio

from tests.real.browser.site import chromium, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site():
    async with running() as started:
        yield started
