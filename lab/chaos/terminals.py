"""The terminals of a chaos run: each records what a facility makes, whatever happens."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.terminal.terminal import Terminal
from lab.chaos.pace import Pace, Tally
from shared.errors import SpoolFailed
from shared.events.production import ANSWERS, ReportAccepted


@dataclass(eq=False)
class TerminalAgent:
    """One facility's terminal. `skew` is how wrong its clock is."""

    terminal: Terminal
    product: str
    most: int
    rng: random.Random
    tally: Tally
    skew: timedelta = timedelta()

    async def work(self, rate: float, until: asyncio.Event) -> None:
        """Record until told to stop."""
        pace = Pace(rate)
        while not until.is_set():
            await pace.tick(self.rng)
            now = datetime.now(UTC) + self.skew
            try:
                self._record(now)
                self.tally.recorded += 1
            except SpoolFailed:
                self.tally.refused_by_spool += 1

    def _record(self, now: datetime) -> None:
        chance = self.rng.random()
        lots = self._lots() if chance < 0.05 else []
        if lots and chance < 0.002:
            self.terminal.recall(self.rng.choice(lots), at=now, reason="made up")
        elif lots:
            self.terminal.correct(self.rng.choice(lots), self.rng.choice((-9999, -2, 1, 3)), at=now)
        else:
            made_on = now.astimezone(ZoneInfo("Asia/Makassar")).date() - timedelta(days=self.rng.randrange(3))
            product = "XYZ" if chance > 0.98 else self.product
            qty = self.rng.randint(self.most // 4, self.most)
            self.terminal.record(product, qty, made_on=made_on, at=now, maker=str(self.rng.randint(1, 30)))

    def _lots(self) -> list[str]:
        heard = self.terminal.spool.received(ANSWERS)
        return [one.body.lot for one in heard[-40:] if isinstance(one.body, ReportAccepted)]
