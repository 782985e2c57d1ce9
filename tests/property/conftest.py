"""Thousands of dead letters and planted bugs are the point here: nobody should have to read of each."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.support import examples

# Known before pytest asks for it: `--hypothesis-profile=thorough`.
assert examples.THOROUGH


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
