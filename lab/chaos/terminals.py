"""The terminals of a chaos run: each records what a facility makes, whatever happens."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.terminal.terminal import Terminal
from lab.chaos.tally import Tally
from lab.chaos.ticker import Ticker
from shared.errors import SpoolFailed
from shared.events.production import ANSWERS, ReportAccepted


@dataclass(eq=False)
class TerminalAgent:
    """One facility's terminal. `max_qty`: the most pieces in one report. `skew`: the error of its clock."""

    terminal: Terminal
    product: str
    max_qty: int
    rng: random.Random
    tally: Tally
    skew: timedelta = timedelta()

    async def work(self, rate: float, stop: asyncio.Event) -> None:
        """Record `rate` times a second until `stop` is set."""
        ticker = Ticker(rate)
        while not stop.is_set():
            await ticker.tick(self.rng)
            now = datetime.now(UTC) + self.skew
            try:
                self._record(now)
                self.tally.recorded += 1
            except SpoolFailed:
                self.tally.refused_by_spool += 1

    def _record(self, now: datetime) -> None:
        chance = self.rng.random()
        lots = self._recent_lots() if chance < 0.05 else []
        if lots and chance < 0.002:
            self.terminal.recall(self.rng.choice(lots), at=now, reason="made up")
        elif lots and chance < 0.004:
            self.terminal.lift(self.rng.choice(lots), at=now, reason="made up")
        elif lots and chance < 0.006:
            self.terminal.withdraw(self.rng.choice(lots), at=now, reason="made up")
        elif lots:
            self.terminal.correct(self.rng.choice(lots), self.rng.choice((-9999, -2, 1, 3)), at=now)
        else:
            made_on = now.astimezone(ZoneInfo("Asia/Makassar")).date() - timedelta(days=self.rng.randrange(3))
            product = "XYZ" if chance > 0.98 else self.product
            qty = self.rng.randint(self.max_qty // 4, self.max_qty)
            maker = str(self.rng.randint(1, 30))
            # The wrong entry is for production to refuse.
            self.terminal.record(product, qty, made_on=made_on, at=now, maker=maker, unlisted=True)

    def _recent_lots(self) -> list[str]:
        answers = self.terminal.spool.received(ANSWERS)
        return [answer.body.lot for answer in answers[-40:] if isinstance(answer.body, ReportAccepted)]
