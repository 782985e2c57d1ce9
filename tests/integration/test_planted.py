"""The checks can fail: with each wrong build the test that guards against it goes red, for the right reason."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.stack import Stack
from tests.planted.bugs import BUGS

ROOT = Path(__file__).parents[2]
FAILED = 1  # pytest: tests ran and some failed; a wrong name or a broken plugin ends otherwise


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BUGS))
async def test_a_planted_bug_turns_its_test_red(name: str, stack: Stack) -> None:
    bug = BUGS[name]
    where = {"KARYA_STACK": "external", "KARYA_KAFKA": stack.kafka, "KARYA_MONGO": stack.mongo}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.planted.plugin"]
    run = await asyncio.to_thread(
        subprocess.run,
        [*command, bug.test],
        cwd=ROOT,
        env={**os.environ, **where, "PLANTED": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == FAILED, run.stdout[-4000:] + run.stderr[-2000:]
    assert bug.seen in run.stdout, run.stdout[-4000:]
    # A patch that no longer fits what it patches goes red too, and shows nothing.
    assert "TypeError" not in run.stdout, run.stdout[-4000:]
