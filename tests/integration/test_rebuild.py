"""A service's database from Kafka alone: equal to the live one, found when it is not, and put in its place."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from typer.testing import CliRunner

from cli import app
from deploy.local.services import environment
from deploy.stack import Stack
from deploy.topics import SERVICES
from ops.dlq import dead_letters
from ops.rebuild import RebuildReport, compare, rebuild, switching
from shared import derivation, envelope
from shared.errors import HistoryTruncated, NotEmpty, ServiceRunning, UnknownVersion, UnpublishedEvents
from shared.events.festival import FESTIVAL, FestivalCancelled
from shared.events.journal import BatchWorked, journal
from shared.events.language import Event, Topic
from shared.events.operator import OPERATOR, DatabaseSwitched
from shared.events.production import ANSWERS, TERMINAL, ProductionReported
from shared.kafka import topic_name
from shared.mongo import Document, Mongo
from shared.runtime.processor import Decision
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.state import State
from shared.runtime.storage import OutboxEntry
from shared.settings import Settings
from tests.support import loads
from tests.support.place import RunProcess, RunService, a_place
from tests.support.probe import Probe, a_probe
from tests.support.season import CLOTH, MAKERS, RunningSeason, finished_season
from tests.support.sown import catalogue_sown
from tests.support.undisturbed import all_worked
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

TAMPERED = [
    ("inventory", "lots", {"$inc": {"on_hand": 1}}),
    ("production", "reports", {"$set": {"outcome": "waiting"}}),
    ("festival", "requests", {"$set": {"consent": False}}),
    ("festival", "transfers", {"$set": {"status": "sent"}}),
    ("festival", "replenishments", {"$set": {"forecasts": []}}),
    ("festival", "paces", {"$inc": {"revision": 1}}),
    ("sales", "settlements", {"$inc": {"revision": 1}}),
    ("sales", "demand", {"$inc": {"revision": 1}}),
    ("sales", "booths", {"$set": {"shelves": []}}),
    ("sales", "receipts", {"$set": {"sales": []}}),
    ("sales", "kept_records", {"$inc": {"number": 1}}),
    ("sales", "feeds", {"$inc": {"sequence": 1}}),
    ("sales", "ledger", {"$set": {"batch": 0}}),
    ("identity", "accounts", {"$set": {"roles": []}}),
    ("identity", "account_commands", {"$set": {"actor": "nobody"}}),
    ("gateway", "facility_news", {"$set": {"about": "another"}}),
    ("gateway", "booth_news", {"$set": {"feed": "karya.booth-stock.v1 ODOP.B9"}}),
]


@pytest.fixture(scope="module")
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with finished_season(stack) as season:
        yield season


def report(facility: str, qty: int) -> ProductionReported:
    return ProductionReported(
        facility=facility,
        terminal=f"{facility}.T1",
        product="KTI",
        qty=qty,
        made_on=envelope.EPOCH.date().replace(year=2024),
        maker=MAKERS[0],
    )


def discrepancies(rebuilt: RebuildReport) -> tuple[list[str], list[str], list[str]]:
    return [*map(str, rebuilt.lost)], [*map(str, rebuilt.doubled)], [*map(str, rebuilt.mismatched)]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_rebuilt_database_is_the_live_one(season: RunningSeason, service: str) -> None:
    rebuild_report = await compare(season.settings, service)
    assert discrepancies(rebuild_report) == ([], [], [])
    assert rebuild_report.ok
    counts = {comparison.name: comparison.same for comparison in rebuild_report.compared}
    entities = {collection.name for processor in SERVICES[service] for collection in processor.collections}
    assert all(counts[name] for name in ("lanes", "ledger", *entities)), counts
    assert sum(counts.values()) == sum(comparison.live for comparison in rebuild_report.compared)
    assert rebuild_report.replayed.published
    assert rebuild_report.database not in await season.mongo.database(service).client.list_database_names()


@pytest.mark.parametrize(("service", "collection", "change"), TAMPERED)
async def test_what_was_changed_behind_the_services_back_is_found(
    season: RunningSeason, service: str, collection: str, change: Document
) -> None:
    documents = season.mongo.database(service)[collection]
    before = await documents.find_one({})
    assert before is not None
    await documents.update_one({"_id": before["_id"]}, change)
    try:
        rebuild_report = await compare(season.settings, service)
    finally:
        await documents.replace_one({"_id": before["_id"]}, before)
    field = next(iter(next(iter(change.values()))))
    assert discrepancies(rebuild_report)[2] == [f"{service} {collection} {before['_id']}: {field}"]


async def test_a_document_from_before_a_field_was_added_is_the_same(season: RunningSeason) -> None:
    requests = season.mongo.database("festival")["requests"]
    before = await requests.find_one({"recalled": 0})
    assert before is not None
    await requests.update_one({"_id": before["_id"]}, {"$unset": {"recalled": ""}})
    try:
        rebuild_report = await compare(season.settings, "festival")
    finally:
        await requests.replace_one({"_id": before["_id"]}, before)
    assert rebuild_report.mismatched == []


async def test_a_rebuild_derives_the_ids_of_each_batch_as_they_were_derived_then(
    settings: Settings,
    probe: Probe,
    mongo: Mongo,
    service_process: RunProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, database = "inventory", mongo.database("inventory")
    load = iter(loads.after(name))
    async with service_process(name, settings, command=("-m", "tests.support.first_derivation", name)):
        await probe.send_all([*loads.before(name), *islice(load, 60)])
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
    async with service_process(name, settings):
        await probe.send_all(list(islice(load, 60)))
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
    entries = await probe.bodies(journal(name), BatchWorked)
    assert {entry.derivation for entry in entries} == {derivation.FIRST, derivation.CURRENT}
    assert await database["lanes"].count_documents({"derivation": derivation.CURRENT})
    assert discrepancies(await compare(settings, name)) == ([], [], [])
    monkeypatch.delitem(derivation.DERIVATIONS, derivation.CURRENT)
    with pytest.raises(UnknownVersion, match=f"derivation {derivation.CURRENT}"):
        await compare(settings, name)


async def test_what_is_missing_and_what_is_too_much_is_found(season: RunningSeason) -> None:
    booths = season.mongo.database("sales")["booths"]
    before = await booths.find_one({})
    assert before is not None
    await booths.delete_one({"_id": before["_id"]})
    await booths.insert_one({"_id": "nowhere"})
    try:
        rebuild_report = await compare(season.settings, "sales")
    finally:
        await booths.delete_one({"_id": "nowhere"})
        await booths.insert_one(before)
    assert sorted(discrepancies(rebuild_report)[2]) == sorted(
        [f"sales booths {before['_id']}: only rebuilt", "sales booths nowhere: only live"]
    )


async def test_the_command_shows_it_and_ends_with_1_when_something_differs(season: RunningSeason) -> None:
    env = environment(season.settings)
    good = await _karya(env, "rebuild", "inventory", "--json")
    assert (good.exit_code, json.loads(good.stdout)["ok"]) == (0, True)
    lots = season.mongo.database("inventory")["lots"]
    await lots.update_one({"_id": season.lots[0]}, {"$inc": {"on_hand": 1}})
    try:
        bad = await _karya(env, "rebuild", "inventory")
    finally:
        await lots.update_one({"_id": season.lots[0]}, {"$inc": {"on_hand": -1}})
    assert bad.exit_code == 1
    assert f"{season.lots[0]}: on_hand" in bad.output


async def test_a_rebuilt_database_with_a_name_of_its_own_is_kept_and_never_overwritten(season: RunningSeason) -> None:
    env = environment(season.settings)
    made = await _karya(env, "rebuild", "production", "--into", "audit")
    assert (made.exit_code, "is kept" in made.output) == (0, True), made.output
    live, rebuilt = season.mongo.database("production"), season.mongo.database("audit")
    for name in ("ledger", "lots", "reports"):
        assert await rebuilt[name].find({}).sort("_id").to_list(None) == await live[name].find({}).sort(
            "_id"
        ).to_list(None)
    again = await _karya(env, "rebuild", "production", "--into", "audit")
    assert isinstance(again.exception, NotEmpty)
    own = await _karya(env, "rebuild", "production", "--into", "sales")
    assert isinstance(own.exception, NotEmpty)


async def test_a_switch_is_refused_while_the_service_is_at_work(
    season: RunningSeason, run_service: RunService
) -> None:
    async with run_service("sales", settings=season.settings):
        with pytest.raises(ServiceRunning, match="at work"):
            await rebuild(season.settings, "sales", switching=True)
        busy = await _karya(environment(season.settings), "rebuild", "sales", "--switch")
        assert busy.exit_code == 2
        assert (await compare(season.settings, "sales")).ok


@pytest.mark.parametrize("service", ["production", "sales"])
async def test_a_lost_database_is_put_back_and_the_service_goes_on(
    season: RunningSeason, service: str, run_service: RunService
) -> None:
    live = season.mongo.database(service)
    before = {name: await live[name].find({}).to_list(None) for name in await live.list_collection_names()}
    await live.client.drop_database(live.name)
    rebuild_report = await rebuild(season.settings, service, switching=True, actor="op.kupang")
    assert rebuild_report.switched
    told = [body for body in await season.probe.bodies(OPERATOR, DatabaseSwitched) if body.original == service]
    assert told == [DatabaseSwitched(original=service, say_missing=False, actor="op.kupang")]
    for name in {*before, *await live.list_collection_names()}:
        assert sorted(await live[name].find({}).to_list(None), key=_id) == sorted(before.get(name, []), key=_id), name
    async with run_service(service, settings=season.settings):
        await season.say(TERMINAL, report(CLOTH, 3), f"after-{service}")
        await season.sell("B1.T1", f"late-{service}", None, 1)
        wanted = f"season after-{service}" if service == "production" else f"B1.T1 late-{service}"
        await eventually(lambda: live["ledger"].count_documents({"_id": wanted}), equals=1)
        assert (await compare(season.settings, service)).ok


async def test_a_switch_that_died_midway_keeps_the_service_out_and_can_be_repeated(
    season: RunningSeason, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = season.mongo.database("inventory")
    before = await live["lots"].find({}).to_list(None)
    await live["lots"].delete_many({})
    with monkeypatch.context() as patched:
        original = switching._copy

        async def lose_power(live: Any, rebuilt: Any, name: str) -> None:
            if name == "lots":
                raise ConnectionError("a power cut")
            await original(live, rebuilt, name)

        patched.setattr(switching, "_copy", lose_power)
        with pytest.raises(ConnectionError):
            await rebuild(season.settings, "inventory", switching=True)
    async with run_service("inventory", settings=season.settings, ready=False) as service:
        failures = await eventually(
            service.readiness_failures, until=lambda failures: any("switched" in failure for failure in failures)
        )
        assert all("karya rebuild --switch" in failure for failure in failures if failure.startswith("lane "))
    assert (await rebuild(season.settings, "inventory", switching=True)).switched
    assert sorted(await live["lots"].find({}).to_list(None), key=_id) == sorted(before, key=_id)
    assert (await compare(season.settings, "inventory")).ok


async def test_a_word_that_nothing_explains_is_found(season: RunningSeason) -> None:
    forged = FestivalCancelled(festival="ODOP", reason="")
    id = "00000000-0000-4000-8000-000000000001"
    await season.probe.send(FESTIVAL, forged, id=id, source="karya/festival")
    rebuild_report = await compare(season.settings, "festival")
    assert discrepancies(rebuild_report) == (
        [],
        [f"festival published {FESTIVAL.name} {id}, which the rules do not derive"],
        [],
    )


async def test_words_that_were_lost_are_found_and_said_after_a_switch(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        publish = Relay._publish

        async def publish_without_answers(self: Relay, page: Sequence[OutboxEntry]) -> None:
            await publish(self, [entry for entry in page if entry.record.topic != topic_name(settings, ANSWERS.name)])
            await self._store.delete_published([(entry.id, entry.id) for entry in page])

        patched.setattr(Relay, "_publish", publish_without_answers)
        async with run_service("production"):
            await catalogue_sown(mongo)  # else the reports wait, and nobody has answered them
            for n in range(3):
                await probe.send(TERMINAL, report(CLOTH, n + 1), id=f"r{n}")
            await _worked(mongo, "production", 3)
    assert await probe.records(ANSWERS) == []
    rebuild_report = await compare(settings, "production")
    assert [sentence.split()[3] for sentence in discrepancies(rebuild_report)[0]] == 3 * [ANSWERS.name]
    assert (rebuild_report.doubled, rebuild_report.mismatched) == ([], [])
    with pytest.raises(UnpublishedEvents, match="3 events"):
        await rebuild(settings, "production", switching=True)
    assert (await rebuild(settings, "production", switching=True, say_missing=True)).switched
    async with run_service("production"):
        await eventually(lambda: _count(probe, ANSWERS), equals=3)
    assert discrepancies(await compare(settings, "production")) == ([], [], [])


async def test_a_key_that_was_parked_by_a_bug_since_mended_is_rebuilt_as_it_was(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    facility, entry = SERVICES["production"]

    def decide_or_fail(state: State, event: Event) -> Decision:
        if getattr(event.body, "qty", 0) == 13:
            raise ZeroDivisionError
        return facility.decide(state, event)

    buggy = Service("production", [facility.with_decide(decide_or_fail), entry], settings)
    try:
        await buggy.start()
        # The catalogue has the facility's key too: it must not wait behind the bug.
        await catalogue_sown(mongo)
        for n, qty in enumerate((5, 13, 7)):
            await probe.send(TERMINAL, report(CLOTH, qty), id=f"r{n}")
        await _worked(mongo, "production", 1)
        await eventually(lambda: mongo.database("production")["parked"].count_documents({"events": {"$size": 2}}))
        async with dead_letters(settings) as letters:
            assert (await letters.replay(await letters.all(), 1.0, actor="operator")).still_open == 2
        await eventually(lambda: buggy.idle)
    finally:
        await buggy.stop()
    assert discrepancies(await compare(settings, "production")) == ([], [], [])
    async with run_service("production"):
        async with dead_letters(settings) as letters:
            await letters.replay(await letters.all(), 10.0, actor="operator")
        await _worked(mongo, "production", 3)
    rebuild_report = await compare(settings, "production")
    assert discrepancies(rebuild_report) == ([], [], [])


@pytest.mark.parametrize("eaten", [TERMINAL, journal("production"), ANSWERS], ids=lambda topic: topic.name)
async def test_without_its_history_nothing_is_rebuilt(stack: Stack, eaten: Topic, run_service: RunService) -> None:
    async with a_place(stack) as settings, a_probe(settings) as probe:
        mongo = Mongo(settings)
        try:
            async with run_service("production", settings=settings):
                await catalogue_sown(mongo)
                for n in range(3):
                    await probe.send(TERMINAL, report(CLOTH, n + 1), id=f"r{n}")
                await _worked(mongo, "production", 3)
            await _truncate(settings, eaten, await probe.records(eaten))
            before = await mongo.database("production")["lanes"].find({}).to_list(None)
            for also_switch in (False, True):
                with pytest.raises(HistoryTruncated, match=topic_name(settings, eaten.name)):
                    await rebuild(settings, "production", switching=also_switch)
            refused = await _karya(environment(settings), "rebuild", "production")
            assert isinstance(refused.exception, HistoryTruncated)
            assert "begins at offset" in str(refused.exception)
            assert await mongo.database("production")["lanes"].find({}).to_list(None) == before
        finally:
            await mongo.close()


async def test_a_database_that_knows_more_than_the_journal_is_not_switched(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    async with run_service("production"):
        await probe.send(TERMINAL, report(CLOTH, 1), id="r0")
        await _worked(mongo, "production", 1)
    await mongo.database("production")["lanes"].update_many({}, {"$inc": {"batches": 1}})
    with pytest.raises(HistoryTruncated, match="lost its end"):
        await rebuild(settings, "production", switching=True)


async def _worked(mongo: Mongo, service: str, events: int) -> None:
    database = mongo.database(service)
    # Production works more than what the test sends: the catalogue's seed, and what its own processors tell.
    sent = {"_id": {"$not": {"$regex": "^karya/(seed|production) "}}}
    await eventually(lambda: database["ledger"].count_documents(sent), equals=events)
    await eventually(lambda: database["outbox"].count_documents({}), equals=0)


async def _count(probe: Probe, topic: Topic) -> int:
    return len(await probe.records(topic))


async def _truncate(settings: Settings, topic: Topic, records: Sequence[Any]) -> None:
    """As retention does: all but the end of each partition."""
    ends: dict[TopicPartition, RecordsToDelete] = {}
    for record in records:
        ends[TopicPartition(record.topic, record.partition)] = RecordsToDelete(record.offset + 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.delete_records(ends, timeout_ms=10_000)
    finally:
        await admin.close()


async def _karya(env: dict[str, str], *arguments: str) -> Any:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=env)


def _id(document: Document) -> str:
    return str(document["_id"])
