"""Dead letters as an operator meets them: listed with their reason, shown, and sent back until nothing waits."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import date

import pytest
from typer.testing import CliRunner, Result

from cli.dlq import app
from deploy.local.services import environment
from services.inventory.handlers import LOT
from shared import envelope
from shared.events.inventory import INVENTORY, STOCK_ORDERS
from shared.events.operator import OPERATOR, LetterReplayed
from shared.events.production import PRODUCTION, TERMINAL, ProductionReported
from shared.kafka import partition_for
from shared.mongo import Mongo
from shared.runtime.processor import Decide, Decision
from shared.settings import Settings
from tests.support.lots import a_correction, a_lot, a_reservation, assert_is, the_model
from tests.support.model import documents
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.undisturbed import all_worked
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

Karya = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
def karya_dlq(settings: Settings) -> Karya:
    """`await karya_dlq("list", "--json")`, as from a shell."""

    def run(*words: str) -> "asyncio.Future[Result]":
        call = CliRunner(env=environment(settings)).invoke
        return asyncio.ensure_future(asyncio.to_thread(call, app, list(words)))

    return run


def json_output(result: Result) -> Sequence[dict[str, object]]:
    assert result.exit_code == 0, result.output
    documents: list[dict[str, object]] = json.loads(result.stdout)
    return documents


def failing(decide: Decide, *ids: str) -> Decide:
    """The rules with a bug that these events meet."""

    def with_bug(state: object, event: object) -> Decision:
        if event.id in ids:  # type: ignore[attr-defined]
            raise ZeroDivisionError("made up for a test")
        return decide(state, event)  # type: ignore[arg-type]

    return with_bug


async def test_a_parked_key_is_replayed_in_order_and_twice_is_as_good_as_once(
    settings: Settings,
    probe: Probe,
    mongo: Mongo,
    run_service: RunService,
    karya_dlq: Karya,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = mongo.database("inventory")
    # Two topics of one key: their order among themselves must come out as it was when they were parked.
    parked = [a_correction(1), a_reservation(1, qty=4, nth=0), a_reservation(1, qty=3, nth=1)]
    right, wrong = LOT.decide, failing(LOT.decide, "correction-1")
    async with run_service("inventory"):
        await probe.send_all([a_lot(1), a_lot(2)])
        await eventually(lambda: all_worked("inventory", settings, probe, database))
    _patch(monkeypatch, wrong)
    async with run_service("inventory") as service:
        for record in parked:
            await probe.send_all([record])
            await eventually(lambda: all_worked("inventory", settings, probe, database))
        await probe.send_all([a_reservation(2)])  # another key goes on
        await eventually(lambda: all_worked("inventory", settings, probe, database))
        letters = json_output(await karya_dlq("list", "--json"))
        assert [(letter["reason"], letter["status"], letter["key"]) for letter in letters] == [
            ("BUG", "open", "L1"),
            ("KEY_PARKED", "open", "L1"),
            ("KEY_PARKED", "open", "L1"),
        ]
        assert await ids_worked(mongo) == {"probe lot-1", "probe lot-2", "probe reservation-2.0"}
        # As operators see it over HTTP: nothing waits to be worked, and one key waits for its letter.
        assert {records for _, _, records in await service.waiting()} == {0}
        assert [(key, events) for _, key, events in await service.store.first_parked(9)] == [("L1", 3)]
        assert await service.store.count_parked() == 1
        still = await karya_dlq("replay", "L1", "--wait", "2")
        assert still.exit_code == 1, "the bug is still there"
        assert "3 still wait" in still.output
        assert len(json_output(await karya_dlq("list", "--json"))) == 3, "no second letter for the same event"
    _patch(monkeypatch, right)
    async with run_service("inventory"):
        first = await karya_dlq("replay", "L1", "--json")
        assert (first.exit_code, json.loads(first.stdout)["still_open"]) == (0, 0), first.output
        again = await karya_dlq("replay", "L1")
        assert (again.exit_code, again.stdout) == (0, "No letter waits: all of them were worked.\n")
        await eventually(lambda: all_worked("inventory", settings, probe, database))
        assert await database["parked"].count_documents({}) == 0
        assert json_output(await karya_dlq("list", "--json")) == []
        assert {letter["status"] for letter in json_output(await karya_dlq("list", "--all", "--json"))} == {"worked"}
    # As if nothing had ever been wrong: the correction first, though it came back last to its topic.
    await assert_is(await the_model(probe, PRODUCTION, STOCK_ORDERS), probe, database)
    lot = (await documents(database, LOT))["lots"]["L1"]
    assert (lot["on_hand"], [r["id"] for r in lot["reservations"]]) == (2, ["r1.0", "r1.1"])
    assert len({h.event.id for h in await probe.read_all(INVENTORY) if h.event.key == "L1"}) == 4


async def test_what_nobody_can_use_is_listed_and_shown_with_its_reason_and_can_be_sent_back(
    settings: Settings, probe: Probe, run_service: RunService, karya_dlq: Karya
) -> None:
    lot = a_lot(1)
    headers = envelope.headers(id="x", source="probe", topic=PRODUCTION, body=lot.body, time=envelope.EPOCH)
    elsewhere = (partition_for("L1", settings.partitions) + 1) % settings.partitions
    value = envelope.encode(lot.body)
    async with run_service("inventory"):
        await probe.send_raw(PRODUCTION, key=b"L1", value=value, headers=headers, partition=elsewhere)
        await probe.send_raw(PRODUCTION, key=b"L1", value=b'{"lot":\x1b[31m', headers=[*headers, ("x", None)])
        await probe.send_raw(PRODUCTION, key=b"L1", value=b"\xff\xfe", headers=headers)
        await eventually(lambda: probe.dlq(PRODUCTION), until=lambda letters: len(letters) == 3)
        listed = json_output(await karya_dlq("list", "--service", "inventory", "--json"))
        assert sorted((letter["reason"], letter["status"]) for letter in listed) == [
            ("BAD_BODY", "unusable"),
            ("BAD_BODY", "unusable"),
            ("WRONG_KEY", "unusable"),
        ]
        assert json_output(await karya_dlq("list", "--service", "sales", "--json")) == []
        table = (await karya_dlq("list", "--reason", "WRONG_KEY")).stdout
        assert "not in the partition that its key belongs to" in table
        assert str(next(letter["letter"] for letter in listed if letter["reason"] == "WRONG_KEY")) in table
        printed = [(await karya_dlq("show", str(letter["letter"]), "--json")).stdout for letter in listed]
        letters = [json.loads(text) for text in printed]
        assert {letter["value"] for letter in letters} == {value.decode(), '{"lot":\x1b[31m', "0xfffe"}
        steering = next(letter for letter in letters if "\x1b" in letter["value"])
        assert ["x", None] in steering["headers"]
        printed.append((await karya_dlq("show", str(steering["letter"]))).stdout)
        assert r'value: {"lot":\x1b[31m' in printed[-1]
        assert "\x1b" not in "".join(printed)
        assert (await karya_dlq("show", "karya.production.v1/0/999")).exit_code == 1
        # Back to its key's own partition, where it belongs: now it is worked, and the letter with it.
        [wrong] = [str(letter["letter"]) for letter in listed if letter["reason"] == "WRONG_KEY"]
        assert (await karya_dlq("replay", wrong)).exit_code == 0

        async def statuses() -> set[tuple[object, object]]:
            return {
                (letter["reason"], letter["status"])
                for letter in json_output(await karya_dlq("list", "--all", "--json"))
            }

        await eventually(statuses, equals={("BAD_BODY", "unusable"), ("WRONG_KEY", "worked")}, within=30)
        # Bad ones come back as they went, and stay one line each.
        for times in (2, 3):
            replayed = await karya_dlq("replay", "--reason", "BAD_BODY")
            assert (replayed.exit_code, "2 are still unusable" in replayed.output) == (1, True), replayed.output
            await eventually(
                lambda: probe.dlq(PRODUCTION),
                until=lambda records, n=times: len(records) == 1 + 2 * n,  # type: ignore[misc]
            )
            bad = json_output(await karya_dlq("list", "--reason", "BAD_BODY", "--json"))
            assert [letter["times"] for letter in bad] == [times, times]


async def test_a_value_that_may_hold_a_makers_pseudonym_is_shown_only_to_who_asks_for_it(
    settings: Settings, probe: Probe, run_service: RunService, karya_dlq: Karya
) -> None:
    body = ProductionReported(
        facility="LP-KPG", terminal="LP-KPG.T1", product="KRJ", qty=1, made_on=date(2026, 4, 1), maker="p.SECRET"
    )
    headers = envelope.headers(id="x", source="probe", topic=TERMINAL, body=body, time=envelope.EPOCH)
    async with run_service("production"):
        await probe.send_raw(TERMINAL, key=b"RT-KPG", value=envelope.encode(body), headers=headers)
        await eventually(lambda: probe.dlq(TERMINAL))
    [listed] = json_output(await karya_dlq("list", "--json"))
    assert "p.SECRET" not in json.dumps(listed)
    for words in ([], ["--json"]):
        hidden = await karya_dlq("show", str(listed["letter"]), *words)
        assert (hidden.exit_code, "p.SECRET" in hidden.output) == (0, False)
    assert "p.SECRET" in (await karya_dlq("show", str(listed["letter"]), "--value")).output


def _patch(monkeypatch: pytest.MonkeyPatch, decide: Decide) -> None:
    monkeypatch.setattr("services.inventory.handlers.PROCESSORS", (LOT.with_decide(decide),))


async def ids_worked(mongo: Mongo) -> set[str]:
    return {entry["_id"] for entry in await mongo.database("inventory")["ledger"].find({}).to_list(None)}


async def test_a_forged_letter_is_sent_nowhere_and_a_replay_is_told(
    settings: Settings, probe: Probe, run_service: RunService, karya_dlq: Karya
) -> None:
    lot = a_lot(1)
    headers = envelope.headers(id="x", source="probe", topic=PRODUCTION, body=lot.body, time=envelope.EPOCH)
    async with run_service("inventory"):
        await probe.send_raw(PRODUCTION, key=b"L1", value=b"{}", headers=headers)
        [real] = await eventually(lambda: probe.dlq(PRODUCTION), until=lambda letters: len(letters) == 1)
        # What inventory could write, though it may not write production's topic.
        forged = envelope.encode(lot.body)
        for value, more, changes in (
            (forged, [], {}),
            (forged, [], {"dlq_reason": b"BUG"}),
            (b"{}", [("actor", b"s-abcdefghijklmnop")], {}),
            (b"{}", [("x", None)], {"dlq_offset": b"999999"}),
        ):
            marks = [(name, changes.get(name, old)) for name, old in real.record.headers if name.startswith("dlq_")]
            await probe.send_raw(PRODUCTION.dlq, key=b"L1", value=value, headers=[*headers, *more, *marks])
        for words in (["--reason", "BAD_BODY"], ["L1"]):
            replayed = await karya_dlq("replay", *words, "--without-original", "--as", "op.kupang", "--wait", "5")
            assert replayed.exit_code == 1
            assert "is not the record that it names" in replayed.stderr
        # The real one alone went back, and came again.
        found = await eventually(lambda: probe.records(PRODUCTION), until=lambda records: len(records) == 2)
        assert [(record.value, list(record.headers)) for record in found] == [(b"{}", headers)] * 2
        [told] = [event.body for event in await probe.read_all(OPERATOR)]
        assert isinstance(told, LetterReplayed)
        assert (told.original, told.actor, told.compared) == (
            f"{PRODUCTION.name}/{real.partition}/{real.offset}",
            "op.kupang",
            True,
        )
