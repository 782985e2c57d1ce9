"""Staff keep the catalogue while reports come: by command line and HTTP, to the last rebuilt document."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.catalogue import app
from deploy.seed import sow_catalogue
from ops.rebuild import compare
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
        found = [event.body for event in await probe.read_all(ANSWERS)]
        return {body.report: body for body in found if isinstance(body, ReportAccepted | ReportRejected)}

    async with service_process("production") as process, httpx.AsyncClient(base_url=process.url) as client:

        async def karya(*words: str) -> Result:
            env = {"KARYA_PRODUCTION_URL": process.url, "COLUMNS": "300"}
            return await asyncio.to_thread(CliRunner().invoke, app, words, env=env)

        assert await sow_catalogue(settings) == 0, "it was sown when the place was made"
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
        await eventually(lambda: answers(), until=lambda found: len(found) == 2)
        found = await answers()
        assert isinstance(found["early"], ReportAccepted)
        assert found["early-too-many"].reason is Refusal.TOO_LARGE

        in_time = datetime.now(UTC)
        result = await karya("retire", "patung kayu")
        assert result.exit_code == 1
        assert "Did you mean product/PTG" in result.output
        assert (await karya("retire", "PTG", "--reason", "habis")).exit_code == 0
        history = json.loads((await karya("history", "PTG", "--json")).output)
        assert [("retired_at" in row, row["revision"]) for row in history] == [(False, 1), (True, 2)]

        async def retired() -> bool:
            await probe.send(TERMINAL, report("PTG"))
            return any(getattr(body, "reason", None) is Refusal.RETIRED for body in (await answers()).values())

        await eventually(retired, equals=True)
        await probe.send(TERMINAL, report("PTG"), id="made-before", time=in_time)
        await eventually(lambda: answers(), until=lambda found: "made-before" in found)
        assert isinstance((await answers())["made-before"], ReportAccepted)
    rebuilt = await compare(settings, "production")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])
