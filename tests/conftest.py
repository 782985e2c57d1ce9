"""What holds for all tests: their marker by their folder, and where Hypothesis keeps what it found."""

from pathlib import Path

import pytest
from hypothesis import configuration, settings

HERE = Path(__file__).parent

# An assertion there tells what differs, as one in a test does.
pytest.register_assert_rewrite("tests.support")

configuration.set_hypothesis_home_dir(HERE.parent / ".karya" / "cache" / "hypothesis")
# How long an example takes says something about the machine, nothing about the rule.
settings.register_profile("karya", deadline=None)
settings.load_profile("karya")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`unit` or `integration`, so that `pytest -m unit` needs nothing but Python."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        item.add_marker(folder)
