"""A topic that was deleted, made anew and filled again stops its lanes: what is in it is worked by nobody unseen."""

from datetime import date

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.topics import make_topics
from shared.events.production import PRODUCTION, LotRecorded
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.place import RunService
from tests.support.probe import Probe, a_probe
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

NAME = PRODUCTION.name


async def send_lots(probe: Probe, *numbers: int) -> None:
    for n in numbers:
        body = LotRecorded(
            lot=f"L{n}", facility="LP-KPG", product="KTI", category="tenun", qty=9, made_on=date(2026, 4, 1)
        )
        await probe.send(PRODUCTION, body, id=f"lot-{n}")


async def lots(mongo: Mongo) -> set[str]:
    return {lot["_id"] async for lot in mongo.database("inventory")["lots"].find({})}


async def recreate_topic(settings: Settings) -> None:
    full = topic_name(settings, NAME)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.delete_topics([full], timeout_ms=30_000)
        await eventually(admin.list_topics, until=lambda names: full not in names)
        await make_topics(settings)
        await eventually(
            lambda: admin.describe_topics([full]),
            until=lambda topics: len(topics[0]["partitions"]) == settings.partitions,
        )
    finally:
        await admin.close()


def stopped_lanes(service: Service) -> list[str]:
    return [trouble for trouble in service.readiness_failures() if "made anew" in trouble]


async def test_a_topic_filled_beyond_the_old_offsets_stops_the_lanes_that_worked_it(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    async with run_service("inventory"):
        await send_lots(probe, *range(30))
        await eventually(lambda: lots(mongo), until=lambda documents: len(documents) == 30)
    await recreate_topic(settings)
    async with a_probe(settings) as fresh:
        await send_lots(fresh, *range(100, 200))
    async with run_service("inventory", ready=False) as service:
        await eventually(lambda: stopped_lanes(service), until=lambda lanes: len(lanes) == settings.partitions)
        assert all("docs/operations.md" in trouble for trouble in service.readiness_failures()[: settings.partitions])
        # It has started all the same: a new process would stop them again.
        await eventually(service.startup_failures, equals=[])
    assert len(await lots(mongo)) == 30

    # As docs/operations.md says: the lanes begin the topic anew, and nothing that was worked is worked again.
    await mongo.database("inventory")["lanes"].update_many(
        {}, {"$pull": {"offsets": {"topic": topic_name(settings, NAME)}}}
    )
    async with a_probe(settings) as fresh:
        await send_lots(fresh, 0, 1)
    async with run_service("inventory"):
        await eventually(lambda: lots(mongo), until=lambda documents: len(documents) == 130)
    lot = await mongo.database("inventory")["lots"].find_one({"_id": "L0"})
    assert lot is not None
    assert lot["on_hand"] == 9


async def test_a_topic_made_anew_below_a_running_service_stops_its_lanes(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    async with run_service("inventory") as service:
        await send_lots(probe, *range(30))
        await eventually(lambda: lots(mongo), until=lambda documents: len(documents) == 30)
        await recreate_topic(settings)
        async with a_probe(settings) as fresh:
            await send_lots(fresh, 100, 101, 102)
        await eventually(lambda: stopped_lanes(service), within=60)
        assert len(await lots(mongo)) == 30
