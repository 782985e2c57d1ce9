"""`--quick` leaves out the slow tests and tries fewer examples; the last line of a run says what was left out."""

from collections.abc import Iterable, Iterator, Sized
from typing import Any

import pytest
from hypothesis import settings

QUICK = "quick"
LEFT_OUT = pytest.StashKey[int]()

settings.register_profile(QUICK, deadline=None, max_examples=20)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("karya")
    group.addoption("--quick", action="store_true", help="Leave out slow tests, try fewer examples of properties.")
    group.addoption(
        "--search-examples", type=int, default=3, help="Examples of each operation in the search of the APIs."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = 0
    # Before the tests are imported: their own settings are made of the profile.
    if config.getoption("quick") and not config.getoption("--hypothesis-profile"):
        settings.load_profile(QUICK)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Last, so that it counts only what `-m` and `-k` leave."""
    if not config.getoption("quick"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.stash[LEFT_OUT] = len(slow)
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended. All workers leave out the same tests; one that crashed tells nothing."""
    count: int = (getattr(node, "workeroutput", None) or {}).get("left_out", 0)
    node.config.stash[LEFT_OUT] = max(node.config.stash[LEFT_OUT], count)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Around all others, so that this is the last line."""
    config = session.config
    if (output := getattr(config, "workeroutput", None)) is not None:
        output["left_out"] = config.stash[LEFT_OUT]
    yield
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and config.stash[LEFT_OUT]:
        # The last line says where they run.
        session.exitstatus = pytest.ExitCode.OK
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and output is None:
        terminal.write_line(
            summary_line(config.stash[LEFT_OUT], terminal.stats.get("skipped", ()), config.getoption("quick"))
        )


def slow_but(*quick: object, among: Iterable[object]) -> list[Any]:
    """All of them as a test's parameters; those that are not named first are slow."""
    return [
        pytest.param(parameter, id=str(parameter), marks=() if parameter in quick else pytest.mark.slow)
        for parameter in among
    ]


def summary_line(slow: int, skipped: Sized, quick: bool) -> str:
    """The last line, for so many slow tests left out and the reports of those that were skipped."""
    line = f"{slow} slow tests left out: make test-all." if slow else "No slow test was left out."
    if quick:
        line += " Properties were tried with fewer examples than there."
    if skipped:
        line += f" {len(skipped)} could not run on this machine: see SKIPPED above."
    return line
