"""The step against a real Kafka and a real MongoDB: nothing lost, nothing twice, nothing in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo.errors import AutoReconnect, OperationFailure

from services.inventory.handlers import LOT, PROCESSORS
from shared import envelope
from shared.errors import PartitionsDiffer
from shared.events.inventory import INVENTORY, STOCK_ORDERS
from shared.events.production import PRODUCTION
from shared.kafka import partition_for
from shared.mongo import Mongo, Session
from shared.runtime.batch import Item
from shared.runtime.service import Service
from shared.runtime.step import Step
from shared.runtime.storage import ChangeSet, Lane, OutboxEntry, OutboxRecord, RuntimeStore, to_outbox
from shared.settings import Settings
from tests.support import killed_at
from tests.support.lots import a_correction, a_lot, a_reservation, assert_is, the_model
from tests.support.model import all_published, documents
from tests.support.place import RunProcess, RunService, both_drivers
from tests.support.probe import Probe
from tests.support.running import end_open_transactions, forget_members
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@both_drivers
async def test_duplicates_and_redelivery_change_nothing(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    lots = [a_lot(n) for n in range(30)] + [a_correction(n) for n in range(0, 30, 3)]
    database = mongo.database("inventory")
    async with run_service("inventory"):
        await probe.send_all([*lots, *lots[::2]])
        await eventually(lambda: all_published(database, len(lots)), within=30)
    async with run_service("inventory"):
        await probe.send_all([*lots[::-1], a_lot(99)])
        await eventually(lambda: all_published(database, len(lots) + 1), within=30)
        await assert_is(await the_model(probe, PRODUCTION), probe, database)
    assert await probe.dlq(PRODUCTION) == []


@pytest.mark.parametrize(
    "worked_within",
    [pytest.param(60.0, id="goes on"), pytest.param(0.0, id="is fetched again", marks=pytest.mark.slow)],
)
async def test_what_can_not_be_decided_in_one_go_is_committed_as_far_as_it_was_and_the_rest(
    worked_within: float, probe: Probe, mongo: Mongo, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.step.DECIDED_WITHIN", 0.0)
    monkeypatch.setattr("shared.runtime.step.WORKED_WITHIN", worked_within)
    original, sizes = RuntimeStore.write, list[tuple[int, int]]()

    async def write(
        store: RuntimeStore, writes: ChangeSet, session: Session, fence: Mapping[int, Lane] | None
    ) -> None:
        sizes.append((len(writes.lanes), len(writes.ledger)))
        await original(store, writes, session, fence)

    monkeypatch.setattr(RuntimeStore, "write", write)
    lots = [a_lot(n) for n in range(6)] + [a_correction(n) for n in range(6)]
    await probe.send_all(lots)
    database = mongo.database("inventory")
    async with run_service("inventory"):
        await eventually(lambda: all_published(database, len(lots)), within=30)
        await assert_is(await the_model(probe, PRODUCTION), probe, database)
    assert sizes == [(1, 1)] * len(lots)


async def test_the_same_id_with_another_body_goes_to_the_dlq(
    probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    async with run_service("inventory"):
        await probe.send(PRODUCTION, a_lot(1, qty=10).body, id="e1")
        await probe.send(PRODUCTION, a_lot(1, qty=11).body, id="e1")
        [letter] = await eventually(lambda: probe.dlq(PRODUCTION))
    assert letter.reason == "ID_REUSED"
    lot = await mongo.database("inventory")["lots"].find_one({"_id": "L1"})
    assert lot is not None
    assert lot["on_hand"] == 10


@pytest.mark.parametrize(
    ("point", "settings"),
    [
        *(
            pytest.param(point, "pymongo", id=point, marks=() if point in killed_at.DIFFER_MOST else pytest.mark.slow)
            for point in killed_at.POINTS
        ),
        pytest.param("4a written, not committed", "motor", id="motor", marks=pytest.mark.slow),
    ],
    indirect=["settings"],
)
async def test_a_service_killed_between_two_parts_of_the_step_ends_as_if_undisturbed(
    point: str, settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService, service_process: RunProcess
) -> None:
    lots = [a_lot(n) for n in range(40)]
    orders = [a_reservation(n % 40, nth=n) for n in range(120)]
    database = mongo.database("inventory")
    small = settings.model_copy(update={"max_batch": 25})
    async with run_service("inventory"):
        await probe.send_all(lots)
        await eventually(lambda: all_published(database, len(lots)))
    await probe.send_all(orders)
    command = ("-m", "tests.support.killed_at", "inventory", point, "2")
    async with service_process("inventory", small, command=command, ready=False) as process:
        assert await process.ended() == -9, process.output
    await end_open_transactions(settings)
    await forget_members(settings)
    assert not await all_published(database, len(lots) + len(orders)), "it was killed too late to prove anything"
    async with run_service("inventory"):
        await eventually(lambda: all_published(database, len(lots) + len(orders)), within=40)
        await assert_is(await the_model(probe, PRODUCTION, STOCK_ORDERS), probe, database)


@both_drivers
async def test_bad_records_in_a_batch_of_good_ones_go_to_the_dlq_and_all_good_ones_are_worked(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    good = [a_lot(n) for n in range(12)]
    made = envelope.headers(id="x", source="probe", topic=PRODUCTION, body=good[0].body, time=envelope.EPOCH)
    value = envelope.encode(good[0].body)
    bad: dict[str, tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = {
        "null header": (b"L0", value, [("ce_id", None), *made[:1]]),
        "header that is no text": (b"L0", value, [("ce_id", b"\xff\xfe"), ("x", b"\xff")]),
        "tombstone": (b"L0", None, [*made]),
        "broken JSON": (b"L0", b'{"lot":', [*made]),
        "NaN": (b"L0", value.replace(b'"qty":10', b'"qty":NaN'), [*made]),
        "negative": (b"L0", value.replace(b'"qty":10', b'"qty":-1'), [*made]),
        "no headers": (b"L0", value, []),
        "null key": (None, value, [*made]),
        "unknown type": (b"L0", value, [(n, b"Lost.v1" if n == "ce_type" else v) for n, v in made]),
        "unknown version": (b"L0", value, [(n, b"LotRecorded.v9" if n == "ce_type" else v) for n, v in made]),
        "huge": (b"L0", b"x" * 1_000_000, [*made]),
    }
    partition = partition_for("L0", settings.partitions)
    for lot, (key, body, headers) in zip(good, bad.values(), strict=False):
        await probe.send_all([lot])
        await probe.send_raw(PRODUCTION, key=key, value=body, headers=headers, partition=partition)
    await probe.send_all(good[len(bad) :])
    database = mongo.database("inventory")
    async with run_service("inventory"):
        await eventually(lambda: all_published(database, len(good)))
        letters = await eventually(lambda: probe.dlq(PRODUCTION), until=lambda records: len(records) == len(bad))
    assert set((await documents(database, LOT))["lots"]) == {f"L{n}" for n in range(len(good))}
    originals = [(letter.record.key, letter.record.value, _own(letter.record.headers)) for letter in letters]
    for name, (key, body, headers) in bad.items():
        assert (key, body, headers) in originals, name
    assert all(letter.message for letter in letters)


def _own(headers: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    return [(name, value) for name, value in headers if not name.startswith("dlq_")]


async def test_a_record_in_a_partition_that_is_not_its_keys_goes_to_the_dlq(
    settings: Settings, probe: Probe, run_service: RunService
) -> None:
    lot = a_lot(1)
    wrong = (partition_for("L1", settings.partitions) + 1) % settings.partitions
    headers = envelope.headers(id="x", source="probe", topic=PRODUCTION, body=lot.body, time=envelope.EPOCH)
    await probe.send_raw(PRODUCTION, key=b"L1", value=envelope.encode(lot.body), headers=headers, partition=wrong)
    async with run_service("inventory"):
        [letter] = await eventually(lambda: probe.dlq(PRODUCTION))
    assert letter.reason == "WRONG_KEY"


async def test_a_record_that_failed_is_handled_though_a_later_one_succeeded_and_the_service_restarted(
    probe: Probe, mongo: Mongo, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failures = Step._attempt, 0
    tried = set[str]()

    async def failing(step: Step, items: dict[int, list[Item]]) -> object:
        nonlocal failures
        lots = {item.event.key for run in items.values() for item in run if item.event is not None}
        try:
            if "L1" in lots:
                failures += 1
                raise AutoReconnect("made up for a test")
            return await original(step, items)
        finally:
            tried.update(lots)

    monkeypatch.setattr(Step, "_attempt", failing)
    monkeypatch.setattr("shared.runtime.step.RETRY_WITHIN", 0.1)
    database = mongo.database("inventory")
    other = next(n for n in range(2, 99) if partition_for(f"L{n}", 3) != partition_for("L1", 3))
    same = next(n for n in range(2, 99) if partition_for(f"L{n}", 3) == partition_for("L1", 3))
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: failures > 2)
        await probe.send_all([a_lot(other), a_lot(same)])
        await eventually(lambda: database["ledger"].count_documents({"_id": f"probe lot-{other}"}), equals=1)
        # The service must have had the chance to pass over the one that failed.
        await eventually(lambda: f"L{same}" in tried)
    monkeypatch.setattr(Step, "_attempt", original)
    async with run_service("inventory"):
        await eventually(lambda: all_published(database, 3))
        await assert_is(await the_model(probe, PRODUCTION), probe, database)


async def test_a_transaction_that_lands_after_the_recovery_is_said_though_its_lane_has_no_new_record(
    probe: Probe, mongo: Mongo, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.left_pages.LOOK_SECONDS", 0.2)
    store = RuntimeStore(database := mongo.database("inventory"))
    partition = partition_for("L1", 3)
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: all_published(database, 1))
        [heard] = await probe.records(INVENTORY)
        fence = await store.lanes(LOT.group, [partition])
        changes = ChangeSet({partition: replace(fence[partition], batches=fence[partition].batches + 1)})
        changes.send(partition, [OutboxRecord(heard.topic, None, b"late", b"{}", [])])
        async with mongo.transaction() as session:
            await store.write(changes, session, fence)
        await eventually(lambda: database["outbox"].count_documents({}), equals=0)
        assert [record.key for record in await probe.records(INVENTORY)].count(b"late") == 1
        await probe.send_all([a_correction(1)])
        await eventually(lambda: all_published(database, 2))
    assert (await store.lanes(LOT.group, [partition]))[partition].batches == changes.lanes[partition].batches + 1


@pytest.mark.parametrize("unsaid", [True, False], ids=["unsaid", "said"])
async def test_a_lane_that_somebody_else_has_moved_is_not_worked_from_old_knowledge(
    probe: Probe, mongo: Mongo, run_service: RunService, unsaid: bool
) -> None:
    database = mongo.database("inventory")
    lane = f"{LOT.group}/{partition_for('L1', 3):03d}"
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: all_published(database, 1))
        # A zombie's transaction: it wrote the lane and has something to say, which it has said or never said.
        document = await database["lanes"].find_one({"_id": lane})
        assert document is not None
        word = OutboxRecord((await probe.records(INVENTORY))[0].topic, None, b"zombie", b"{}", [])
        [entry_document] = to_outbox([OutboxEntry(lane, document["next_out"], word)])
        if unsaid:
            await database["outbox"].insert_one(entry_document)
        moved = {"next_out": document["next_out"] + 1, "batches": document["batches"] + 1}
        await database["lanes"].replace_one({"_id": lane}, {**document, **moved})
        await probe.send_all([a_correction(1)])
        await eventually(lambda: all_published(database, 2))
        now = await database["lanes"].find_one({"_id": lane})
    assert now is not None
    assert now["batches"] == moved["batches"] + 1, "two batches of one number: a journal that no replay understands"
    lot = (await documents(database, LOT))["lots"]["L1"]
    assert lot["on_hand"] == 9
    keys = [record.key for record in await probe.records(INVENTORY)]
    assert keys == [b"L1", *[b"zombie"] * unsaid, b"L1"], "what the zombie left must be said first"


async def test_a_batch_that_meets_a_write_conflict_is_worked_again(
    probe: Probe, mongo: Mongo, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, conflicts = RuntimeStore.write, 0

    async def count_conflicts(
        store: RuntimeStore, writes: ChangeSet, session: Session, fence: Mapping[int, Lane] | None
    ) -> None:
        nonlocal conflicts
        try:
            await original(store, writes, session, fence)
        except OperationFailure:
            conflicts += 1
            raise

    monkeypatch.setattr(RuntimeStore, "write", count_conflicts)
    database = mongo.database("inventory")
    lane = f"{LOT.group}/{partition_for('L1', 3):03d}"
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: all_published(database, 1))
        async with mongo.transaction() as session:
            await database["lanes"].update_one({"_id": lane}, {"$set": {"made_up": 1}}, session=session)
            await probe.send_all([a_correction(1)])
            await eventually(lambda: conflicts > 0)
            await session.abort_transaction()
        await probe.send_all([a_reservation(1)])
        await eventually(lambda: all_published(database, 3))
        lot = (await documents(database, LOT))["lots"]["L1"]
    assert (lot["on_hand"], lot["corrected"]) == (6, -1)


async def test_a_lane_beyond_the_log_stops_and_says_so(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    database = mongo.database("inventory")
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: all_published(database, 1))
    lane = f"{LOT.group}/{partition_for('L1', 3):03d}"
    document = await database["lanes"].find_one({"_id": lane})
    assert document is not None
    for entry in document["offsets"]:
        entry["next"] += 100
    await database["lanes"].replace_one({"_id": lane}, document)
    async with run_service("inventory", ready=False) as service:
        troubles = await eventually(
            service.readiness_failures, until=lambda failures: any("made anew" in failure for failure in failures)
        )
        assert len([trouble for trouble in troubles if "lane" in trouble]) >= 1


async def test_a_lane_of_another_cluster_stops_and_says_so(
    probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    database = mongo.database("inventory")
    async with run_service("inventory"):
        await probe.send_all([a_lot(1)])
        await eventually(lambda: all_published(database, 1))
    lane = f"{LOT.group}/{partition_for('L1', 3):03d}"
    await database["lanes"].update_one({"_id": lane}, {"$set": {"cluster": "another"}})
    async with run_service("inventory", ready=False) as service:
        await eventually(
            service.readiness_failures,
            until=lambda failures: any("cluster another" in failure for failure in failures),
        )


async def test_a_service_refuses_topics_with_unequal_partitions(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    prefix = f"{settings.topic_prefix}unequal."
    try:
        await admin.create_topics(
            [NewTopic(prefix + PRODUCTION.name, 2, 1), NewTopic(prefix + STOCK_ORDERS.name, 3, 1)]
        )
    finally:
        await admin.close()
    service = Service("inventory", PROCESSORS, settings.model_copy(update={"topic_prefix": prefix}))
    with pytest.raises(PartitionsDiffer, match=r"production\.v1: 2"):
        await service.start()
    await service.stop()


async def test_a_service_stops_in_order_on_sigterm(
    settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess, tmp_path: Path
) -> None:
    database = mongo.database("inventory")
    async with service_process("inventory", settings) as process:
        await probe.send_all([a_lot(n) for n in range(20)])
        await eventually(lambda: all_published(database, 20))
        assert await process.stop() == 0, process.output
