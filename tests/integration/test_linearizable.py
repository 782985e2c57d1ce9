"""Concurrent clients of the real inventory, one of its two instances killed meanwhile: every lot's history has an
order in which one client after the other would have got these very answers."""

import asyncio
from contextlib import AsyncExitStack
from datetime import date
from random import Random

import httpx
import pytest

from shared.events.production import PRODUCTION, LotRecorded
from shared.kafka import partition_for
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.history.checker import HistoryVerdict, check
from tests.support.history.spec import Answer, Order, Stock, step
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.reservations import FACILITY, Client, Recorder, a_producer, record_answers
from tests.support.running import end_open_transactions
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 20260418
LOTS = 5
ON_HAND = 12
CLIENTS = 6
ORDERS = 50
AT_LEAST = 200


async def test_reservations_are_linearizable_though_an_instance_is_killed(
    settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    lots = [f"LIN{n}" for n in range(LOTS)]
    assert len({partition_for(lot, settings.partitions) for lot in lots}) > 1, "lots of both instances"
    for lot in lots:
        made = LotRecorded(
            lot=lot, facility=FACILITY, product="KTI", category="tenun", qty=ON_HAND, made_on=date(2026, 4, 1)
        )
        await probe.send(PRODUCTION, made, id=f"made-{lot}")
    recorder = Recorder()
    async with AsyncExitStack() as stack:
        killed = await stack.enter_async_context(service_process("inventory"))
        other = await stack.enter_async_context(service_process("inventory"))
        lots_collection = mongo.database("inventory")["lots"]
        await eventually(lambda: lots_collection.count_documents({}), equals=LOTS)
        await stack.enter_async_context(record_answers(settings, recorder))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
        clients = [
            Client(
                name=f"c{n}",
                random=Random(SEED + n),
                lots=lots,
                settings=settings,
                recorder=recorder,
                producer=await stack.enter_async_context(a_producer(settings)),
                http=http,
                urls=(killed.url, other.url),
                recalls=n == 0,
            )
            for n in range(CLIENTS)
        ]
        async with asyncio.TaskGroup() as working:
            for client in clients:
                working.create_task(client.work(ORDERS))
            await eventually(lambda: recorder.answered > CLIENTS * ORDERS // 3, within=30)
            await killed.kill()
            await end_open_transactions(settings)
        database = mongo.database("inventory")
        await eventually(lambda: database["outbox"].count_documents({}), equals=0)
    verdicts = {lot: check(recorder.history(lot), Stock(ON_HAND), step) for lot in lots}
    for lot, verdict in verdicts.items():
        assert verdict.linearizable, explanation(lot, verdict)
    assert recorder.answered >= AT_LEAST
    kinds = {
        operation.what.kind for lot in lots for operation in recorder.history(lot) if operation.answered is not None
    }
    assert len(kinds) == 8, "every kind of order was answered at least once"


def explanation(lot: str, verdict: HistoryVerdict[Order, Answer]) -> str:
    order = "\n".join(f"  {operation}" for operation in verdict.order)
    stuck = "\n".join(f"  {operation}" for operation in verdict.stuck)
    return f"{lot}: this far the answers have an order:\n{order}\nnone of these can come next:\n{stuck}"
