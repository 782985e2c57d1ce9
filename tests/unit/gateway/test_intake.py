"""POST /intake: which records are taken, which are not and why, and what a request may hold."""

import base64
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import CapturingLogger

from services.gateway.api import intake
from shared import envelope
from shared.access.rights import Grant
from shared.events.identity import Role
from shared.events.language import Body, Topic
from shared.events.production import TERMINAL, ProductionReported
from shared.events.sales import TILL, DeviceIntroduced
from shared.http.admission import MAX_RECORDS_BYTES
from shared.settings import Settings
from tests.support.callers import SUBJECT, headers_of, with_access
from tests.support.intake import Log, an_intake

KIND = {"Content-Type": "application/cloudevents-batch+json"}
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
STAFF = [Grant(Role.FACILITY_STAFF, "LP-KPG")]
CASHIER = [Grant(Role.CASHIER, "ODOP.B1")]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def api(log: Log) -> AsyncIterator[httpx.AsyncClient]:
    async with an_intake(log, with_access(Settings())) as app:
        transport = httpx.ASGITransport(app=app)
        headers = {**KIND, **headers_of([*STAFF, *CASHIER])}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            yield client


def a_report(qty: int = 1, facility: str = "LP-KPG") -> ProductionReported:
    return ProductionReported(facility=facility, terminal="T1", product="KTI", qty=qty, made_on=date(2026, 11, 30))


def an_introduction(booth: str = "ODOP.B1") -> DeviceIntroduced:
    return DeviceIntroduced(booth=booth, till="T1", device="d1", seq=1, introduced_at=NOW)


def an_event(body: Body, topic: Topic = TERMINAL, id: str = "r1", **changes: Any) -> dict[str, Any]:
    """The body as a device sends it; a change to None leaves the attribute out."""
    place = topic.key_of(body)
    kind = "terminal" if topic is TERMINAL else "till"
    event = {
        "specversion": "1.0",
        "id": id,
        "source": f"{kind}/{place}/T1",
        "type": f"{type(body).__name__}.v1",
        "time": "2026-11-30T08:00:00.000Z",
        "datacontenttype": "application/json",
        "partitionkey": place,
        "data_base64": base64.b64encode(envelope.encode(body)).decode(),
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


async def test_a_record_is_appended_with_its_bytes_and_headers(api: httpx.AsyncClient, log: Log) -> None:
    body = a_report()
    # Another spelling of the same JSON: these bytes are what a signature would be about.
    value = json.dumps(json.loads(envelope.encode(body)), indent=1).encode()
    answer = await api.post("/intake", json=[an_event(body, data_base64=encoded(value))])
    assert (answer.status_code, answer.json()) == (200, [{"id": "r1", "status": "stored"}])
    [record] = log.records
    assert (record.topic, record.key, record.value) == (TERMINAL, "LP-KPG", value)
    own = envelope.headers(id="r1", source="terminal/LP-KPG/T1", topic=TERMINAL, body=body, time=NOW, actor=SUBJECT)
    assert record.headers == own


async def test_a_record_that_is_too_large_for_kafka_stops_no_other(api: httpx.AsyncClient, log: Log) -> None:
    log.too_large = frozenset({1})
    sent = ["no event", *(an_event(a_report(number), id=str(number)) for number in (1, 2, 3))]
    answers = (await api.post("/intake", json=sent)).json()
    assert [(row["status"], row.get("reason")) for row in answers[1:]] == [
        ("stored", None),
        ("unusable", "too_large"),
        ("stored", None),
    ]
    assert log.ids == ["1", "3"]


async def test_a_refused_record_stops_no_other(api: httpx.AsyncClient, log: Log) -> None:
    sent = [
        an_event(a_report(1), id="1"),
        an_event(a_report(2, "LP-WKB"), id="2"),
        "no event",
        an_event(an_introduction(), TILL, id="4"),
        an_event(an_introduction("ODOP.B10"), TILL, id="5"),
        an_event(a_report(6), id="6"),
    ]
    answers = (await api.post("/intake", json=sent)).json()
    assert [(row["id"], row["status"], row.get("reason")) for row in answers] == [
        ("1", "stored", None),
        ("2", "refused", "no_right"),
        (None, "unusable", "no_event"),
        ("4", "stored", None),
        ("5", "refused", "no_right"),
        ("6", "stored", None),
    ]
    assert log.ids == ["1", "4", "6"]
    assert all(row["message"] and row["template"] for row in answers if row["status"] != "stored")


UNUSABLE = {
    "missing_header": [{"id": None}, {"source": None}, {"time": None}, {"specversion": None}, {"id": 7}, {"type": 1}],
    "wrong_spec_version": [{"specversion": "0.3"}],
    "bad_id": [{"id": "a b"}, {"id": "x" * 201}, {"source": ""}],
    "bad_time": [{"time": "yesterday"}, {"time": "2026-11-30T08:00:00"}, {"time": "1066-01-01T00:00:00Z"}],
    "unknown_type": [{"type": "LotRecorded.v1"}, {"type": ""}],
    "unknown_version": [{"type": "ProductionReported.v2"}],
    "no_value": [{"data_base64": None}, {"data_base64": None, "data": {}}, {"data_base64": 5}],
    "bad_base64": [{"data_base64": "e30"}, {"data_base64": "e3\n0="}, {"data_base64": "é"}],
    "bad_body": [{"data_base64": encoded(b"{")}, {"data_base64": encoded(b"{}")}, {"data_base64": ""}],
    "name_twice": [{"data_base64": encoded(envelope.encode(a_report())[:-1] + b',"qty":1}')}],
    "too_large": [{"data_base64": encoded(b" " * (256 * 1024 + 1))}, {"data_base64": "A" * 400_000}],
    "wrong_key": [{"partitionkey": "LP-WKB"}, {"partitionkey": 5}, {"partitionkey": ""}],
    "bad_content_type": [{"datacontenttype": "text/plain"}, {"datacontenttype": ["application/json"]}],
    "subject": [{"subject": "r0"}],
}


@pytest.mark.parametrize(("reason", "changes"), [(reason, c) for reason, cases in UNUSABLE.items() for c in cases])
async def test_an_unusable_record_is_answered_with_its_reason(
    reason: str, changes: dict[str, Any], api: httpx.AsyncClient, log: Log
) -> None:
    [answer] = (await api.post("/intake", json=[an_event(a_report(), **changes)])).json()
    assert (answer["status"], answer["reason"]) == ("unusable", reason), answer
    assert log.records == []


async def test_what_may_be_left_out_may_be_left_out(api: httpx.AsyncClient, log: Log) -> None:
    event = an_event(a_report(), partitionkey=None, datacontenttype=None, traceparent="x", comexample="ignored")
    assert (await api.post("/intake", json=[event])).json() == [{"id": "r1", "status": "stored"}]
    assert log.records[0].key == "LP-KPG"
    assert {name for name, _ in log.records[0].headers} == {
        *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "actor")
    }


@pytest.mark.parametrize("source", ["terminal/LP-WKB/T1", "till/LP-KPG/T1", "terminal/LP-KPG", "terminal/LP-KPGX/T1"])
async def test_nobody_sends_as_a_device_of_another_place(source: str, api: httpx.AsyncClient, log: Log) -> None:
    [answer] = (await api.post("/intake", json=[an_event(a_report(), source=source)])).json()
    assert (answer["status"], answer["reason"]) == ("refused", "wrong_source")
    assert log.records == []


@pytest.mark.parametrize(
    ("grant", "may"),
    [
        (Grant(Role.FACILITY_STAFF, "LP-KPG"), (True, False)),
        (Grant(Role.FACILITY_STAFF, "LP-WKB"), (False, False)),
        (Grant(Role.CASHIER, "ODOP.B1"), (False, True)),
        (Grant(Role.CASHIER, "ODOP.B10"), (False, False)),
        # A facility and a festival could have one name.
        (Grant(Role.CASHIER, "LP-KPG"), (False, False)),
        (Grant(Role.ORGANISER, "LP-KPG"), (False, False)),
        (Grant(Role.ORGANISER, "ODOP"), (False, True)),
        (Grant(Role.ORGANISER, "FRW"), (False, False)),
        (Grant(Role.ORGANISER, "*"), (False, False)),
    ],
)
async def test_a_token_writes_for_its_own_place_only(
    grant: Grant, may: tuple[bool, bool], api: httpx.AsyncClient
) -> None:
    sent = [an_event(a_report()), an_event(an_introduction(), TILL)]
    answer = await api.post("/intake", json=sent, headers=headers_of([grant]))
    assert tuple(row["status"] == "stored" for row in answer.json()) == may


async def test_if_kafka_does_not_answer_the_sender_hears_how_many_were_taken(
    api: httpx.AsyncClient, log: Log
) -> None:
    log.room = 2
    sent = [an_event(a_report(n + 1, "LP-WKB" if n == 1 else "LP-KPG"), id=str(n)) for n in range(6)]
    answer = await api.post("/intake", json=sent)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    problem = answer.json()
    assert problem["stored"] == 3
    assert [row["status"] for row in problem["records"]] == ["stored", "refused", "stored"]
    log.room = 100
    rest = (await api.post("/intake", json=sent[problem["stored"] :])).json()
    assert [row["status"] for row in rest] == ["stored"] * 3
    assert log.ids == ["0", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON"),
        (b"[", "The body is not JSON"),
        (b"{}", "must be a JSON array"),
        (b'[{"id":"1","id":"2"}]', "comes twice"),
        (b"[NaN]", "The body is not JSON"),
    ],
)
async def test_a_request_that_is_no_list_stores_nothing(
    body: bytes, sentence: str, api: httpx.AsyncClient, log: Log
) -> None:
    answer = await api.post("/intake", content=body)
    assert answer.status_code == 422
    assert sentence in answer.json()["errors"][0]["message"]
    assert log.records == []


async def test_a_request_has_a_most_of_records_and_of_bytes(api: httpx.AsyncClient, log: Log) -> None:
    event = an_event(a_report())
    many = await api.post("/intake", json=[event] * (intake.MOST_RECORDS + 1))
    assert (many.status_code, many.json()["detail"]) == (413, "One request has at most 500 records.")
    assert len((await api.post("/intake", json=[event] * intake.MOST_RECORDS)).json()) == intake.MOST_RECORDS
    full = b"[]".ljust(MAX_RECORDS_BYTES)
    assert (await api.post("/intake", content=full)).status_code == 200
    assert (await api.post("/intake", content=full + b" ")).status_code == 413
    assert len(log.records) == intake.MOST_RECORDS


async def test_gzip_is_unpacked_within_the_bound(api: httpx.AsyncClient, log: Log) -> None:
    async def packed(body: bytes) -> httpx.Response:
        return await api.post("/intake", content=body, headers={"Content-Encoding": "gzip"})

    plain = json.dumps([an_event(a_report())]).encode()
    assert (await packed(gzip.compress(plain))).json() == [{"id": "r1", "status": "stored"}]
    assert (await packed(gzip.compress(b"[]".ljust(MAX_RECORDS_BYTES)))).status_code == 200
    assert (await packed(gzip.compress(b"[]".ljust(MAX_RECORDS_BYTES + 1)))).status_code == 413
    whole = gzip.compress(plain)
    for wrong in (plain, whole[:-1], whole + b"x", whole + gzip.compress(b""), zlib.compress(plain)):
        refused = await packed(wrong)
        assert refused.status_code == 422, wrong[:10]
        assert "gzip" in refused.json()["errors"][0]["message"]
    assert len(log.records) == 1


async def test_a_zip_bomb_ends_at_the_bound(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    unpacked: list[int] = []

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._stream = zlib_decompressobj(wbits=wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            asked.append(most)
            body = self._stream.decompress(data, most)
            unpacked.append(len(body))
            return body

    zlib_decompressobj = zlib.decompressobj
    bomb = gzip.compress(bytes(1024 * 1024 * 1024 // 4))
    monkeypatch.setattr(intake.zlib, "decompressobj", Counting)
    answer = await api.post("/intake", content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert (asked, unpacked) == ([MAX_RECORDS_BYTES + 1], [MAX_RECORDS_BYTES + 1])


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {"Content-Encoding": "br"}])
async def test_another_kind_of_body_is_not_taken(headers: dict[str, str], api: httpx.AsyncClient) -> None:
    refused = await api.post("/intake", content=b"[]", headers=headers)
    assert refused.status_code == 415
    assert "cloudevents-batch+json" in refused.json()["detail"]


async def test_who_has_no_such_role_is_refused_before_the_body_is_read(api: httpx.AsyncClient) -> None:
    for grant in (Grant(Role.AUDITOR), Grant(Role.ADMINISTRATOR), Grant(Role.SUBSCRIBER, "karya.public.sales.v1")):
        assert (await api.post("/intake", content=b"{", headers=headers_of([grant]))).status_code == 403
    del api.headers["Authorization"]
    assert (await api.post("/intake", content=b"{")).status_code == 401


async def test_no_list_and_no_record_is_logged_with_its_content(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = CapturingLogger()
    monkeypatch.setattr(intake, "log", logger)
    secret = "Made-By-Somebody"
    event = an_event(a_report(), id=secret, type=secret, data_base64=encoded(secret.encode()))
    assert (await api.post("/intake", json=[event])).status_code == 200
    assert [call.args[0] for call in logger.calls] == ["record_not_stored"]
    assert secret not in repr(logger.calls)
