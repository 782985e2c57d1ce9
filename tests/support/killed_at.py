"""Runs a service that kills itself (SIGKILL) at a named point of the step: `killed_at SERVICE POINT NTH`.

The points lie between the numbered parts. The patching lives here only: no setting of the product can do it.
"""

import functools
import os
import runpy
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from shared.runtime import relay, step
from shared.runtime.batch import Batch
from shared.runtime.lanes import Lanes
from shared.runtime.relay import Relay
from shared.runtime.step import Step
from shared.runtime.storage import RuntimeStore

POINTS: dict[str, tuple[type[Any], str, str]] = {
    "1-2 decoded, nothing loaded": (Step, "_attempt", "before"),
    "2-3 loaded, nothing decided": (Batch, "work", "before"),
    "3-4 decided, nothing written": (RuntimeStore, "write", "before"),
    "4a written, not committed": (RuntimeStore, "write", "after"),
    "4-6 committed, not handed to the relay": (Lanes, "committed", "before"),
    "6-2 a part of the batch is worked": (Step, "_commit_with_retry", "after"),
    "6-5 handed to the relay, offset not committed": (Step, "_commit_offsets", "before"),
    "5 offset committed": (Step, "_commit_offsets", "after"),
    "R1-R2 before anything is published": (Relay, "_publish", "before"),
    "R2-R3 published, outbox not deleted": (RuntimeStore, "delete_published", "before"),
    "R3 outbox deleted": (RuntimeStore, "delete_published", "after"),
}

DIFFER_MOST = (
    "3-4 decided, nothing written",
    "4-6 committed, not handed to the relay",
    "R2-R3 published, outbox not deleted",
)


def kill_at(point: str, nth: int) -> None:
    """Patch the point so that the process dies when it is passed for the `nth` time."""
    owner, name, side = POINTS[point]
    # So that every batch passes every point.
    step.OFFSETS_EVERY = relay.DELETED_EVERY = 0.0
    if point.startswith("6-2"):
        step.DECIDED_WITHIN = 0.0
    original: Callable[..., Any] = getattr(owner, name)
    passes = 0

    def count_and_die() -> None:
        nonlocal passes
        passes += 1
        if passes == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    async def patched_async(*args: Any, **kwargs: Any) -> Any:
        if side == "before":
            count_and_die()
        result = await original(*args, **kwargs)
        if side == "after":
            count_and_die()
        return result

    @functools.wraps(original)
    def original_or_death(*args: Any, **kwargs: Any) -> Any:
        count_and_die()
        return original(*args, **kwargs)

    setattr(owner, name, original_or_death if name in ("work", "committed") else patched_async)


if __name__ == "__main__":
    if "PLANTED" in os.environ:
        import_module("tests.planted.plugin")
    kill_at(sys.argv[2], int(sys.argv[3]))
    runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
