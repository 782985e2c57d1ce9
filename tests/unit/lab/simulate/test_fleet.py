"""The season's devices without any server: who sends what, in which order, and what is signed."""

import base64
import gzip
import json
from datetime import UTC, date, datetime
from random import Random

import httpx
import pytest

from lab.simulate.fleet import Fleet, SeasonDevice, portions, signed_event
from lab.simulate.market import Market
from lab.simulate.records import GeneratedRecord, make_record
from shared.access.session import GivenToken
from shared.access.signatures import (
    HEADER,
    SignatureRefused,
    SignedContent,
    device_of,
    new_device_key,
    public_key_of,
    verify,
)
from shared.events.festival import OpenBooth, Price
from shared.events.production import TERMINAL, ProductionReported

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def a_record(id: str, device: str) -> GeneratedRecord:
    body = ProductionReported(facility="LP-KPG", terminal=device, product="KTI", qty=1, made_on=date(2026, 11, 30))
    return make_record(TERMINAL, body, id=id, source=f"terminal/LP-KPG/{device}", at=NOW, device=device)


def test_an_event_carries_the_record_and_its_signature() -> None:
    key, record = new_device_key(), a_record("1", "T1")
    event = signed_event(key, record)
    assert device_of(event[HEADER]) == public_key_of(key).device
    content = SignedContent.of(record.headers, b"LP-KPG", base64.b64decode(event["data_base64"]))
    verify(event[HEADER], content, public_key_of(key))
    with pytest.raises(SignatureRefused):
        verify(event[HEADER], content, public_key_of(new_device_key()))


def test_devices_of_one_place_send_their_own_records_in_their_own_order() -> None:
    records = [a_record(str(number), f"T{number % 2}") for number in range(1200)]
    sent = list(portions(records))
    assert [(device, len(portion)) for device, portion in sent] == [
        *(("T0", 250), ("T1", 250)) * 2,
        *(("T0", 100), ("T1", 100)),
    ]
    for device in ("T0", "T1"):
        of_device = [record for name, portion in sent if name == device for record in portion]
        assert of_device == [record for record in records if record.device == device]


async def test_a_held_record_is_counted_once_however_often_it_is_offered() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        events = json.loads(gzip.decompress(request.content))
        return httpx.Response(200, json=[{"id": event["id"], "reason": "device_revoked"} for event in events])

    records = [a_record(id, "T1") for id in ("1", "2", "1", "3", "3")]
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://gateway") as gateway:
        fleet = Fleet("http://identity", gateway, {})
        fleet._devices["T1"] = SeasonDevice(new_device_key(), "d-1", httpx.Auth())
        assert await fleet.offer_by(GivenToken("token"), "T1", records) == {"device_revoked": 3}


def test_every_record_of_a_till_names_the_device_that_signs_it() -> None:
    booth = OpenBooth(
        festival="ODOP",
        booth="ODOP.B01",
        name="Stan 1",
        prices=(Price(product="KTI", price_rupiah=5_000),),
        tills=("T1", "T2"),
    )
    market = Market(booth, Random(1))
    market.stock("A", "KTI", date(2026, 11, 1), 40)
    records = [*market.sell(1.0, NOW, NOW), *market.close(NOW)]
    devices = {record.device for record in records}
    assert len(devices) == 2
    assert None not in devices
