"""How fast a load goes, and what it has done."""

import asyncio
import random
from dataclasses import dataclass

CAUGHT_UP_SECONDS = 5.0


@dataclass(slots=True)
class Tally:
    """What was done. `refused_by_spool`: records that a full disk did not take, and said so at once. `vanished`:
    records that were lost with a till."""

    recorded: int = 0
    refused_by_spool: int = 0
    vanished: int = 0
    syncs_failed: int = 0
    commands: int = 0
    festivals_opened: int = 0
    festivals_closed: int = 0


class Pace:
    """Ticks at a rate per second on the average; of what it missed it catches up a few seconds."""

    def __init__(self, rate: float) -> None:
        self._pause = 1 / rate
        self._due = asyncio.get_running_loop().time()

    async def tick(self, rng: random.Random) -> None:
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._pause * rng.uniform(0.5, 1.5), now - CAUGHT_UP_SECONDS)
        await asyncio.sleep(max(0.0, self._due - now))
