"""POST /intake: signatures of devices, and what a device may send with a token of its own."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.gateway.domain import held_record
from services.gateway.domain.held_record import HeldDevice, HeldRecord, HeldStatus, device_id, held_id
from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.rules import distrust, know
from services.gateway.store import KNOWN_DEVICES
from shared import envelope
from shared.access.rights import Grant
from shared.access.signatures import (
    HEADER,
    UNSIGNED,
    PrivateKey,
    SignedContent,
    new_device_key,
    public_key_of,
    sign,
)
from shared.events.gateway import HELD_COMMANDS, HoldRecord
from shared.events.identity import Curve, DeviceEnrolled, DeviceRevoked, Role
from shared.events.language import Body, Event
from shared.events.production import TERMINAL, ProductionReported
from shared.runtime.state import Ref, State
from shared.settings import Settings, UnsignedRecords
from tests.support.callers import SUBJECT, headers_of, with_access
from tests.support.intake import Log, an_intake

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
TYPE = {"Content-Type": "application/cloudevents-batch+json"}
STAFF, AS_DEVICE = Grant(Role.FACILITY_STAFF, "LP-KPG"), Grant(Role.TERMINAL, "LP-KPG")
OPERATOR = Grant(Role.OPERATOR)
KEYS = {curve: new_device_key(curve) for curve in Curve}
KEY, OTHER_KEY = KEYS[Curve.ED25519], new_device_key()


def a_device(
    key: PrivateKey = KEY,
    source: str = "terminal/LP-KPG/T1",
    *,
    revoked: bool = False,
    enrolled_at: datetime = NOW,
) -> KnownDevice:
    public = public_key_of(key)
    return KnownDevice(public.device, public, source, enrolled_at, revoked)


def a_record(key: PrivateKey | None = KEY, qty: int = 1, id: str = "r1", **changes: Any) -> dict[str, Any]:
    """A signed record as a device sends it; the changes are made after it was signed."""
    body = ProductionReported(facility="LP-KPG", terminal="T1", product="KTI", qty=qty, made_on=date(2026, 11, 30))
    value = envelope.encode(body)
    headers = envelope.headers(id=id, source="terminal/LP-KPG/T1", topic=TERMINAL, body=body, time=NOW)
    attributes = {name.removeprefix("ce_"): text.decode() for name, text in headers if name != "content-type"}
    signed = {} if key is None else {HEADER: sign(key, SignedContent.of(headers, b"LP-KPG", value))}
    return {**attributes, "data_base64": base64.b64encode(value).decode(), **signed, **changes}


def a_held_record() -> HeldRecord:
    device = public_key_of(KEY).device
    return HeldRecord(
        id=held_id("LP-KPG", device, "r1"),
        place="LP-KPG",
        device=device,
        record="r1",
        topic=TERMINAL.name,
        number=1,
        seq=None,
        headers=(),
        value=b"",
        digest="",
        size=0,
        held_at=NOW,
    )


def altered(record: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    """The record with another value in its body, under the old signature."""
    body = json.loads(base64.b64decode(record["data_base64"]))
    return {**record, "data_base64": base64.b64encode(json.dumps({**body, name: value}).encode()).decode()}


async def sent(
    records: Sequence[dict[str, Any]],
    *devices: KnownDevice,
    grant: Grant = AS_DEVICE,
    subject: str = SUBJECT,
    held: Sequence[HeldRecord] = (),
    holding: Sequence[HeldDevice] = (),
    unsigned: UnsignedRecords = UnsignedRecords.ALLOWED,
) -> tuple[list[tuple[str, str | None]], Log]:
    """What became of each record, and what was appended."""
    log = Log()
    async with an_intake(log, with_access(Settings(unsigned=unsigned)), *devices, held=held, holding=holding) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as api:
            headers = {**TYPE, **headers_of([grant], subject=subject)}
            answer = await api.post("/intake", json=records, headers=headers)
    assert answer.status_code == 200, answer.text
    return [(row["status"], row.get("reason")) for row in answer.json()], log


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("grant", [AS_DEVICE, STAFF], ids=str)
async def test_a_record_of_an_enrolled_device_is_taken_with_its_signature(curve: Curve, grant: Grant) -> None:
    record = a_record(KEYS[curve])
    statuses, log = await sent([record], a_device(KEYS[curve]), grant=grant)
    assert statuses == [("stored", None)]
    assert dict(log.records[0].headers)[HEADER].decode() == record[HEADER]


FAULTS: dict[str, dict[str, Any]] = {
    "an altered quantity": altered(a_record(), "qty", 2),
    "another id": a_record(source="terminal/LP-KPG/T1") | {"id": "r2"},
    "another time": a_record(time="2026-11-30T08:00:00.001Z"),
    "a signature of another device in its name": a_record()
    | {HEADER: a_record()[HEADER].rsplit(".", 1)[0] + "." + a_record(OTHER_KEY)[HEADER].rsplit(".", 1)[1]},
    "alg none": a_record() | {HEADER: "eyJhbGciOiJub25lIn0.."},
    "no text": a_record() | {HEADER: 7},
    "nothing": a_record() | {HEADER: None},
    "no signature": a_record() | {HEADER: "x" * 20_000},
}


@pytest.mark.parametrize("grant", [AS_DEVICE, STAFF], ids=str)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_record_that_was_changed_is_refused(fault: str, grant: Grant) -> None:
    statuses, log = await sent([FAULTS[fault]], a_device(), grant=grant)
    assert statuses == [("refused", "wrong_signature")]
    assert log.records == []


@pytest.mark.parametrize("grant", [AS_DEVICE, STAFF, OPERATOR], ids=str)
async def test_a_record_of_a_revoked_device_is_held_by_any_route_with_its_exact_bytes(grant: Grant) -> None:
    record = a_record()
    statuses, log = await sent([record], a_device(revoked=True), grant=grant)
    assert statuses == [("held", "device_revoked")]
    [appended] = log.records
    assert (appended.topic, appended.key) == (HELD_COMMANDS, "LP-KPG")
    assert dict(appended.headers)["actor"] == SUBJECT.encode()
    body = HoldRecord.model_validate_json(appended.value)
    assert (body.place, body.device, body.record, body.topic) == (
        "LP-KPG",
        public_key_of(KEY).device,
        "r1",
        TERMINAL.name,
    )
    # As an enrolled device's record would have been stored.
    _, stored = await sent([record], a_device(), grant=grant)
    [expected] = stored.records
    assert body.value_base64 == record["data_base64"]
    assert base64.b64decode(body.value_base64) == expected.value
    assert [(header.name, header.value.encode()) for header in body.headers] == expected.headers


async def test_a_record_of_a_revoked_device_that_was_changed_is_not_held() -> None:
    statuses, log = await sent([altered(a_record(), "qty", 2)], a_device(revoked=True))
    assert statuses == [("refused", "wrong_signature")]
    assert log.records == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (HeldStatus.HELD, ("held", "device_revoked")),
        (HeldStatus.RELEASED, ("stored", None)),
        (HeldStatus.REFUSED, ("refused", "refused_by_operator")),
    ],
)
async def test_a_device_that_offers_a_held_record_again_hears_what_became_of_it(
    status: HeldStatus, expected: tuple[str, str | None]
) -> None:
    held = replace(a_held_record(), status=status, reason="a copy")
    statuses, log = await sent([a_record(), a_record(id="r2")], a_device(revoked=True), held=[held])
    assert statuses == [expected, ("held", "device_revoked")]
    assert [HoldRecord.model_validate_json(record.value).record for record in log.records] == ["r2"]


@pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_WAITING_BYTES"])
async def test_a_record_beyond_what_the_gateway_holds_of_a_device_stays_on_the_device(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(base64.b64decode(a_record()["data_base64"]))
    monkeypatch.setattr(held_record, bound, 3 if bound == "MOST_WAITING" else 3 * size)
    id = device_id("LP-KPG", public_key_of(KEY).device)
    holding = HeldDevice(id, records=9, waiting=1, waiting_bytes=size)
    records = [a_record(id=f"r{number}") for number in range(1, 5)]
    # What is held already needs no room.
    statuses, log = await sent(records, a_device(revoked=True), held=[a_held_record()], holding=[holding])
    assert statuses == [("held", "device_revoked")] * 3 + [("refused", "too_many_held")]
    assert [HoldRecord.model_validate_json(record.value).record for record in log.records] == ["r2", "r3"]


async def test_an_operator_brings_what_an_enrolled_device_has_signed_and_nothing_else() -> None:
    unknown, unsigned = a_record(OTHER_KEY, id="r2"), a_record(None, id="r3")
    statuses, log = await sent([a_record(), unknown, unsigned], a_device(), grant=OPERATOR)
    assert statuses == [("stored", None), ("refused", "unknown_device"), ("refused", "no_right")]
    assert log.ids == ["r1"]


@pytest.mark.parametrize("grant", [AS_DEVICE, STAFF], ids=str)
async def test_a_device_signs_for_itself_alone(grant: Grant) -> None:
    statuses, _ = await sent([a_record()], a_device(source="terminal/LP-KPG/T2"), grant=grant)
    assert statuses == [("refused", "wrong_source")]


async def test_only_a_person_sends_what_nobody_can_check() -> None:
    unsigned, early = a_record(None), a_record(OTHER_KEY, id="r2")
    elsewhere = a_device(source="terminal/LP-KPG/T2")
    statuses, log = await sent([unsigned, early], elsewhere)
    assert statuses == [("refused", "not_signed"), ("refused", "unknown_device")]
    assert log.records == []
    for former in ((), (a_device(source="terminal/LP-KPG/T2"),)):
        statuses, log = await sent([unsigned, early], *former, grant=STAFF)
        assert statuses == [("stored", None)] * 2
        assert [HEADER in dict(record.headers) for record in log.records] == [False, True]
        assert [UNSIGNED in dict(record.headers) for record in log.records] == [False, False]


LATER, DEVICE = NOW + timedelta(milliseconds=1), public_key_of(KEY).device


@pytest.mark.parametrize(
    ("grant", "subject", "revoked"), [(AS_DEVICE, DEVICE, False), (STAFF, SUBJECT, True)], ids=["device", "account"]
)
async def test_records_of_a_former_version_are_taken_until_their_device_is_enrolled_and_marked(
    grant: Grant, subject: str, revoked: bool
) -> None:
    """The device brings them itself, and a person those of a device that is revoked."""
    unsigned = a_record(None)
    statuses, log = await sent([unsigned], a_device(enrolled_at=LATER, revoked=revoked), grant=grant, subject=subject)
    assert statuses == [("stored", None)]
    assert dict(log.records[0].headers)[UNSIGNED] == b"former-version"
    statuses, log = await sent([unsigned], a_device(enrolled_at=NOW, revoked=revoked), grant=grant, subject=subject)
    assert statuses == [("refused", "not_signed")]
    # No sender marks a record, and the first device of this name ends what may be unsigned.
    marked = a_record(None, unsigned="former-version")
    devices = (a_device(enrolled_at=LATER, revoked=revoked), a_device(OTHER_KEY, enrolled_at=NOW, revoked=True))
    assert (await sent([marked], *devices, grant=grant, subject=subject))[0] == [("refused", "not_signed")]


async def test_another_device_brings_no_records_of_a_former_version() -> None:
    other = public_key_of(OTHER_KEY).device
    devices = (a_device(enrolled_at=LATER), a_device(OTHER_KEY, "terminal/LP-KPG/T2", enrolled_at=LATER))
    assert (await sent([a_record(None)], *devices, subject=other))[0] == [("refused", "not_signed")]
    revoked = a_device(enrolled_at=LATER, revoked=True)
    assert (await sent([a_record(None)], revoked, subject=DEVICE))[0] == [("refused", "device_revoked")]


async def test_nobody_sends_in_the_name_of_an_enrolled_device() -> None:
    records = [a_record(None), a_record(OTHER_KEY, id="r2"), a_record(id="r3")]
    statuses, log = await sent(records, a_device(enrolled_at=LATER), grant=STAFF)
    assert statuses == [("refused", "name_enrolled")] * 2 + [("stored", None)]
    assert log.ids == ["r3"]


async def test_a_made_up_key_does_not_pass_by_the_hold_of_a_revoked_device() -> None:
    statuses, log = await sent([a_record(OTHER_KEY)], a_device(revoked=True), grant=STAFF)
    assert (statuses, log.ids) == ([("refused", "unknown_device")], [])


@pytest.mark.parametrize("attribute", ["time", "id", "source", HEADER])
async def test_large_attributes_are_refused_before_kafka_would(attribute: str) -> None:
    record = a_record()
    if attribute == "time":
        record["time"] = record["time"].removesuffix("Z") + ".0" + "0" * 5000 + "Z"
    else:
        record[attribute] += "x" * 5000
    [(status, reason)], log = await sent([record], a_device(), grant=STAFF)
    assert (status, reason) in {("unusable", "too_large"), ("refused", "wrong_signature")}
    assert log.ids == []


async def test_where_unsigned_records_are_refused_enrolled_devices_alone_send() -> None:
    records = [a_record(None), a_record(OTHER_KEY, id="r2"), a_record(id="r3")]
    for grant in (STAFF, AS_DEVICE):
        statuses, log = await sent(records, a_device(), grant=grant, unsigned=UnsignedRecords.REFUSED)
        assert statuses == [("refused", "not_signed"), ("refused", "unknown_device"), ("stored", None)]
        assert log.ids == ["r3"]
    own = a_device(enrolled_at=LATER)
    statuses, log = await sent([a_record(None)], own, subject=own.id, unsigned=UnsignedRecords.REFUSED)
    assert statuses == [("stored", None)], "what a former version recorded comes in once, by the device itself"


def test_unsigned_records_are_refused_unless_the_stack_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARYA_UNSIGNED")
    assert Settings().unsigned is UnsignedRecords.REFUSED


async def test_records_of_one_request_are_judged_one_by_one() -> None:
    records = [a_record(id="1"), altered(a_record(id="2"), "qty", 9), a_record(OTHER_KEY, id="3"), a_record(id="4")]
    statuses, log = await sent(records, a_device())
    assert [status for status, _ in statuses] == ["stored", "refused", "refused", "stored"]
    assert log.ids == ["1", "4"]


async def test_a_device_sends_for_its_own_place_alone() -> None:
    statuses, _ = await sent([a_record()], a_device(), grant=Grant(Role.TERMINAL, "LP-WKB"))
    assert statuses == [("refused", "no_right")]


def test_the_gateway_knows_a_device_until_it_is_revoked() -> None:
    public = public_key_of(KEY)
    enrolled = DeviceEnrolled(
        subject=public.device, public_key=public, role=Role.TERMINAL, scope="LP-KPG", name="T1", enrolled_at=NOW
    )
    revoked = DeviceRevoked(subject=public.device, reason="lost", revoked_at=NOW)

    def event(body: Body) -> Event:
        return Event("1", "karya/identity", public.device, NOW, NOW, body)

    nothing = State.of(absent=(Ref(KnownDevice, public.device),))
    assert distrust(nothing, event(revoked), revoked) == (nothing, [])
    state, _ = know(nothing, event(enrolled), enrolled)
    assert state.get(KnownDevice, public.device) == a_device()
    state, _ = distrust(state, event(revoked), revoked)
    device = state.get(KnownDevice, public.device)
    assert device == replace(a_device(), revoked=True)
    assert device is not None
    assert KNOWN_DEVICES.from_document({"_id": device.id, **KNOWN_DEVICES.to_document(device)}) == device
