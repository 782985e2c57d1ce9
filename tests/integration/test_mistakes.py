"""An organiser's mistakes over HTTP, with festival and sales on a real Kafka and MongoDB."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.events.sales import TILL, Payment, PaymentKind, ReceiptIssued, ReceiptLine, TillClosed
from shared.mongo import Mongo
from tests.support.announced import FESTIVAL
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe
from tests.support.sown import products_told
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

WAIT = {"Prefer": "wait=20"}
B1, B2, STRAY = "ODOP.B1", "ODOP.B2", "odop.b1"


async def command(api: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await api.post(f"/festivals{path}", json=body)


def a_sale(booth: str) -> ReceiptIssued:
    line = ReceiptLine(line=1, product="KTI", qty=2, unit_price_rupiah=10_000)
    return ReceiptIssued(
        booth=booth,
        till="T1",
        device=f"device-{booth}",
        seq=1,
        lines=(line,),
        payment=Payment(kind=PaymentKind.CASH),
        sold_at=datetime(2026, 4, 18, 4, 0, tzinfo=UTC),
    )


async def test_mistakes_are_taken_back_and_nothing_is_counted_twice(
    probe: Probe, mongo: Mongo, service_process: RunProcess, run_service: RunService
) -> None:
    booths = mongo.database("sales")["booths"]
    await products_told(probe, "KTI", "TTN")
    async with (
        run_service("sales"),
        service_process("festival") as festival,
        httpx.AsyncClient(base_url=festival.url, timeout=60, headers=WAIT) as api,
    ):
        past = {**FESTIVAL, "first_day": "2020-01-01", "last_day": "2020-01-02", "confirmed": False}
        doubted = await api.post("/festivals", json=past)
        assert (doubted.status_code, doubted.json()["reason"]) == (409, "not_confirmed")
        assert (await api.post("/festivals", json=FESTIVAL)).status_code == 200
        prices = [{"product": "KTI", "price_rupiah": 10_000}]
        for booth in (B1, B2):
            opened = await command(api, "/ODOP/booths", booth=booth, name=booth, prices=prices, tills=["T1"])
            assert opened.status_code == 200, opened.text
        assert (await command(api, "/ODOP/change", last_day="2030-01-01", confirmed=True)).status_code == 200
        assert (await command(api, f"/ODOP/booths/{B1}/name", name="Stan tenun")).status_code == 200
        added = await command(api, f"/ODOP/booths/{B1}/products", product="TTN", price_rupiah=5_000)
        assert added.status_code == 200, added.text
        await eventually(
            lambda: booths.count_documents({"_id": B1, "name": "Stan tenun", "price_lists.1.prices": {"$size": 2}}),
            equals=1,
        )

        nobody = await command(api, f"/ODOP/booths/{B1}/strays", stray="nobody.b9")
        assert (nobody.status_code, nobody.json()["field"]) == (409, "stray")
        await probe.send(TILL, a_sale(STRAY), id="s1", source=f"till/{STRAY}/T1")
        await eventually(lambda: booths.count_documents({"_id": STRAY, "receipts": 1}), equals=1)
        assert (await command(api, f"/ODOP/booths/{B1}/strays", stray=STRAY)).status_code == 200
        await eventually(lambda: booths.count_documents({"_id": B1, "receipts": 1}), equals=1)

        await probe.send(TILL, a_sale(B2), id="s2", source=f"till/{B2}/T1")
        await eventually(lambda: booths.count_documents({"_id": B2, "receipts": 1}), equals=1)
        merged = await command(api, f"/ODOP/booths/{B2}/merge", to=B1)
        assert merged.status_code == 200, merged.text
        last = TillClosed(booth=B2, till="T1", device=f"device-{B2}", seq=2, previous="s2", last_seq=2)
        await probe.send(TILL, last, id="closed", source=f"till/{B2}/T1")
        goes_on = {"_id": B1, "devices": {"$elemMatch": {"device": f"device-{B2}", "branches.last_seq": 2}}}
        await eventually(lambda: booths.count_documents(goes_on), equals=1)
        await eventually(lambda: booths.count_documents({"_id": B2, "status": "settled", "receipts": 1}), equals=1)
        page = (await api.get(f"/festivals/ODOP/booths/{B2}")).json()
        assert (page["status"], page["merged_into"], page["disputed"]) == ("settled", B1, ["s2/1"])
