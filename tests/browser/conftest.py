"""One Chromium for all tests of pages; each test has a profile of its own."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.support.browser import a_chromium


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with a_chromium() as browser:
        yield browser
