"""Producers with transactions: what they take back never was, and the holes that they leave are no fault."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from typer.testing import CliRunner

from cli import app
from deploy.local.services import environment
from deploy.topics import SERVICES, all_topics, read_topics
from edge.terminal.terminal import Terminal
from ops.verify import verify
from shared.events.production import ANSWERS, TERMINAL, ProductionReported
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.transactions import Transactional, transactional
from tests.support.waiting import eventually
from tests.support.ways import Way

pytestmark = pytest.mark.integration

FACILITY = "PR-KPG"


def a_report(qty: int) -> ProductionReported:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    return ProductionReported(facility=FACILITY, terminal=f"{FACILITY}.T1", product="KTI", qty=qty, made_on=yesterday)


async def recorded(mongo: Mongo) -> list[int]:
    """Pieces of each lot that inventory has."""
    lots = await mongo.database("inventory")["lots"].find({}).to_list(None)
    return sorted(lot["recorded"] for lot in lots)


async def karya(settings: Settings, *command: str) -> tuple[int, dict[str, Any]]:
    run = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--json"], env=environment(settings))
    return run.exit_code, json.loads(run.stdout)


async def everywhere(settings: Settings, client: Transactional) -> None:
    """Holes at the end of every partition of every topic."""
    names = [*(topic.name for topic in all_topics()), *(f"{name}.dlq" for name in read_topics())]
    parts = [TopicPartition(topic_name(settings, name), p) for name in names for p in range(settings.partitions)]
    await client.take_back(*parts)


async def test_what_was_taken_back_is_never_worked_and_its_holes_are_no_fault(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    async with transactional(settings) as client:
        for before, first, second in (([], 21, 31), ([21, 31], 22, 32)):
            async with AsyncExitStack() as running:
                services = [await running.enter_async_context(run_service(name)) for name in SERVICES]
                await client.say(TERMINAL, a_report(44), taken_back=True)
                await client.say(TERMINAL, a_report(first))
                await eventually(lambda: recorded(mongo), equals=sorted([*before, first]))
                await everywhere(settings, client)
                # Behind the holes, and after a restart with nothing but holes behind the last record.
                await probe.send(TERMINAL, a_report(second))
                await eventually(lambda: recorded(mongo), equals=sorted([*before, first, second]))
                await everywhere(settings, client)
                report = await verify(settings, within=30)
                assert report.ok, report.as_dict()
                for service in services:
                    await eventually(service.readiness_failures, equals=[])
    for command in (["verify"], *(["rebuild", service] for service in SERVICES)):
        code, document = await karya(settings, *command)
        assert (code, document["ok"]) == (0, True), document
    assert await probe.dlq(TERMINAL) == []


async def test_a_terminal_hears_on_past_the_holes(
    settings: Settings, mongo: Mongo, run_service: RunService, tmp_path: Path, way: Way
) -> None:
    parts = [TopicPartition(topic_name(settings, ANSWERS.name), p) for p in range(settings.partitions)]
    async with transactional(settings) as client, run_service("production"):
        await client.take_back(*parts)
        with Terminal(tmp_path, FACILITY, "T1") as terminal:
            yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
            for qty in (1, 2):
                terminal.record("KTI", qty, made_on=yesterday, at=datetime.now(UTC))
                assert (await terminal.sync(way.route, wait=20)).unanswered == 0
                await client.take_back(*parts)
            # There is nothing but holes to hear.
            assert (await terminal.sync(way.route, wait=0)).received == 0
