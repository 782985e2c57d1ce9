"""A till that breaks and is restored from a copy of its folder: what it had sent is known by its id."""

import shutil
from datetime import datetime
from pathlib import Path

from edge.sync import GatewayRoute
from edge.till.basket import BasketEntry
from edge.till.till import Till
from lab.enrolment import Enrolment
from lab.simulate.errors import ScenarioFailed
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer
from shared.events.identity import Role
from shared.events.sales import PaymentKind
from shared.retry import attempts

SALES_BEFORE = 5
SALES_AFTER = 2
# So many pieces the whole play sells, one on each receipt.
PIECES = SALES_BEFORE + SALES_AFTER
ANSWERED_WITHIN = 30.0


class RestoredTill:
    """A till of `booth` with real spools in `folder`."""

    def __init__(self, folder: Path, booth: str, name: str) -> None:
        self.booth = booth
        self.name = name
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)

    async def play(self, enrolment: Enrolment, identity: str, gateway: str, lot: str, at: datetime) -> int:
        """Sell some pieces of `lot`, copy the folder, sync and break; go on from the copy. Returns how many records
        the copy sent that the gateway had already. Raises ScenarioFailed, and NotReached as a sync does."""
        used, copied = self._folder / "used", self._folder / "copied"
        with Till(used, self.booth, self.name) as till:
            await enrolment.enrol(till.spool.device_key(), Role.TILL, self.booth, self.name)
            till.spool.enrolled(identity)
            # The first sync introduces the device, and brings the booth's prices.
            await _sync_all(till, identity, gateway)
            for _ in range(SALES_BEFORE):
                _sell(till, lot, at)
            till.spool.checkpoint()
            shutil.copytree(used, copied)
            await _sync_all(till, identity, gateway)
        with Till(copied, self.booth, self.name) as till:
            again = till.spool.counts().pending
            await _sync_all(till, identity, gateway)
            for _ in range(SALES_AFTER):
                _sell(till, lot, at)
            till.close(at=at)
            await _sync_all(till, identity, gateway)
        return again


def _sell(till: Till, lot: str, at: datetime) -> None:
    till.sell([BasketEntry(lot, 1)], at=at, payment=PaymentKind.QRIS, unlisted=True)


async def _sync_all(till: Till, identity: str, gateway: str) -> None:
    route = GatewayRoute(gateway, Bearer(DeviceSession(identity, till.spool.device_key)))
    # The gateway hears of a new device a moment after identity.
    async for _ in attempts(within=ANSWERED_WITHIN, first=0.1, most=0.5):
        report = await till.sync(route, wait=ANSWERED_WITHIN)
        if till.spool.counts().pending == 0:
            if report.unanswered:
                raise ScenarioFailed(f"Sales did not answer {report.unanswered} receipts of a restored till.")
            return
    raise ScenarioFailed(f"The gateway did not take the records of till {till.name}.")
