"""`verify` on a season that four real services have played: green as it is, and red for whatever is broken."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from deploy.local.services import environment
from deploy.stack import Stack
from ops.verify import Observation, verify
from shared import envelope
from shared.envelope import digest
from shared.events.festival import FESTIVAL, FestivalCancelled
from shared.events.language import Body, Topic
from shared.events.production import ANSWERS, ReportAccepted
from shared.events.sales import (
    DEMAND,
    PUBLIC_SALES,
    SALES,
    SETTLEMENTS,
    DemandSignalled,
    SaleAccounted,
    SalePublished,
    SettlementCorrected,
)
from shared.mongo import Document, Mongo
from shared.settings import Settings
from tests.support.running import run_service
from tests.support.season import (
    B1,
    B2,
    CLOTH,
    KEEPER,
    KEPT_KEY,
    LEAVING,
    LOST_KEY,
    MADE_WRONG,
    MAKERS,
    ORGANISING,
    SERVICES,
    STRANGER,
    STRAY,
    T1,
    UNMOVED,
    UNMOVED_TILL,
    WRONG,
    RunningSeason,
    finished_season,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with finished_season(stack) as season:
        yield season


@pytest.fixture(scope="module")
def settings(season: RunningSeason) -> Settings:
    return season.settings


@pytest.fixture(scope="module")
def mongo(season: RunningSeason) -> Mongo:
    return season.mongo


async def test_a_season_that_went_well_has_nothing_broken(season: RunningSeason, settings: Settings) -> None:
    report = await verify(settings, within=20)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    assert report.ok
    idle = {check.name for check in report.checks if not check.looked_at}
    assert idle == {"parked keys"}, "a check that looks at nothing proves nothing"
    [strays] = [check for check in report.checks if check.name == "strays"]
    assert f"booth {UNMOVED} was never opened by festival: 1 receipts of {UNMOVED_TILL}" in strays.notes
    assert not any(f"booth {STRAY} " in note for note in strays.notes)
    assert json.loads(json.dumps(report.as_dict()))["ok"]


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is changed behind the services' backs: in a document that fits `where` (or without `change`
    the document is deleted, or with `new` one is added)."""

    check: str
    service: str
    collection: str
    where: Document = field(default_factory=dict)
    change: Document | Callable[[Document], None] | None = None
    new: Document | None = None

    async def apply(self, mongo: Mongo) -> None:
        documents = mongo.database(self.service)[self.collection]
        if self.new is not None:
            await documents.insert_one(self.new)
        elif callable(self.change):
            document = await documents.find_one(self.where)
            assert document is not None
            self.change(document)
            await documents.replace_one({"_id": document["_id"]}, document)
        elif self.change is not None:
            assert (await documents.update_one(self.where, self.change)).modified_count == 1
        else:
            assert (await documents.delete_one(self.where)).deleted_count == 1

    def __str__(self) -> str:
        how = "added" if self.new is not None else "changed" if self.change is not None else "deleted"
        return f"{self.check}: {self.service} {self.collection} {how}"


SOME = {"reservations.0": {"$exists": True}}
EARLY = {
    "receipt": "never-heard",
    "line": 1,
    "qty": 1,
    "till": T1,
    "device": "D",
    "drawer": "D",
    "refund": "cash",
    "voided_at": datetime(2026, 1, 1, tzinfo=UTC),
}
HELD = {"id": "ODOP/R1.99", "festival": "ODOP", "request": "R1", "booth": B1, "qty": 1, "standing": "held"}
SALE = {"receipt": "sale-1"}
BASKET = {"receipt": "sale-2"}


def clear_withdrawn(booth: Document) -> None:
    assert any(lot["withdrawn"] for lot in booth["lots"])
    for lot in booth["lots"]:
        lot["withdrawn"] = None


def withdrawn_without_a_recall(booth: Document) -> None:
    lot = next(lot for lot in booth["lots"] if lot["withdrawn"] is None and lot.get("stocked", lot.get("received")))
    lot["withdrawn"] = "nobody recalled it"


def oversell(booth: Document) -> None:
    lot = next(lot for lot in booth["lots"] if lot["label_qty"] or lot["pool_qty"])
    lot["label_qty"] = lot["stocked"] - lot["pool_qty"] + 1


def clear_final_count(booth: Document) -> None:
    """As if no final count had moved anything."""
    assert any(lot["final"] for lot in booth["lots"])
    for lot in booth["lots"]:
        lot["final"] = None


def flip_provisional(settlement: Document) -> None:
    """As if no final count stood behind what is counted, or one behind what is not."""
    pools = settlement["booths"][0]["pools"]
    pools[0][3] = not pools[0][3]


def overreturn(booth: Document) -> None:
    booth["lots"][0]["returned"] = booth["lots"][0]["received"] + 1


BROKEN = [
    Broken("lot balance", "inventory", "lots", SOME, {"$inc": {"on_hand": -1}}),
    Broken("lot balance", "inventory", "lots", SOME, {"$inc": {"on_hand": -500, "written_off": 500}}),
    Broken("balances said", "inventory", "lots", SOME, {"$inc": {"revision": 1}}),
    Broken("lots arrived", "production", "lots", {}, {"$inc": {"corrected": 1}}),
    Broken("lots arrived", "inventory", "lots", {"recalled": True}, {"$set": {"recalled": False}}),
    Broken("lots arrived", "inventory", "lots", {"withdrawn": True}, {"$set": {"withdrawn": False}}),
    Broken("lot balance", "inventory", "lots", SOME, {"$set": {"withdrawn": True}}),
    Broken("reports and lots", "production", "reports", {"kind": "lift"}, {"$set": {"outcome": "rejected"}}),
    Broken("reports and lots", "production", "reports", {"kind": "withdrawal"}, {"$set": {"outcome": "rejected"}}),
    Broken("recalls", "festival", "booths", {"_id": B1}, withdrawn_without_a_recall),
    Broken("recalls at booths", "sales", "booths", {"_id": B1}, withdrawn_without_a_recall),
    Broken("lots arrived", "production", "lots"),
    Broken("stock views", "festival", "stock", {}, {"$inc": {"on_hand": 1}}),
    Broken("reservations", "inventory", "lots", SOME, {"$set": {"reservations.0.standing": "released"}}),
    Broken("reservations", "inventory", "lots", SOME, {"$inc": {"reservations.0.qty": 1}}),
    Broken("reservations", "festival", "plan_lines", {}, {"$set": {"lines.0.status": "asked"}}),
    Broken("answers to orders", "inventory", "lots", SOME, {"$push": {"reservations": HELD}}),
    Broken("sent", "festival", "booths", {}, {"$inc": {"lots.0.in_transit": 1}}),
    Broken("sent", "festival", "booths", {}, {"$inc": {"lots.0.received": -1}}),
    Broken("lost on the way", "festival", "plan_lines", {}, {"$inc": {"lines.0.lost": 1}}),
    Broken("lost on the way", "festival", "shipments", {}, {"$inc": {"stocked.0.qty": -1}}),
    Broken("counted in", "festival", "booths", {"_id": B2}, {"$inc": {"lots.0.found": 1}}),
    Broken("counted in", "festival", "shipments", {"recounts": 1}, {"$inc": {"stocked.0.qty": 1}}),
    Broken("counted in", "inventory", "lots", {"finds.0": {"$exists": True}}, {"$inc": {"finds.0.qty": 1}}),
    Broken("revisions", "festival", "plan_lines", {}, {"$set": {"lines.0.status": "proposed"}}),
    Broken("pages of lines", "festival", "plan_lines", {}, {"$set": {"lines.0.status": "proposed"}}),
    Broken("pages of lines", "festival", "plan_lines"),
    Broken("pages of lines", "festival", "plan_terms"),
    Broken("pages of lines", "festival", "requests", {}, {"$inc": {"asked": 1}}),
    Broken("pages of lines", "festival", "requests", {}, {"$inc": {"stranded": 1}}),
    Broken("revisions", "festival", "requests", {}, {"$set": {"revising": True}}),
    Broken("sent", "festival", "transfers", {}, {"$inc": {"sent.0.qty": 1}}),
    Broken("sent", "festival", "transfers", {}, {"$set": {"status": "sent"}}),
    Broken("sent", "festival", "booths", {"_id": B2}, {"$inc": {"lots.0.moved_out": 1}}),
    Broken("home and lost", "festival", "booths", {}, {"$inc": {"lots.0.returned": 1}}),
    Broken("home and lost", "inventory", "lots", {"written_off": 2}, {"$inc": {"written_off": 1}}),
    Broken("home and lost", "festival", "commands", {"name": "RecordLoss"}, {"$set": {"outcome": "waiting"}}),
    Broken("recalls", "festival", "booths", {"_id": B1}, clear_withdrawn),
    Broken("recalls", "inventory", "lots", {"recalled": True}, {"$push": {"reservations": HELD}}),
    Broken("booth stock", "sales", "booths", {"_id": B1}, {"$inc": {"lots.0.stocked": 1}}),
    Broken("booth stock", "sales", "booths", {"_id": B1}, {"$set": {"tills": ["other"]}}),
    Broken("booth stock", "sales", "booths", {"_id": B1}, {"$set": {"opening": 1}}),
    Broken("booth stock", "festival", "booths", {"_id": B1}, {"$set": {"reopening": "nobody"}}),
    Broken("booth stock", "sales", "booths", {"_id": B1}, {"$inc": {"lots.0.moved": 1}}),
    Broken("booth stock", "sales", "booths", {"_id": B2}, {"$inc": {"lots.0.recount": 1}}),
    Broken("sold so far", "festival", "paces", {"_id": B1}, {"$inc": {"sold.0.qty": 1}}),
    Broken("sold so far", "festival", "paces", {"_id": B1}),
    Broken("sold so far", "sales", "booths", {"_id": B1}, {"$inc": {"so_far.revision": 1}}),
    Broken("sell-through", "festival", "booths", {"sold.0": {"$exists": True}}, {"$inc": {"sold.0.qty": 1}}),
    Broken("sell-through", "sales", "booths", {"_id": B1}, {"$inc": {"revision": 1}}),
    Broken("stock sold", "sales", "receipts", SALE),
    Broken("stock sold", "sales", "booths", {"_id": B2}, {"$inc": {"lots.0.label_qty": 1}}),
    Broken("stock sold", "sales", "booths", {"_id": B2}, {"$set": {"lots.0.lost": -1}}),
    Broken("unlabelled sales", "sales", "receipts", BASKET),
    Broken("unlabelled sales", "sales", "booths", {"_id": B1}, {"$inc": {"pools.0.qty": 1}}),
    Broken("unlabelled sales", "sales", "booths", {"_id": B1}, clear_final_count),
    Broken("credited", "sales", "booths", {"_id": B2}, oversell),
    Broken("returns", "festival", "booths", {"_id": B2}, overreturn),
    Broken("returns", "festival", "booths", {"_id": B2}, {"$set": {"lots.0.returning": 1000}}),
    Broken("reported sales", "sales", "receipts", SALE),
    Broken("reported sales", "sales", "receipts", SALE, {"$inc": {"sales.0.unit_price_rupiah": 1}}),
    Broken("reported sales", "sales", "booths", {"_id": B1}, {"$set": {"waiting": ["sale-1"]}}),
    Broken("sales in parts", "sales", "receipts", SALE, {"$inc": {"sales.0.voided": 1}}),
    Broken("sales said", "sales", "receipts", SALE, {"$inc": {"sales.0.revision": 1}}),
    Broken("sales said", "sales", "receipts", SALE, {"$set": {"sales.0.parts": []}}),
    Broken("voids", "sales", "booths", {"_id": B1}, {"$push": {"early_voids": EARLY}}),
    Broken("cash", "sales", "booths", {"_id": B1}, {"$set": {"drawers.0.takings": []}}),
    Broken("cash", "sales", "booths", {"_id": B1}, {"$set": {"drawers.0.counted_rupiah": 1}}),
    Broken("devices", "sales", "booths", {"_id": B1}, {"$set": {"devices.0.branches.0.last_seq": 99}}),
    Broken("devices", "sales", "booths", {"_id": B1}, {"$set": {"devices": []}}),
    Broken("kept records", "sales", "kept_records", {"booth": UNMOVED}),
    Broken("kept records", "sales", "kept_records", {"booth": STRAY}, {"$set": {"booth": UNMOVED}}),
    Broken("shares", "sales", "receipts", SALE, {"$set": {"sales.0.parts": []}}),
    Broken("recalls at booths", "sales", "booths", {"_id": B1}, clear_withdrawn),
    Broken("settlements", "sales", "settlements", {}, {"$inc": {"booths.0.sold_rupiah": 1}}),
    Broken("settlements", "sales", "settlements"),
    Broken("settlements", "sales", "settlements", {"booths.0.pools.0": {"$exists": True}}, flip_provisional),
    Broken("settlements", "sales", "receipts", SALE, {"$inc": {"sales.0.net_rupiah": 9}}),
    Broken("settlements said", "sales", "settlements", {}, {"$inc": {"booths.0.sold_rupiah": 1}}),
    Broken("settlements said", "sales", "settlements", {}, {"$inc": {"revision": 1}}),
    Broken("demand", "sales", "demand", {}, {"$inc": {"revision": 1}}),
    Broken("demand", "sales", "demand", {}, {"$inc": {"booths.0.lines.0.sold": 1}}),
    Broken("demand", "sales", "demand", {}, {"$set": {"booths.0.lines": None}}),
    Broken("demand", "sales", "demand"),
    Broken("demand", "sales", "receipts", SALE),
    Broken("public stream", "sales", "receipts", SALE),
    Broken("public stream", "sales", "feeds", {}, {"$inc": {"sequence": 1}}),
    Broken("answers to terminals", "production", "reports"),
    Broken("answers to terminals", "production", "reports", {"kind": "correction"}, {"$set": {"outcome": "waiting"}}),
    Broken("answers to terminals", "production", "waiting_reports", {}, {"$set": {"waits_at": CLOTH}}),
    Broken("catalogue", "production", "facility_catalogues", {}, {"$inc": {"revision": 1}}),
    Broken("catalogue", "production", "facility_catalogues", {"_id": CLOTH}, {"$inc": {"products.0.revision": -1}}),
    Broken("catalogue", "production", "entry_revisions"),
    Broken("reports and lots", "production", "lots", {}, {"$set": {"report": "another"}}),
    Broken("reports and lots", "production", "lots"),
    Broken("reports and lots", "production", "lots", {}, {"$inc": {"corrected": 1}}),
    Broken("roles", "identity", "accounts", {"_id": KEEPER}, {"$set": {"roles": []}}),
    Broken("roles", "identity", "accounts", {"_id": LEAVING}, {"$set": {"closed_at": None}}),
    Broken("roles", "identity", "accounts", {"_id": ORGANISING}, {"$set": {"credential": "c-old"}}),
    Broken("roles", "identity", "accounts"),
    Broken("enrolments", "identity", "devices", {"_id": KEPT_KEY.device}, {"$set": {"scope": "ODOP.B2"}}),
    Broken("enrolments", "identity", "devices", {"_id": LOST_KEY.device}, {"$set": {"revoked_at": None}}),
    Broken("enrolments", "identity", "devices"),
    Broken("news", "gateway", "facility_news"),
    Broken("news", "gateway", "booth_news"),
    Broken("held", "gateway", "held_records", {"record": "lost-3"}),
    Broken("held", "gateway", "held_records", {"record": "lost-1"}, {"$set": {"status": "held"}}),
    *(Broken("records", service, "ledger") for service in SERVICES),
    Broken("records", "sales", "ledger", {}, {"$set": {"digest": b"0123456789abcdef"}}),
    Broken(
        "records", "sales", "ledger", new={"_id": "a b", "digest": b"", "lane": "karya.sales.booth/000", "batch": 1}
    ),
    Broken("writers", "sales", "ledger", {"_id": f"{T1} sale-1"}),
    Broken("writers", "production", "ledger", {"_id": "season made-0"}),
    Broken("journals", "inventory", "lanes", {}, {"$inc": {"batches": 1}}),
    Broken("documents", "inventory", "lots", {}, {"$unset": {"on_hand": 1}}),
    Broken("documents", "sales", "receipts", {}, {"$set": {"payment": "shells"}}),
    *(Broken("privacy", service, "notes", new={"who": f"made by {MAKERS[0]}"}) for service in SERVICES[1:]),
    Broken("privacy", "festival", "booths", {}, {"$set": {"name": STRANGER}}),
    # The record itself beside its mended copy: the same goods twice.
    Broken(
        "mended",
        "production",
        "ledger",
        new={"_id": f"season made-{MADE_WRONG}", "digest": digest(WRONG), "lane": "karya.production.facility/000"},
    ),
    Broken("parked keys", "inventory", "parked", new={"_id": "karya.inventory.lot L1", "events": ["season x"]}),
]


def first_of_each_check() -> list[Any]:
    """All of them as a test's parameters; a check's second and later ones are slow."""
    quick = {broken.check: id(broken) for broken in reversed(BROKEN)}
    return [
        pytest.param(broken, id=str(broken), marks=() if id(broken) == quick[broken.check] else pytest.mark.slow)
        for broken in BROKEN
    ]


@pytest.mark.parametrize("broken", first_of_each_check())
async def test_what_is_broken_in_a_database_is_found(
    broken: Broken, season: RunningSeason, settings: Settings, mongo: Mongo
) -> None:
    documents = mongo.database(broken.service)[broken.collection]
    before = await documents.find({}).to_list(None)
    await broken.apply(mongo)
    try:
        report = await verify(settings, within=20)
    finally:
        await documents.delete_many({})
        if before:
            await documents.insert_many(before)
    assert report.quiet
    assert not report.ok
    assert broken.check in {check.name for check in report.broken}


async def test_each_check_is_seen_to_fail(season: RunningSeason, settings: Settings) -> None:
    report = await verify(settings, within=20)
    for_information = {"dead letters", "strays"}
    # No database is its evidence: tests/unit/ops/test_verify_requests.py leaves a part of a plan out.
    by_topics_alone = {"parts of plans"}
    assert {check.name for check in report.checks} - for_information - by_topics_alone == {
        broken.check for broken in BROKEN
    }


async def test_a_parked_key_can_be_allowed(season: RunningSeason, settings: Settings, mongo: Mongo) -> None:
    parked = mongo.database("inventory")["parked"]
    await parked.insert_one({"_id": "karya.inventory.lot L1", "events": ["season x"]})
    try:
        report = await verify(settings, within=20, allow_parked=True)
    finally:
        await parked.delete_many({})
    assert report.ok
    assert any("L1 is parked" in note for check in report.checks for note in check.notes)


OVERDUE = {
    "_id": "karya.sales.booth x",
    "lane": "karya.sales.booth/000",
    "key": "x",
    "deadline": "x",
    "due": datetime(2026, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("service", "collection", "change", "waits"),
    [
        ("sales", "outbox", {"_id": "karya.sales.booth/000/000000000999"}, "sales has 1 record in its outbox"),
        ("sales", "deadlines", OVERDUE, "sales has 1 overdue deadline"),
        ("inventory", "lanes", None, "inventory has"),
    ],
)
async def test_what_is_not_done_yet_is_said_and_nothing_is_checked(
    season: RunningSeason,
    settings: Settings,
    mongo: Mongo,
    service: str,
    collection: str,
    change: Document | None,
    waits: str,
) -> None:
    documents = mongo.database(service)[collection]
    before = await documents.find({}).to_list(None)
    if change is not None:
        await documents.insert_one(change)
    else:
        await documents.delete_one({"_id": "karya.inventory.lot/000"})
    observations: list[Observation] = []
    try:
        report = await verify(settings, within=0.3, on_wait=observations.append)
    finally:
        await documents.delete_many({})
        if before:
            await documents.insert_many(before)
    assert not report.quiet
    assert not report.ok
    assert report.checks == ()
    assert waits in str(report.waits[0])
    assert waits in str(observations[0].waits[0])


async def test_the_command_shows_the_verdict(season: RunningSeason, settings: Settings, mongo: Mongo) -> None:
    code, text = await karya(settings, "verify", "--within", "20")
    assert (code, "Everything adds up" in text) == (0, True)
    code, text = await karya(settings, "verify", "--json")
    assert (code, json.loads(text)["ok"]) == (0, True)
    parked = mongo.database("inventory")["parked"]
    await parked.insert_one({"_id": "karya.inventory.lot L1", "events": ["season x"]})
    outbox = mongo.database("sales")["outbox"]
    try:
        assert (await karya(settings, "verify"))[0] == 1
        assert (await karya(settings, "verify", "--allow-parked"))[0] == 0
        await outbox.insert_one({"_id": "karya.sales.booth/000/000000000999"})
        code, text = await karya(settings, "verify", "--within", "0.1", "--json")
        waits = [wait["detail"] for wait in json.loads(text)["waits"]]
        assert (code, waits) == (2, ["sales has 1 record in its outbox"])
    finally:
        await parked.delete_many({})
        await outbox.delete_many({})


async def karya(settings: Settings, *words: str) -> tuple[int, str]:
    """The exit code and the output of the command; in a thread, for it has a loop of its own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment(settings))
    return result.exit_code, result.stdout


async def test_what_is_wrong_in_a_topic_is_found(season: RunningSeason, settings: Settings) -> None:
    """Last of all: what a topic holds stays in it."""
    probe = season.probe
    answer = ReportAccepted(facility=CLOTH, terminal=f"{CLOTH}.T1", report="made-2", lot=season.lots[0])
    sale = SalePublished(
        sale="sale-1",
        facility=CLOTH,
        festival="ODOP",
        product="KTI",
        revision=1,
        sequence=1,
        lots=(),
        qty=0,
        amount_rupiah=0,
        sold_at=datetime(2026, 4, 18, tzinfo=UTC),
    )
    settlement = SettlementCorrected(
        facility=CLOTH,
        festival="ODOP",
        revision=9,
        qty=1,
        sold_rupiah=9,
        facility_rupiah=3,
        maker_premium_rupiah=3,
        programme_rupiah=2,
    )
    demand = DemandSignalled(facility=CLOTH, festival="ODOP", revision=9, products=())
    cancelled = FestivalCancelled(festival="ODOP", reason=f"asked {STRANGER}")
    accounted = (await probe.bodies(SALES, SaleAccounted))[0]
    wrong: list[tuple[Topic, Body, str, str]] = [
        (ANSWERS, answer, "answers to terminals", "report made-2: 2 answers"),
        (PUBLIC_SALES, sale, "public stream", "sale-1 is shown, but is no sale"),
        (SETTLEMENTS, settlement, "settlements said", "revision: 9 published"),
        (DEMAND, demand, "demand", "revision: 9 published"),
        (FESTIVAL, cancelled, "privacy", "holds a maker's pseudonym"),
        (SALES, accounted, "sales said", "revision and times published"),
    ]
    # Both read what is published here, and what waits for them is no evidence yet.
    async with run_service("gateway", settings), run_service("identity", settings):
        for topic, body, name, sentence in wrong:
            await probe.send(topic, body)
            report = await verify(settings, within=20)
            [check] = [check for check in report.checks if check.name == name]
            assert any(sentence in broken for broken in check.broken), check.broken
            assert STRANGER not in json.dumps(report.as_dict())
        forged_sale = json.loads(envelope.encode(sale)) | {"till": "T1"}
        headers = envelope.headers(id="x", source="season", topic=PUBLIC_SALES, body=sale, time=envelope.EPOCH)
        await probe.send_raw(
            PUBLIC_SALES, key=CLOTH.encode(), value=json.dumps(forged_sale).encode(), headers=headers
        )
        report = await verify(settings, within=20)
        assert "shows till" in str([check.broken for check in report.checks if check.name == "public stream"])
