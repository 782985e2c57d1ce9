"""Instances that come and go under load, and services that are killed: nothing is lost and nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice

import pytest

from deploy.topics import SERVICES
from shared import derivation
from shared.mongo import Database, Mongo
from shared.runtime.storage import lane_id
from shared.settings import Settings
from tests.support import killed_at, loads
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe, ProbeRecord
from tests.support.running import ServiceProcess, end_open_transactions, forget_members
from tests.support.selection import slow_but
from tests.support.undisturbed import all_worked, assert_undisturbed
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

BETWEEN = 0.01  # seconds from one record to the next: more would only prove how fast the machine is
ON_EITHER_SIDE = 60  # events that must be worked before and after each change


@asynccontextmanager
async def steady_load(probe: Probe, records: Iterator[ProbeRecord]) -> AsyncIterator[None]:
    """Sends all the time while the block lasts."""
    enough = asyncio.Event()

    async def pour() -> None:
        for record in records:
            await probe.send(record.topic, record.body, id=record.id)
            try:
                await asyncio.wait_for(enough.wait(), BETWEEN)
            except TimeoutError:
                continue
            return

    task = asyncio.create_task(pour())
    try:
        yield
    finally:
        enough.set()
        await task


async def await_progress(name: str, partitions: int, database: Database) -> None:
    """Some more events are worked on every lane that has any: whoever owns it, is at work."""
    poured = {record.topic.name for record in islice(loads.after(name), 100)}
    busy = [
        lane_id(processor.group, partition)
        for processor in SERVICES[name]
        if poured & {topic.name for topic in processor.topics}
        for partition in range(partitions)
    ]

    async def batches() -> dict[str, int]:
        lanes = await database["lanes"].find({"_id": {"$in": busy}}).to_list(None)
        return {lane["_id"]: lane["batches"] for lane in lanes}

    worked, batch_counts = await database["ledger"].count_documents({}), await batches()
    await eventually(
        lambda: database["ledger"].count_documents({}), until=lambda now: now > worked + ON_EITHER_SIDE, within=40
    )
    await eventually(
        batches, until=lambda now: all(now[lane] > then for lane, then in batch_counts.items()), within=40
    )


async def has_lanes(instance: ServiceProcess) -> None:
    """Kafka gave this instance some of the lanes, and it has taken them over."""
    await eventually(lambda: instance.log.read_text(), until=lambda text: "lanes_recovered" in text, within=40)


@pytest.mark.timeout(170)
@pytest.mark.parametrize("name", slow_but("inventory", among=SERVICES))
async def test_instances_that_join_and_leave_under_load_lose_and_double_nothing(
    name: str, settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    small = settings.model_copy(update={"max_batch": 50})
    database = mongo.database(name)
    async with service_process(name, small):
        await probe.send_all(loads.before(name))
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
        async with steady_load(probe, loads.after(name)):
            await eventually(lambda: database["ledger"].count_documents({}), until=lambda n: n > ON_EITHER_SIDE)
            async with service_process(name, small) as second:
                await has_lanes(second)
                await await_progress(name, settings.partitions, database)
                assert await second.stop() == 0, second.output
            await await_progress(name, settings.partitions, database)
            async with service_process(name, small) as third:
                await has_lanes(third)
                await await_progress(name, settings.partitions, database)
                await third.kill()
            await end_open_transactions(settings)
            await await_progress(name, settings.partitions, database)
        await eventually(lambda: all_worked(name, settings, probe, database), within=60)
    await assert_undisturbed(name, settings, probe, database)


@pytest.mark.slow
@pytest.mark.timeout(170)
async def test_old_and_new_instances_side_by_side_under_load_lose_and_double_nothing(
    settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    """A rolling update: lanes go from instances of the former version to those of this one and back."""
    name = "inventory"
    small = settings.model_copy(update={"max_batch": 50})
    database = mongo.database(name)
    former = ("-m", "tests.support.former_version", name)
    async with service_process(name, small, command=former) as old:
        await probe.send_all(loads.before(name))
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
        assert await database["lanes"].count_documents({"derivation": {"$exists": True}}) == 0
        async with steady_load(probe, loads.after(name)):
            async with service_process(name, small) as new:
                await has_lanes(new)
                await await_progress(name, settings.partitions, database)
                assert await database["lanes"].count_documents({"derivation": derivation.CURRENT})
                await new.kill()
            await end_open_transactions(settings)
            await await_progress(name, settings.partitions, database)
            async with service_process(name, small) as new:
                await has_lanes(new)
                await old.kill()
                await end_open_transactions(settings)
                await await_progress(name, settings.partitions, database)
                async with service_process(name, small, command=former) as back:
                    await has_lanes(back)
                    await await_progress(name, settings.partitions, database)
                    assert await new.stop() == 0, new.output
                    await await_progress(name, settings.partitions, database)
        async with service_process(name, small):
            await eventually(lambda: all_worked(name, settings, probe, database), within=60)
    await assert_undisturbed(name, settings, probe, database)


# The step is one, and inventory is killed at every point of it (test_step): here the points that differ most.
@pytest.mark.parametrize("point", slow_but(killed_at.DIFFER_MOST[1], among=killed_at.DIFFER_MOST))
@pytest.mark.parametrize("name", slow_but("sales", among=["production", "festival", "sales"]))
async def test_a_service_with_hints_or_deadlines_killed_between_two_parts_ends_as_if_undisturbed(
    name: str,
    point: str,
    settings: Settings,
    probe: Probe,
    mongo: Mongo,
    run_service: RunService,
    service_process: RunProcess,
) -> None:
    small = settings.model_copy(update={"max_batch": 25})
    database = mongo.database(name)
    async with run_service(name):
        await probe.send_all(loads.before(name))
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
    await probe.send_all(list(islice(loads.after(name), 150)))
    command = ("-m", "tests.support.killed_at", name, point, "3")
    async with service_process(name, small, command=command, ready=False) as process:
        assert await process.ended() == -9, process.output
    await end_open_transactions(settings)
    await forget_members(settings)
    assert not await all_worked(name, settings, probe, database), "it was killed too late to prove anything"
    async with run_service(name):
        await eventually(lambda: all_worked(name, settings, probe, database), within=60)
    await assert_undisturbed(name, settings, probe, database)
