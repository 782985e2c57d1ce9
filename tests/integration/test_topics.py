"""Topics that were there before: altered where that is safe, refused with what can be done, told by readiness."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

from cli import app
from deploy.altering import alter
from deploy.local.services import environment
from deploy.topics import TopicChanges, make_topics, reconcile_topics
from shared.errors import TopicsRefused
from shared.events.production import PRODUCTION
from shared.kafka import topic_name
from shared.runtime.service import Service
from shared.settings import Settings
from shared.topics import COMPRESSION, RETENTION, TIME, TopicFault, configs, faults_of
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

WEEK = str(7 * 24 * 60 * 60 * 1000)
SENDERS = "CreateTime"


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    yield admin
    await admin.close()


def name_in(settings: Settings) -> str:
    return topic_name(settings, PRODUCTION.name)


def reports_trouble(service: Service, words: str) -> bool:
    return any(trouble.startswith(words) for trouble in service.readiness_failures())


async def create_topic(admin: AIOKafkaAdminClient, topic: NewTopic) -> None:
    answer = await admin.create_topics([topic])
    assert [code for _, code, *_ in answer.topic_errors] == [0]
    await eventually(admin.list_topics, until=lambda names: topic.name in names)


async def alter_settings(settings: Settings, admin: AIOKafkaAdminClient, **values_by_setting: str) -> None:
    changes = [
        TopicFault(name_in(settings), name.replace("_", "."), None, value)
        for name, value in values_by_setting.items()
    ]
    await alter(admin, changes)
    await eventually(
        lambda: configs(admin, [name_in(settings)]),
        until=lambda settings_by_topic: all(
            settings_by_topic[change.topic].get(change.setting) == change.wanted for change in changes
        ),
    )


async def test_an_input_that_was_there_before_with_a_weeks_retention_and_senders_clocks_is_altered(
    settings: Settings, admin: AIOKafkaAdminClient
) -> None:
    fresh = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}before."})
    before = {RETENTION: WEEK, TIME: SENDERS, COMPRESSION: "uncompressed", "max.message.bytes": "4000000"}
    configs_before = {**before, "min.insync.replicas": "1"}
    await create_topic(admin, NewTopic(name_in(fresh), fresh.partitions, 1, topic_configs=configs_before))
    ordered = await make_topics(fresh)
    alterations = {(fault.setting, fault.found) for fault in ordered.altered}
    assert alterations >= before.items()
    assert {fault.topic for fault in ordered.altered} == {name_in(fresh)}
    assert name_in(fresh) not in ordered.made
    settings_by_topic = await eventually(
        lambda: configs(admin, [name_in(fresh)]), until=lambda now: not faults_of(now)
    )
    assert settings_by_topic[name_in(fresh)]["min.insync.replicas"] == "1", "what nobody asked for stays as it is"
    assert await reconcile_topics(fresh) == TopicChanges([], [], []), "safe to repeat"


async def test_what_would_not_mend_the_records_that_lie_there_is_refused_with_the_command_and_readiness_tells(
    settings: Settings, admin: AIOKafkaAdminClient, probe: Probe, run_service: RunService
) -> None:
    topic = name_in(settings)
    await probe.send_raw(PRODUCTION, key=b"a key", value=b"{")
    await alter_settings(
        settings, admin, retention_ms=WEEK, message_timestamp_type=SENDERS, compression_type="uncompressed"
    )
    sentences = [f"{topic} has {RETENTION}={WEEK}", f"{topic} has {TIME}={SENDERS}"]
    async with run_service("inventory", ready=False) as service:
        await eventually(lambda: all(reports_trouble(service, words) for words in sentences))
        assert not reports_trouble(service, f"{topic} has {COMPRESSION}"), "it can be read"
    code, report = await karya_topics(settings)
    assert code == 1
    altered = {fault["setting"] for fault in report["altered"]}
    assert altered == {RETENTION, COMPRESSION}, "what is lost is lost, and what lies there stays as it is packed"
    [refused] = report["refused"]
    command = re.search(r"--entity-name (\S+) --add-config (\S+)", refused)
    assert command is not None
    configs_to_add = dict(pair.split("=") for pair in command[2].split(","))
    assert (command[1], configs_to_add) == (topic, {TIME: "LogAppendTime"})
    async with run_service("inventory", ready=False) as service:
        await eventually(lambda: [reports_trouble(service, words) for words in sentences], equals=[False, True])
        await alter(admin, [TopicFault(topic, setting, None, value) for setting, value in configs_to_add.items()])
        # It is asked again only because something was wrong.
        await eventually(service.readiness_failures, equals=[], within=30)
    assert (await karya_topics(settings))[0] == 0


async def test_topics_with_another_number_of_partitions_are_left_and_none_is_made_beside_them(
    settings: Settings, admin: AIOKafkaAdminClient
) -> None:
    fresh = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}six."})
    await create_topic(admin, NewTopic(name_in(fresh), 6, 1))
    with pytest.raises(TopicsRefused, match=r"6 partitions, but KARYA_PARTITIONS is 3\. .*KARYA_PARTITIONS=6"):
        await make_topics(fresh)
    assert [name for name in await admin.list_topics() if name.startswith(fresh.topic_prefix)] == [name_in(fresh)]
    made = await make_topics(fresh.model_copy(update={"partitions": 6}))
    assert made.made


async def karya_topics(settings: Settings) -> tuple[int, dict[str, Any]]:
    run = await asyncio.to_thread(CliRunner().invoke, app, ["topics", "--json"], env=environment(settings))
    return run.exit_code, json.loads(run.stdout)
