"""Runs a service for which deadlines are due HOURS early: `ahead SERVICE HOURS [POINT NTH]`, to die at that point.

So a test need not wait for them. Nothing else is in the future: events have the time at which they happen.
"""

import functools
import runpy
import sys
from datetime import datetime, timedelta

from shared.runtime.timer_service import TimerService
from tests.support.killed_at import kill_at


def look_ahead(hours: int) -> None:
    """Let timers fire so many hours early."""
    original = TimerService.fire

    @functools.wraps(original)
    async def fire(self: TimerService, now: datetime) -> None:
        await original(self, now + timedelta(hours=hours))

    setattr(TimerService, "fire", fire)  # noqa: B010 - to a type checker a method is not to be assigned


if __name__ == "__main__":
    name, hours, *point = sys.argv[1:]
    look_ahead(int(hours))
    if point:
        kill_at(point[0], int(point[1]))
    runpy.run_module(f"services.{name}.app", run_name="__main__")
