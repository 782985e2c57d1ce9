"""What holds for all tests: their marker by their folder, where Hypothesis keeps what it found, and that every body
is checked."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import configuration, settings

from shared.events.language import Body

HERE = Path(__file__).parent

# Assertions are about English texts; tests of Indonesian choose it. Processes that tests start take it over.
os.environ["KARYA_LANG"] = "en"
# Access control has tests of its own, which turn it on.
os.environ["KARYA_ACCESS"] = "open"
os.environ["KARYA_UNSIGNED"] = "allowed"

pytest_plugins = ["tests.support.outputs", "tests.support.selection", "tests.support.workers"]

# An assertion there tells what differs, as one in a test does.
pytest.register_assert_rewrite("tests.support")

configuration.set_hypothesis_home_dir(HERE.parent / ".karya" / "cache" / "hypothesis")
# How long an example takes says something about the machine, nothing about the rule.
settings.register_profile("karya", deadline=None)
settings.load_profile("karya")


def _checked(body: type[Body], /, **values: Any) -> Body:
    """What a rule says was checked before is checked here: its types, its bounds, and that no field is missing or out
    of order, for the same body has to be the same bytes whoever makes it."""
    assert list(values) == list(body.model_fields), f"{body.__name__}: all fields in their order"
    return body(**values)


@pytest.fixture(autouse=True, scope="session")
def unchecked() -> Iterator[Callable[..., Body]]:
    """Checks them during all tests. What it gives takes a class and values, and checks nothing."""
    with pytest.MonkeyPatch.context() as patch:
        unchecked: Callable[..., Body] = Body.model_construct.__func__  # type: ignore[attr-defined]
        patch.setattr(Body, "model_construct", classmethod(_checked))
        yield unchecked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`unit` or `integration`, so that `pytest -m unit` needs nothing but Python."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        item.add_marker(folder)
