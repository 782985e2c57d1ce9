"""A service's database from Kafka alone, of a service that had no quiet life: the same, to the last document."""

from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from deploy.stack import Stack
from deploy.topics import SERVICES
from ops.rebuild import RebuildReport, compare, rebuild
from ops.verify import verify
from services.production import reference
from shared.events.festival import (
    FESTIVAL,
    FESTIVAL_DEADLINES,
    ORGANISER,
    AllocationPlanned,
    AnnounceFestival,
    CommandRefusal,
    CommandRefused,
    Demand,
    RequestAllocation,
)
from shared.events.inventory import (
    RESERVATIONS,
    STOCK_ORDERS,
    OrderRefusal,
    ReservationRefused,
    ReservationRequested,
)
from shared.events.language import Body, Event, Topic
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, Refusal, ReportRejected
from shared.kafka import partition_for
from shared.mongo import Mongo
from shared.runtime.processor import Decision
from shared.runtime.service import Service
from shared.runtime.state import State
from shared.settings import Settings
from tests.support import loads
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe
from tests.support.running import let_go_of_the_dead
from tests.support.season import CLOTH, MAKERS, played
from tests.support.selection import slow_but
from tests.support.undisturbed import all_worked
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

EVENTS = 150
DIES = "R2-R3 published, outbox not deleted"


@pytest.mark.timeout(170)
@pytest.mark.parametrize("name", slow_but("festival", among=SERVICES))
async def test_duplicates_dead_letters_kills_and_new_owners_of_lanes_change_nothing_of_a_rebuilt_database(
    name: str,
    settings: Settings,
    probe: Probe,
    mongo: Mongo,
    run_service: RunService,
    service_process: RunProcess,
) -> None:
    small = settings.model_copy(update={"max_batch": 25})
    database = mongo.database(name)

    async def worked() -> bool:
        return await all_worked(name, settings, probe, database)

    async with run_service(name):
        await probe.send_all(loads.before(name))
        await eventually(worked, within=40)
    said = list(islice(loads.after(name), EVENTS))
    await probe.send_all(said)
    for n, topic in enumerate(topic for processor in SERVICES[name] for topic in processor.topics):
        await probe.send_raw(topic, key=b"k", value=b'{"', headers=[("ce_id", None if n % 2 else b"bad")])
    async with service_process(
        name, small, command=("-m", "tests.support.killed_at", name, DIES, "3"), ready=False
    ) as dying:
        assert await dying.ended() == -9, dying.output
    await let_go_of_the_dead(settings)
    async with service_process(name, small) as first:
        await probe.send_all(list(islice(loads.after(name), EVENTS, 2 * EVENTS)))
        async with service_process(name, small) as second:
            await probe.send_all(said[::5])
            await eventually(worked, within=60)
            if name == "festival":
                await _plan_again(probe)
            assert await second.stop() == 0, second.output
        await eventually(worked, within=60)
        assert await first.stop() == 0, first.output
    found = await compare(settings, name)
    assert wrong_in(found) == ([], [], [])
    assert found.replayed.duplicates, "what was published before the kill was to be published again"
    assert found.replayed.records == sum(
        [len(await probe.records(topic)) for processor in SERVICES[name] for topic in processor.topics]
    )
    if name == "festival":
        plans = await probe.bodies(FESTIVAL, AllocationPlanned)
        assert any(plan.replan for plan in plans), "nothing was planned again"
        assert await probe.records(FESTIVAL_DEADLINES), "no deadline was reached"


async def _plan_again(probe: Probe) -> None:
    """Inventory has less than the plans thought: festival plans again what was refused."""
    for n in range(loads.KEYS):
        demand = Demand(booth=f"F{n}.B1", product="KTI", qty=700)
        asked = RequestAllocation(festival=f"F{n}", request="again", demands=(demand,), consent=True)
        await probe.send(ORGANISER, asked, id=f"again-{n}")

    async def reservations() -> list[ReservationRequested]:
        return [one for one in await probe.bodies(STOCK_ORDERS, ReservationRequested) if one.request == "again"]

    asked_for = await eventually(reservations, until=lambda found: len({one.festival for one in found}) == loads.KEYS)
    for n, one in enumerate(asked_for):
        refused = ReservationRefused(
            festival=one.festival,
            request=one.request,
            reservation=one.reservation,
            lot=one.lot,
            product="KTI",
            booth=one.booth,
            qty=one.qty,
            on_hand=0,
            reason=OrderRefusal.SHORT,
        )
        await probe.send(RESERVATIONS, refused, id=f"refused-{n}", source="karya/inventory")


async def test_of_two_lanes_that_used_one_id_for_a_report_the_first_stays_the_first(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    facilities = reference.load().catalogue.facilities
    first, second = _against_the_order_of_lanes(sorted(facilities), settings.partitions)

    def report(facility: str) -> ProductionReported:
        product = min(facilities[facility].products)
        return ProductionReported(
            facility=facility,
            terminal=f"{facility}.T1",
            product=product,
            qty=1,
            made_on=datetime.now(UTC).date() - timedelta(days=1),
        )

    await _first_stays_first(
        "production", TERMINAL, (report(first), report(second)), settings, probe, mongo, run_service
    )
    refused = [one for one in await probe.bodies(ANSWERS, ReportRejected) if one.reason is Refusal.ID_REUSED]
    assert [one.facility for one in refused] == [second]


async def test_of_two_lanes_that_used_one_id_for_a_command_the_first_stays_the_first(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    first, second = _against_the_order_of_lanes([f"F{n}" for n in range(9)], settings.partitions)

    def announced(festival: str) -> AnnounceFestival:
        day = date(2026, 4, 18)
        return AnnounceFestival(
            festival=festival,
            name="Festival",
            place="Kupang",
            zone="Asia/Makassar",
            first_day=day,
            last_day=day,
            confirmed=True,
        )

    await _first_stays_first(
        "festival", ORGANISER, (announced(first), announced(second)), settings, probe, mongo, run_service
    )
    refused = [one for one in await probe.bodies(FESTIVAL, CommandRefused) if one.reason is CommandRefusal.ID_TAKEN]
    assert [one.festival for one in refused] == [second]


async def test_a_refusal_for_an_id_that_nobody_used_is_found(settings: Settings, probe: Probe, mongo: Mongo) -> None:
    [processor] = SERVICES["production"]

    def refuses(state: State, event: Event) -> Decision:
        said = ReportRejected(
            facility=event.key,
            terminal="T1",
            report=event.id,
            field="id",
            reason=Refusal.ID_REUSED,
            message="",
            message_id="",
        )
        return state, [ANSWERS.of(said)]

    wrong = Service("production", [processor.with_decide(refuses)], settings)
    try:
        await wrong.start()
        made = ProductionReported(facility=CLOTH, terminal="T1", product="KTI", qty=1, made_on=date(2026, 4, 1))
        await probe.send(TERMINAL, made, id="alone")
        await eventually(lambda: probe.records(ANSWERS), until=lambda found: len(found) == 1)
        await eventually(lambda: wrong.idle)
    finally:
        await wrong.stop()
    [said] = await probe.read_all(ANSWERS)
    found = await compare(settings, "production")
    assert wrong_in(found) == (
        [],
        [f"production published {ANSWERS.name} {said.event.id}, which the rules do not derive"],
        [],
    )


def _against_the_order_of_lanes(keys: list[str], partitions: int) -> tuple[str, str]:
    """A key of the last lane, and one of the first: a replay works them the other way round."""
    by_lane = {partition_for(key, partitions): key for key in keys}
    return by_lane[partitions - 1], by_lane[0]


async def _first_stays_first(
    service: str,
    topic: Topic,
    bodies: tuple[Body, Body],
    settings: Settings,
    probe: Probe,
    mongo: Mongo,
    run_service: RunService,
) -> None:
    """One id from two sources (the rules refuse the second) and one from one source (it is a dead letter)."""
    database = mongo.database(service)
    async with run_service(service):
        for id, sources in (("twice", ("source-1", "source-2")), ("again", ("source", "source"))):
            for body, source in zip(bodies, sources, strict=True):
                await probe.send(topic, body, id=id, source=source)
                await eventually(lambda: all_worked(service, settings, probe, database))
    assert [letter.reason for letter in await probe.dlq(topic)] == ["ID_REUSED"]
    found = await compare(settings, service)
    assert wrong_in(found) == ([], [], [])


@pytest.mark.slow
@pytest.mark.timeout(170)
async def test_four_lost_databases_are_put_back_the_services_go_on_and_everything_adds_up(
    stack: Stack, run_service: RunService
) -> None:
    async with played(stack) as season:
        for service in SERVICES:
            live = season.mongo.database(service)
            await live.client.drop_database(live.name)
            assert (await rebuild(season.settings, service, switching=True)).switched
        async with AsyncExitStack() as running:
            for service in SERVICES:
                await running.enter_async_context(run_service(service, settings=season.settings))
            more = ProductionReported(
                facility=CLOTH, terminal=f"{CLOTH}.T1", product="KTI", qty=4, made_on=season.today, maker=MAKERS[0]
            )
            await season.say(TERMINAL, more, "made-after", times=2)
            await season.until("inventory", "lots", {}, 6)
            await season.until("festival", "stock", {}, 6)
            checked = await verify(season.settings, within=60)
            assert (checked.waits, [check.name for check in checked.broken]) == ((), [])
        for service in SERVICES:
            assert wrong_in(await compare(season.settings, service)) == ([], [], [])


def wrong_in(found: RebuildReport) -> tuple[list[str], list[str], list[str]]:
    return found.lost, found.doubled, found.mismatched
