"""Staff keep the catalogue while reports come: by command line and HTTP, to the last rebuilt document."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from cli.catalogue import app
from cli.terminal import app as terminal_app
from cli.till import app as till_app
from deploy.seed import sow_catalogue
from edge.sync import KafkaRoute
from edge.terminal.terminal import Terminal
from ops.rebuild import compare
from shared.errors import WrongEntry
from shared.events.festival import BOOTH_STOCK, FESTIVAL, BoothOpened, FestivalAnnounced, FestivalChanged, LeadTime
from shared.events.inventory import INVENTORY, StockChanged
from shared.events.lot_number import LotNumber
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, Refusal, ReportAccepted, ReportRejected
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.sown import catalogue_sown
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

FACILITY = "LP-SOE"
SHEET = """\
kind;code;name;category;unit;max_qty;usual_price_rupiah;facility_kind;zone;island;products;days
facility;lp-soe;Lapas Soe;;;;;lapas;Asia/Makassar;timor;ptg krj;
product;ptg;Patung kayu;patung;buah;20;Rp150.000;;;;;
category;patung;Patung;;;;;;;;;
lead-time;timor/bali;;;;;;;;;;4
island;bali;Bali;;;;;;;;;
product;ptx;Patung batu;batu;buah;20;;;;;;
"""


def report(product: str, qty: int = 5) -> ProductionReported:
    made_on = datetime.now(UTC).date() - timedelta(days=1)
    return ProductionReported(facility=FACILITY, terminal="T1", product=product, qty=qty, made_on=made_on)


@pytest.mark.timeout(120)
async def test_staff_add_a_facility_and_its_waiting_reports_are_decided(
    settings: Settings, probe: Probe, service_process: RunProcess, tmp_path: Path, mongo: Mongo
) -> None:
    async def answers() -> dict[str, Any]:
        bodies = [event.body for event in await probe.read_all(ANSWERS)]
        return {body.report: body for body in bodies if isinstance(body, ReportAccepted | ReportRejected)}

    async with service_process("production") as process, httpx.AsyncClient(base_url=process.url) as client:

        async def karya(*words: str) -> Result:
            env = {"KARYA_PRODUCTION_URL": process.url, "COLUMNS": "300"}
            return await asyncio.to_thread(CliRunner().invoke, app, words, env=env)

        assert await sow_catalogue(settings) == 0, "it was sown when the place was made"
        with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
            await terminal.sync(KafkaRoute(settings), wait=60)
            assert terminal.catalogue().facility is not None, "the first sync waits for the zone"
        await probe.send(TERMINAL, report("PTG"), id="early")
        await probe.send(TERMINAL, report("PTG", qty=21), id="early-too-many")

        async def waiting() -> set[str]:
            return {row["report"] for row in (await client.get("/waiting-reports")).json()}

        await eventually(waiting, equals={"early", "early-too-many"})
        assert (await client.get("/reports/early")).json()["outcome"] == "waiting"
        await catalogue_sown(mongo)
        before = await client.get("/catalogue")
        etag = {"If-None-Match": before.headers["ETag"]}
        assert (await client.get("/catalogue", headers=etag)).status_code == 304

        sheet = tmp_path / "catalogue.csv"
        sheet.write_text(SHEET, encoding="utf-8-sig")
        result = await karya("import", str(sheet), "--json")
        assert result.exit_code == 1, result.output
        outcomes = {row["entry"]: row for row in json.loads(result.output)}
        assert outcomes.pop("product/PTX")["field"] == "category"
        assert [row for row in outcomes.values() if row["status"] != "done"] == []
        after = await client.get("/catalogue", headers=etag)
        assert after.status_code == 200
        assert after.json()["revision"] == before.json()["revision"] + 5

        await eventually(waiting, equals=set())
        await eventually(lambda: answers(), until=lambda results: len(results) == 2)
        results = await answers()
        assert isinstance(results["early"], ReportAccepted)
        assert results["early-too-many"].reason is Refusal.TOO_LARGE

        in_time = datetime.now(UTC)
        result = await karya("retire", "patung kayu")
        assert result.exit_code == 1
        assert "Did you mean product/PTG" in result.output
        result = await karya("retire", "PTG", "--reason", "habis")
        assert result.exit_code == 0, result.output
        history = json.loads((await karya("history", "PTG", "--json")).output)
        assert [("retired_at" in row, row["revision"]) for row in history] == [(False, 1), (True, 2)]

        async def retired() -> bool:
            await probe.send(TERMINAL, report("PTG"))
            return any(getattr(body, "reason", None) is Refusal.RETIRED for body in (await answers()).values())

        await eventually(retired, equals=True)
        with Terminal(tmp_path, FACILITY, "T1") as terminal:
            await terminal.sync(KafkaRoute(settings), wait=0)
            assert [product.product for product in terminal.catalogue().on_list()] == ["KRJ"]
            with pytest.raises(WrongEntry, match=r"KRI is not on .* list\. Did you mean KRJ \(Kerajinan tangan\)"):
                terminal.record("KRI", 1, made_on=in_time.date(), at=in_time)
        await probe.send(TERMINAL, report("PTG"), id="made-before", time=in_time)
        await eventually(lambda: answers(), until=lambda results: "made-before" in results)
        assert isinstance((await answers())["made-before"], ReportAccepted)
    rebuilt = await compare(settings, "production")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


@pytest.mark.slow
async def test_devices_fetch_the_snapshot_of_the_catalogue_over_http(
    service_process: RunProcess, tmp_path: Path, mongo: Mongo
) -> None:
    async with service_process("production") as process:
        await catalogue_sown(mongo)
        env = {"KARYA_PRODUCTION_URL": process.url, "KARYA_SPOOL_DIR": str(tmp_path), "COLUMNS": "300"}

        async def karya(app: Typer, *words: str) -> Result:
            return await asyncio.to_thread(CliRunner().invoke, app, words, env=env)

        terminal = ("--facility", "PR-KPG")
        for device, words in ((terminal_app, terminal), (till_app, ("--booth", "ODOP.B1"))):
            first = json.loads((await karya(device, *words, "catalogue", "--json")).stdout)
            assert (first["changed"], first["products"] > 5) == (True, True)
            again = json.loads((await karya(device, *words, "catalogue", "--json")).stdout)
            assert again["changed"] is False, "the ETag of the first answer is still that of the service"
    recorded = await karya(terminal_app, *terminal, "record", "Kain tenun ikat", "3")
    assert " WITA: 3 × KTI" in recorded.output, "offline, by the copy alone"
    refused = await karya(till_app, "--booth", "ODOP.B1", "sell", "KTJ=1@5.000")
    assert "KTI (Kain tenun ikat)" in refused.output


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_festival_names_the_revisions_that_it_used(
    settings: Settings, probe: Probe, service_process: RunProcess, mongo: Mongo
) -> None:
    collection = mongo.database("festival")["catalogue"]
    wait = {"Prefer": "wait=20"}

    def announcement(id: str, island: str) -> dict[str, Any]:
        days = {"first_day": "2026-04-18", "last_day": "2026-04-18", "confirmed": True}
        return {"festival": id, "name": id, "place": "Kupang", "zone": "Asia/Makassar", "island": island, **days}

    async with (
        service_process("production") as production,
        service_process("festival") as festival,
        httpx.AsyncClient(base_url=production.url, headers=wait) as staff,
        httpx.AsyncClient(base_url=festival.url, headers=wait) as organiser,
    ):
        await catalogue_sown(mongo)
        entries = await mongo.database("production")["entries"].count_documents({"revision": {"$gt": 0}})
        await eventually(lambda: collection.count_documents({}), equals=entries)
        assert (await organiser.post("/festivals", json=announcement("F1", "jawa"))).status_code == 200
        changed = await staff.post("/entries/lead-time%2Ftimor%2Fjawa/set-lead-time", json={"days": 9})
        assert changed.status_code == 200
        await eventually(lambda: collection.count_documents({"_id": "lead-time/timor/jawa", "revision": 2}), equals=1)
        assert (await organiser.post("/festivals", json=announcement("F2", "jawa"))).status_code == 200
        refused = await organiser.post("/festivals", json=announcement("F3", "jaw"))
        assert refused.status_code == 422
        assert "Did you mean jawa?" in refused.json()["errors"][0]["message"]

        booth = {"booth": "F1.B1", "name": "B1", "tills": ["T1"], "limits": [{"category": "tenun", "qty": 40}]}
        prices = [{"product": "KTI", "price_rupiah": 1000}]
        wrong = [*prices, {"product": "KTJ", "price_rupiah": 1000}]
        refused = await organiser.post("/festivals/F1/booths", json={**booth, "prices": wrong})
        assert refused.status_code == 422
        assert "There is no product KTJ in the catalogue." in refused.json()["errors"][0]["message"]
        opened = await organiser.post("/festivals/F1/booths", json={**booth, "prices": prices})
        assert opened.status_code == 200, opened.text
        days = {
            id: {
                entry["facility"]: entry["days"]
                for entry in (await organiser.get(f"/festivals/{id}")).json()["lead_days"]
            }
            for id in ("F1", "F2")
        }
        assert (days["F1"]["PR-KPG"], days["F2"]["PR-KPG"]) == (5, 9)

        # A facility that is added after the announcement: the plan uses its lead time, and says by which revisions.
        far_days = {"first_day": "2099-04-18", "last_day": "2099-04-18"}
        assert (await organiser.post("/festivals", json=announcement("F4", "jawa") | far_days)).status_code == 200
        opened = await organiser.post("/festivals/F4/booths", json={**booth, "booth": "F4.B1", "prices": prices})
        assert opened.status_code == 200, opened.text
        soe = {
            "facility_kind": "lapas",
            "name": "Soe",
            "zone": "Asia/Makassar",
            "products": ["KTI"],
            "island": "timor",
        }
        added = await staff.post("/entries/facility%2FLP-SOE/set-facility", json=soe)
        assert added.status_code == 200, added.text
        await eventually(lambda: collection.count_documents({"_id": "facility/LP-SOE"}), equals=1)
        lot = str(LotNumber("LP-SOE", "KTI", date(2026, 4, 1), 1))
        nothing = dict.fromkeys(("corrected", "reserved", "dispatched", "returned", "written_off"), 0)
        lot_facts = {"facility": "LP-SOE", "product": "KTI", "category": "tenun", "made_on": date(2026, 4, 1)}
        pieces = {"recorded": 9, "on_hand": 9, **nothing}
        stock = StockChanged(lot=lot, revision=1, best_before=None, recalled=False, **lot_facts, **pieces)
        await probe.send(INVENTORY, stock)
        await eventually(lambda: mongo.database("festival")["stock"].count_documents({}), equals=1)
        asked = {"request": "R1", "demands": [{"booth": "F4.B1", "product": "KTI", "qty": 3}]}
        key = {"Idempotency-Key": "a-plan"}
        planned = await organiser.post("/festivals/F4/requests", json=asked, headers=key)
        assert planned.status_code == 200, planned.text
        repeated = await organiser.post("/festivals/F4/requests", json=asked, headers=key)
        assert repeated.status_code == 200, "a repeated command is the same command"
        page = (await organiser.get("/festivals/F4")).json()
        assert {entry["facility"]: entry["days"] for entry in page["lead_days"]}["LP-SOE"] == 9
    [anew] = await probe.bodies(FESTIVAL, FestivalChanged)
    assert {(entry.entry, entry.revision) for entry in anew.catalogue} == {
        ("facility/LP-SOE", 1),
        ("lead-time/timor/jawa", 2),
    }
    assert LeadTime(facility="LP-SOE", days=9) in anew.lead_days
    announced = {body.festival: body for body in await probe.bodies(FESTIVAL, FestivalAnnounced)}
    used = {id: {entry.entry: entry.revision for entry in body.catalogue} for id, body in announced.items()}
    assert [used[id]["lead-time/timor/jawa"] for id in ("F1", "F2")] == [1, 2]
    [opening] = [body for body in await probe.bodies(BOOTH_STOCK, BoothOpened) if body.festival == "F1"]
    assert [(price.category, price.name) for price in opening.prices] == [("tenun", "Kain tenun ikat")]
    assert [(entry.entry, entry.revision) for entry in opening.catalogue] == [("product/KTI", 1)]
    rebuilt = await compare(settings, "festival")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])
