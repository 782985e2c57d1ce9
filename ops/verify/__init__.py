"""`karya verify`: waits until all work is finished, then checks every invariant across all services."""

import time
from collections.abc import Callable

from deploy.topics import topic_names
from ops.verify import (
    booths,
    cash,
    demand,
    devices,
    held,
    money,
    news,
    pools,
    receipts,
    reports,
    requests,
    roles,
    stock,
)
from ops.verify.evidence import gather
from ops.verify.log import TopicLog
from ops.verify.quiescence import Observation, observe, wait_until_quiet
from ops.verify.report import Check, VerifyReport
from shared.mongo import Mongo
from shared.settings import Settings
from shared.wording import Message

__all__ = ["WITHIN", "Check", "Observation", "VerifyReport", "verify"]

WITHIN = 60.0
_ROUNDS = 3
_CHECK_MODULES = (stock, requests, booths, devices, receipts, pools, cash, money, demand, reports, roles, news, held)


async def verify(
    settings: Settings,
    *,
    within: float = WITHIN,
    allow_parked: bool = False,
    on_wait: Callable[[Observation], None] = lambda _: None,
    on_quiet: Callable[[], None] = lambda: None,
) -> VerifyReport:
    """Wait up to `within` seconds until no work is pending, then run all checks. The services may run or not.

    A report that is not `quiet` lists the pending work and has no checks. `on_wait` gets every observation during the
    wait, `on_quiet` is called when checking begins. Raises PyMongoError, KafkaError or NotReached when Kafka or
    MongoDB does not answer.
    """
    began = time.monotonic()
    mongo = Mongo(settings)
    try:
        async with TopicLog(settings, topic_names()) as log:
            for _ in range(_ROUNDS):
                remaining = max(0.0, within - (time.monotonic() - began))
                quiet = await wait_until_quiet(settings, mongo, log, within=remaining, on_wait=on_wait)
                if quiet.waits:
                    return VerifyReport(waits=quiet.waits)
                waited = time.monotonic() - began
                on_quiet()
                evidence = await gather(mongo, log, quiet.ends, allow_parked=allow_parked)
                checks = [check for module in _CHECK_MODULES for check in module.checks(evidence)] + evidence.checks
                if (await observe(settings, mongo, log)).ends == quiet.ends:
                    check_seconds = time.monotonic() - began - waited
                    return VerifyReport(checks=tuple(checks), seconds={"waiting": waited, "checking": check_seconds})
            # Records came in while the evidence was read, so it is not consistent.
            return VerifyReport(waits=(Message("records came in during the checks"),))
    finally:
        await mongo.close()
