"""The bench of access control: an open and a secured stack, at a small load."""

from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from lab.bench.environment import BenchEnvironment
from lab.bench.secure import SideLoad, measure

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_secure_is_measured_beside_open_and_nothing_goes_on_running(tmp_path: Path) -> None:
    def no_stack() -> NoReturn:
        raise AssertionError("the bench starts its stacks itself")

    steps: list[str] = []
    env = BenchEnvironment(tmp_path, no_stack)
    result = await measure(env, 1, steps.append, SideLoad(records=240, rate=20, seconds=2, signing_seconds=0.05))
    values = {figure.name: figure.value for figure in result.figures}
    assert min(values.values()) > 0
    for name in ("start", "latency, p50", "latency, p99", "catch-up"):
        assert f"{name}: secure / open" in values
    assert values["catch-up: open, records/s published"] <= values["catch-up, intake: open, records/s stored"]
    # A signature costs the gateway more than nothing.
    assert values["catch-up, gateway: secure / open"] > 1
    assert [step.rpartition(": ")[2] for step in steps] == ["signatures", "open", "secure"]
    commands = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not [command for command in commands if str(tmp_path) in command]
