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
from tests.support.running import end_open_transactions, forget_members
from tests.support.season import CLOTH, MAKERS, finished_season
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

    async def is_worked() -> bool:
        return await all_worked(name, settings, probe, database)

    async with run_service(name):
        await probe.send_all(loads.before(name))
        await eventually(is_worked, within=40)
    records = list(islice(loads.after(name), EVENTS))
    await probe.send_all(records)
    for n, topic in enumerate(topic for processor in SERVICES[name] for topic in processor.topics):
        await probe.send_raw(topic, key=b"k", value=b'{"', headers=[("ce_id", None if n % 2 else b"bad")])
    async with service_process(
        name, small, command=("-m", "tests.support.killed_at", name, DIES, "3"), ready=False
    ) as dying:
        assert await dying.ended() == -9, dying.output
    await end_open_transactions(settings)
    await forget_members(settings)
    async with service_process(name, small) as first:
        await probe.send_all(list(islice(loads.after(name), EVENTS, 2 * EVENTS)))
        async with service_process(name, small) as second:
            await probe.send_all(records[::5])
            await eventually(is_worked, within=60)
            if name == "festival":
                await _plan_again(probe)
            assert await second.stop() == 0, second.output
        await eventually(is_worked, within=60)
        assert await first.stop() == 0, first.output
    report = await compare(settings, name)
    assert discrepancies(report) == ([], [], [])
    assert report.replayed.duplicates, "what was published before the kill was to be published again"
    assert report.replayed.records == sum(
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
        request = RequestAllocation(festival=f"F{n}", request="again", demands=(demand,), consent=True)
        await probe.send(ORGANISER, request, id=f"again-{n}")

    async def reservations() -> list[ReservationRequested]:
        return [
            reservation
            for reservation in await probe.bodies(STOCK_ORDERS, ReservationRequested)
            if reservation.request == "again"
        ]

    asked_for = await eventually(
        reservations, until=lambda bodies: len({body.festival for body in bodies}) == loads.KEYS
    )
    for n, reservation in enumerate(asked_for):
        refused = ReservationRefused(
            festival=reservation.festival,
            request=reservation.request,
            reservation=reservation.reservation,
            lot=reservation.lot,
            product="KTI",
            booth=reservation.booth,
            qty=reservation.qty,
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
    refused = [
        rejection
        for rejection in await probe.bodies(ANSWERS, ReportRejected)
        if rejection.reason is Refusal.ID_REUSED
    ]
    assert [rejection.facility for rejection in refused] == [second]


async def test_of_two_lanes_that_used_one_id_for_a_command_the_first_stays_the_first(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    first, second = _against_the_order_of_lanes([f"F{n}" for n in range(9)], settings.partitions)

    def an_announcement(festival: str) -> AnnounceFestival:
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
        "festival", ORGANISER, (an_announcement(first), an_announcement(second)), settings, probe, mongo, run_service
    )
    refused = [
        refusal
        for refusal in await probe.bodies(FESTIVAL, CommandRefused)
        if refusal.reason is CommandRefusal.ID_TAKEN
    ]
    assert [refusal.festival for refusal in refused] == [second]


async def test_a_refusal_for_an_id_that_nobody_used_is_found(settings: Settings, probe: Probe, mongo: Mongo) -> None:
    facility, entry = SERVICES["production"]

    def reject_report(state: State, event: Event) -> Decision:
        if not isinstance(event.body, ProductionReported):
            return facility.decide(state, event)
        rejection = ReportRejected(
            facility=event.key,
            terminal="T1",
            report=event.id,
            field="id",
            reason=Refusal.ID_REUSED,
            message="",
            template="",
            values={},
        )
        return state, [ANSWERS.of(rejection)]

    wrong = Service("production", [facility.with_decide(reject_report), entry], settings)
    try:
        await wrong.start()
        made = ProductionReported(facility=CLOTH, terminal="T1", product="KTI", qty=1, made_on=date(2026, 4, 1))
        await probe.send(TERMINAL, made, id="alone")
        await eventually(lambda: probe.records(ANSWERS), until=lambda records: len(records) == 1)
        await eventually(lambda: wrong.idle)
    finally:
        await wrong.stop()
    [rejection] = await probe.read_all(ANSWERS)
    report = await compare(settings, "production")
    assert discrepancies(report) == (
        [],
        [f"production published {ANSWERS.name} {rejection.event.id}, which the rules do not derive"],
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
    report = await compare(settings, service)
    assert discrepancies(report) == ([], [], [])


@pytest.mark.slow
@pytest.mark.timeout(170)
async def test_four_lost_databases_are_put_back_the_services_go_on_and_everything_adds_up(
    stack: Stack, run_service: RunService
) -> None:
    async with finished_season(stack) as season:
        lots = await season.mongo.database("inventory")["lots"].count_documents({})
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
            await season.until("inventory", "lots", {}, lots + 1)
            await season.until("festival", "stock", {}, lots + 1)
            checked = await verify(season.settings, within=60)
            assert (checked.waits, [check.name for check in checked.broken]) == ((), [])
        for service in SERVICES:
            assert discrepancies(await compare(season.settings, service)) == ([], [], [])


def discrepancies(report: RebuildReport) -> tuple[list[str], list[str], list[str]]:
    return [*map(str, report.lost)], [*map(str, report.doubled)], [*map(str, report.mismatched)]
