"""Tests without servers: whoever asks MongoDB learns at once that nobody answers."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def unanswered() -> Iterator[None]:
    # Not by the address: what the client is given goes before it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.mongo.SELECTED_WITHIN_MS", 1)
        yield
