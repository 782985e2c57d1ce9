"""`karya verify`: waits until everything is done, then checks every invariant of the design across all services."""

import time
from collections.abc import Callable

from ops.verify import booths, cash, demand, devices, money, pools, receipts, reports, requests, stock
from ops.verify.evidence import gather
from ops.verify.log import Log
from ops.verify.quiet import Look, look, topic_names, wait_until_quiet
from ops.verify.report import Check, Report
from shared.mongo import Mongo
from shared.settings import Settings

__all__ = ["WITHIN", "Check", "Look", "Report", "verify"]

WITHIN = 60.0
_ROUNDS = 3
_ROOMS = (stock, requests, booths, devices, receipts, pools, cash, money, demand, reports)


async def verify(
    settings: Settings,
    *,
    within: float = WITHIN,
    allow_parked: bool = False,
    on_wait: Callable[[Look], None] = lambda _: None,
    on_quiet: Callable[[], None] = lambda: None,
) -> Report:
    """Wait up to `within` seconds until nothing is under way, then check everything. The services may run or not.

    A report that is not `quiet` says what still waits and has no checks. `on_wait` hears of every look while
    waiting, `on_quiet` when checking begins. Raises a client's own error (PyMongoError, KafkaError) or NotReached
    when Kafka or MongoDB does not answer.
    """
    began = time.monotonic()
    mongo = Mongo(settings)
    try:
        async with Log(settings, topic_names()) as log:
            for _ in range(_ROUNDS):
                left = max(0.0, within - (time.monotonic() - began))
                quiet = await wait_until_quiet(settings, mongo, log, within=left, on_wait=on_wait)
                if quiet.waits:
                    return Report(waits=quiet.waits)
                waited = time.monotonic() - began
                on_quiet()
                evidence = await gather(mongo, log, quiet.ends, allow_parked=allow_parked)
                checks = [check for room in _ROOMS for check in room.checks(evidence)] + evidence.checks
                if (await look(settings, mongo, log)).ends == quiet.ends:
                    took = time.monotonic() - began - waited
                    return Report(checks=tuple(checks), seconds={"waiting": waited, "checking": took})
            # What was read while records came in proves nothing either way.
            return Report(waits=("records came in while they were checked",))
    finally:
        await mongo.close()
