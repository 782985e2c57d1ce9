"""The rate at which an agent records."""

import asyncio
import random

CATCH_UP_SECONDS = 5.0


class Ticker:
    """Ticks at `rate` per second on average. After a delay it catches up at most some seconds of missed ticks."""

    def __init__(self, rate: float) -> None:
        self._pause = 1 / rate
        self._due = asyncio.get_running_loop().time()

    async def tick(self, rng: random.Random) -> None:
        """Wait for the next tick."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._pause * rng.uniform(0.5, 1.5), now - CATCH_UP_SECONDS)
        await asyncio.sleep(max(0.0, self._due - now))
