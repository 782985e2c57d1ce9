"""Every wait on a request's way: it ends once, by its deadline, though every service is killed in its midst."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ops.rebuild import compare
from shared.events.festival import (
    FESTIVAL,
    FESTIVAL_DEADLINES,
    ORGANISER,
    AllocationFellShort,
    AllocationWithdrawn,
    CloseFestival,
    CountedLot,
    ReceiveShipment,
    SendShipment,
    SendTransfer,
    ShipmentOverdue,
    TransferOverdue,
)
from shared.events.language import Body, Topic
from shared.events.sales import BOOTH_REPORTS, SALES_DEADLINES, SellThroughCounted
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support import killed_at
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.running import ServiceProcess, end_open_transactions, forget_members
from tests.support.saga import a_place, announce, ask, lots, make, open_booth
from tests.support.season import RunningSeason
from tests.support.selection import slow_but
from tests.support.undisturbed import all_worked
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def place(settings: Settings, probe: Probe, mongo: Mongo) -> RunningSeason:
    return a_place(settings, probe, mongo)


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody waits: `begin` leads there, with the services that play, and then `document` is so. `owner` keeps the
    deadline, which comes `hours` later; it is killed at `dies` when it says so. Then `becomes` is so, and
    `announcement` tells of it once."""

    name: str
    owner: str
    deadline: str
    hours: int
    dies: str
    begin: Callable[[RunningSeason, dict[str, ServiceProcess]], Awaitable[None]]
    document: tuple[str, str, dict[str, Any]]
    becomes: tuple[str, str, dict[str, Any]]
    announcement: tuple[Topic, type[Body]]
    services: tuple[str, ...] = ("inventory", "festival")

    def __str__(self) -> str:
        return self.name


async def propose(place: RunningSeason, _: dict[str, ServiceProcess]) -> None:
    await place.say(ORGANISER, ask("FA", "R1", 7, consent=False), "ask")


async def kill_inventory(place: RunningSeason, alive: dict[str, ServiceProcess]) -> None:
    """Inventory dies before it is asked."""
    await alive.pop("inventory").kill()
    await end_open_transactions(place.settings)
    await place.say(ORGANISER, ask("FA", "R1", 7), "ask")


async def reserve(place: RunningSeason, _: dict[str, ServiceProcess]) -> None:
    await place.say(ORGANISER, ask("FA", "R1", 7), "ask")
    await place.until("festival", "requests", {"status": "settled"})


async def send(place: RunningSeason, alive: dict[str, ServiceProcess]) -> None:
    await reserve(place, alive)
    order = SendShipment(festival="FA", request="R1", shipment="S1", facility="LP-A", booth="FA.B1")
    await place.say(ORGANISER, order, "send")
    await place.until("festival", "shipments", {"status": "sent"})


async def receive(place: RunningSeason, alive: dict[str, ServiceProcess]) -> None:
    await send(place, alive)
    counted = (CountedLot(lot="LA", qty=7),)
    receipt = ReceiveShipment(festival="FA", shipment="S1", booth="FA.B1", counted=counted)
    await place.say(ORGANISER, receipt, "receive")
    await place.until("festival", "shipments", {"status": "received"})


async def carry(place: RunningSeason, alive: dict[str, ServiceProcess]) -> None:
    await receive(place, alive)
    await open_booth(place, "FA", "FA.B2")
    lots = (CountedLot(lot="LA", qty=3),)
    order = SendTransfer(festival="FA", transfer="T1", booth="FA.B1", to="FA.B2", lots=lots)
    await place.say(ORGANISER, order, "carry")


async def close(place: RunningSeason, alive: dict[str, ServiceProcess]) -> None:
    await receive(place, alive)
    await place.say(ORGANISER, CloseFestival(festival="FA", till_hours=48), "close")


ALL_RELEASED = {"tallies.released": {"$exists": True}}
WAITS = [
    Wait(
        "a plan to be accepted",
        *("festival", "hold/FA/R1", 73, "4a written, not committed", propose),
        document=("festival", "requests", {"status": "proposed", "tallies.planned": {"$exists": True}}),
        becomes=("festival", "requests", {"status": "withdrawn", "tallies.released": {"$exists": True}}),
        announcement=(FESTIVAL, AllocationWithdrawn),
    ),
    Wait(
        "an order to be answered by inventory",
        *("festival", "hold/FA/R1", 73, "4-6 committed, not handed to the relay", kill_inventory),
        document=("festival", "requests", {"status": "reserving", "tallies.asked": {"$exists": True}}),
        becomes=("festival", "requests", {"status": "settled", "lapsed": True, **ALL_RELEASED}),
        announcement=(FESTIVAL, AllocationFellShort),
    ),
    Wait(
        "what is reserved to be sent",
        *("festival", "hold/FA/R1", 73, "R2-R3 published, outbox not deleted", reserve),
        document=("festival", "requests", {"status": "settled", "tallies.reserved": {"$exists": True}}),
        becomes=("festival", "requests", {"lapsed": True, "tallies.released": {"$exists": True}}),
        announcement=(FESTIVAL, AllocationFellShort),
    ),
    Wait(
        "a shipment to be received",
        *("festival", "arrive/FA/S1", 25, "3-4 decided, nothing written", send),
        document=("festival", "shipments", {"status": "sent", "overdue": False}),
        becomes=("festival", "shipments", {"status": "sent", "overdue": True}),
        announcement=(FESTIVAL, ShipmentOverdue),
    ),
    Wait(
        "goods to come from another booth",
        *("festival", "carry/FA/T1", 3, "4-6 committed, not handed to the relay", carry),
        document=("festival", "transfers", {"status": "sent", "overdue": False}),
        becomes=("festival", "transfers", {"status": "sent", "overdue": True}),
        announcement=(FESTIVAL, TransferOverdue),
    ),
    Wait(
        "tills to send what is left",
        *("sales", "FA.B1", 49, "4-6 committed, not handed to the relay", close),
        document=("sales", "booths", {"status": "closing"}),
        becomes=("festival", "booths", {"status": "settled"}),
        announcement=(BOOTH_REPORTS, SellThroughCounted),
        services=("inventory", "festival", "sales"),
    ),
]
DEADLINES = {"festival": FESTIVAL_DEADLINES, "sales": SALES_DEADLINES}


async def deadlines(place: RunningSeason, service: str) -> list[str]:
    deadlines = await place.mongo.database(service)["deadlines"].find({}).to_list(None)
    return sorted(document["deadline"] for document in deadlines)


async def await_quiet(place: RunningSeason, services: Iterable[str]) -> None:
    for name in services:
        worked = partial(all_worked, name, place.settings, place.probe, place.mongo.database(name))
        await eventually(worked, within=30)


@pytest.mark.timeout(170)
@pytest.mark.parametrize("wait", slow_but(WAITS[2], among=WAITS))
async def test_a_wait_ends_once_at_its_deadline_though_all_services_are_killed_in_its_midst(
    wait: Wait, place: RunningSeason, service_process: RunProcess
) -> None:
    assert wait.dies in killed_at.POINTS
    async with AsyncExitStack() as running:
        alive = {name: await running.enter_async_context(service_process(name)) for name in wait.services}
        await announce(place, "FA")
        await make(place, "LA", 10, "LP-A")
        await wait.begin(place, alive)
        await place.until(*wait.document)
        await await_quiet(place, list(alive))
        for process in alive.values():
            await process.kill()
    await end_open_transactions(place.settings)
    await forget_members(place.settings)
    assert wait.deadline in await deadlines(place, wait.owner)

    later = ("-m", "tests.support.ahead", wait.owner, str(wait.hours))
    async with service_process(wait.owner, command=(*later, wait.dies, "1"), ready=False) as process:
        assert await process.ended() == -9, process.output
    await end_open_transactions(place.settings)
    await forget_members(place.settings)

    async with AsyncExitStack() as running:
        await running.enter_async_context(service_process(wait.owner, command=later))
        for name in wait.services:
            if name != wait.owner:
                await running.enter_async_context(service_process(name))
        await place.until(*wait.becomes)
        await await_quiet(place, list(wait.services))
    reached = {record.event.id for record in await place.probe.read_all(DEADLINES[wait.owner])}
    assert len(reached) == 1
    assert wait.deadline not in await deadlines(place, wait.owner)
    topic, kind = wait.announcement
    ids = {record.event.id for record in await place.probe.read_all(topic) if isinstance(record.body, kind)}
    assert len(ids) == 1
    for name in wait.services:
        rebuilt = await compare(place.settings, name)
        assert rebuilt.ok, rebuilt.as_dict()
    [lot] = (await lots(place)).values()
    sent = sum(reservation["qty"] for reservation in lot["reservations"] if reservation["standing"] == "dispatched")
    assert lot["on_hand"] + sent == 10, "nothing is held for nobody"
