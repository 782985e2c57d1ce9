"""Held records: kept once with their bytes, released unchanged in the order of their device, or refused."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.gateway.domain import held_record, holding
from services.gateway.domain.held_record import HeldDevice, HeldRecord, HeldStatus, device_id, held_id
from services.gateway.handlers import HELD
from services.gateway.store import HELD_COMMAND_OUTCOMES, HELD_RECORD_DOCUMENTS, HELD_VALUE
from shared import envelope
from shared.access.signatures import HEADER
from shared.events.gateway import (
    HeldCommandRefused,
    HeldRecordRefused,
    HeldRecordReleased,
    HeldRefusal,
    HoldRecord,
    RecordHeader,
    RecordHeld,
    RefuseRecords,
    ReleaseRecords,
)
from shared.events.language import Body, Event, Publication, Unchanged
from shared.events.production import TERMINAL, RecallLot
from shared.events.sales import TILL, DeviceIntroduced
from shared.runtime.state import Entities, Key, OwnedQuery, Query, State

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, 1, 2, 345000, tzinfo=UTC)
DEVICE, OTHER = f"d-{'a' * 52}", f"d-{'b' * 52}"
BOOTH = "ODOP.B1"


class Gateway:
    """The rules of held records over entities in memory."""

    def __init__(self) -> None:
        self.entities: dict[Key, object] = {}
        self._commands = 0

    def work(
        self, body: Body, *, id: str | None = None, actor: str | None = "s-operatoroperator"
    ) -> Sequence[object]:
        """What the rules publish because of the event."""
        self._commands += 1
        event = Event(id or f"c{self._commands}", "karya/gateway/http", "", NOW, NOW, body, actor=actor)
        reads = HELD.reads(event)
        loaded: dict[Key, object] = {(read[0], read[1]): None for read in reads if not isinstance(read, OwnedQuery)}
        results: dict[Query[HeldRecord], list[str]] = {}
        for read in reads:
            if isinstance(read, OwnedQuery):
                found = [key for key, entity in self.entities.items() if isinstance(entity, HeldRecord)]
                results[read] = [id for kind, id in found if read.matches(self.entities[kind, id])]
        state = State(Entities({**loaded, **self.entities}, results), reads)
        state, outputs = HELD.decide(state, event)
        self.entities.update(state.changes)
        return [output.body if type(output) is Publication else output for output in outputs]

    def status(self, record: str, place: str = BOOTH, device: str = DEVICE) -> HeldStatus:
        entity = self.entities[HeldRecord, held_id(place, device, record)]
        assert isinstance(entity, HeldRecord)
        return entity.status


def a_till_record(id: str, seq: int, *, device: str = DEVICE) -> HoldRecord:
    body = DeviceIntroduced(booth=BOOTH, till="T1", device="D1", seq=seq, introduced_at=NOW)
    headers = envelope.headers(id=id, source=f"till/{BOOTH}/T1", topic=TILL, body=body, time=NOW, actor="s-x")
    # No encoding of ours: bytes are kept as they came.
    return held(id, envelope.encode(body) + b" \n", [*headers, (HEADER, b"e30..c2ln")], seq, device)


def held(
    id: str, value: bytes, headers: envelope.Headers, seq: int | None, device: str = DEVICE, topic: str = TILL.name
) -> HoldRecord:
    return HoldRecord(
        place=BOOTH if topic == TILL.name else "PR-KPG",
        device=device,
        record=id,
        topic=topic,
        seq=seq,
        headers=tuple(RecordHeader(name=name, value=text.decode()) for name, text in headers),
        value_base64=base64.b64encode(value).decode(),
    )


def released(outputs: Sequence[object]) -> list[str]:
    return [dict(output.headers)["ce_id"].decode() for output in outputs if isinstance(output, Unchanged)]


def refusal(outputs: Sequence[object]) -> HeldRefusal:
    [fact] = outputs
    assert isinstance(fact, HeldCommandRefused)
    return fact.reason


RELEASE = ReleaseRecords(place=BOOTH, device=DEVICE)


def test_a_record_is_held_once_whatever_comes_again_under_its_id() -> None:
    gateway, record = Gateway(), a_till_record("r1", 1)
    [fact] = gateway.work(record, actor="s-x")
    value = base64.b64decode(record.value_base64)
    assert fact == RecordHeld(
        place=BOOTH,
        device=DEVICE,
        record="r1",
        topic=TILL.name,
        type="DeviceIntroduced.v1",
        source=f"till/{BOOTH}/T1",
        digest=hashlib.sha256(value).hexdigest(),
        seq=1,
        actor="s-x",
        held_at=NOW,
    )
    assert gateway.work(a_till_record("r1", 2)) == []
    [first, *others] = gateway.work(RELEASE)
    assert isinstance(first, Unchanged)
    assert first.value == value
    assert len(others) == 1


def test_records_are_released_with_their_bytes_and_headers_in_the_order_of_their_device() -> None:
    gateway = Gateway()
    records = {seq: a_till_record(f"r{seq}", seq) for seq in (3, 1, 2)}
    for record in records.values():
        gateway.work(record)
    gateway.work(a_till_record("other", 1, device=OTHER))
    outputs = gateway.work(RELEASE)
    assert released(outputs) == ["r1", "r2", "r3"]
    for output, record in zip(
        [output for output in outputs if isinstance(output, Unchanged)], (records[n] for n in (1, 2, 3)), strict=True
    ):
        assert output.topic is TILL
        assert output.topic.key_of(output.body) == BOOTH
        assert output.value == base64.b64decode(record.value_base64)
        assert output.headers == tuple((header.name, header.value.encode()) for header in record.headers)
    facts = [output for output in outputs if isinstance(output, HeldRecordReleased)]
    assert [(fact.record, fact.actor) for fact in facts] == [(f"r{n}", "s-operatoroperator") for n in (1, 2, 3)]
    assert gateway.status("other", device=OTHER) is HeldStatus.HELD
    assert refusal(gateway.work(RELEASE)) is HeldRefusal.NOTHING_HELD


def test_records_of_a_terminal_are_released_as_they_came() -> None:
    gateway = Gateway()
    ids = ["z", "a", "m"]
    for id in ids:
        body = RecallLot(facility="PR-KPG", terminal="T1", lot="L")
        headers = envelope.headers(id=id, source="terminal/PR-KPG/T1", topic=TERMINAL, body=body, time=NOW)
        gateway.work(held(id, envelope.encode(body), headers, None, topic=TERMINAL.name))
    assert released(gateway.work(ReleaseRecords(place="PR-KPG", device=DEVICE))) == ids


def test_one_command_releases_no_more_than_a_transaction_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MOST_AT_ONCE", 2)
    gateway = Gateway()
    for seq in range(1, 6):
        gateway.work(a_till_record(f"r{seq}", seq))
    assert [released(gateway.work(RELEASE)) for _ in range(3)] == [["r1", "r2"], ["r3", "r4"], ["r5"]]


def test_one_command_releases_no_more_bytes_than_its_bound_but_always_a_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = Gateway()
    size = len(base64.b64decode(a_till_record("r1", 1).value_base64))
    for seq in range(1, 6):
        gateway.work(a_till_record(f"r{seq}", seq))
    monkeypatch.setattr(holding, "MOST_BYTES_AT_ONCE", 2 * size)
    assert [released(gateway.work(RELEASE)) for _ in range(2)] == [["r1", "r2"], ["r3", "r4"]]
    gateway.work(a_till_record("r6", 6))
    monkeypatch.setattr(holding, "MOST_BYTES_AT_ONCE", 1)
    assert released(gateway.work(RELEASE)) == ["r5"]


@pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_WAITING_BYTES"])
def test_no_more_of_a_device_waits_than_the_bound(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(base64.b64decode(a_till_record("r1", 1).value_base64))
    monkeypatch.setattr(held_record, bound, 2 if bound == "MOST_WAITING" else 2 * size)
    gateway = Gateway()
    for seq in (1, 2):
        assert isinstance(gateway.work(a_till_record(f"r{seq}", seq))[0], RecordHeld)
    third = a_till_record("r3", 3)
    assert refusal(gateway.work(third)) is HeldRefusal.TOO_MANY_HELD
    assert gateway.work(a_till_record("r1", 1)) == [], "it is held already"
    assert isinstance(gateway.work(a_till_record("r1", 1, device=OTHER))[0], RecordHeld), "another device"
    one, refused = (
        ReleaseRecords(place=BOOTH, device=DEVICE, record="r1"),
        RefuseRecords(place=BOOTH, device=DEVICE, record="r1", reason="a copy"),
    )
    # A record that was decided makes room once.
    gateway.work(refused)
    gateway.work(one)
    assert isinstance(gateway.work(third)[0], RecordHeld)
    assert refusal(gateway.work(a_till_record("r4", 4))) is HeldRefusal.TOO_MANY_HELD
    assert released(gateway.work(RELEASE)) == ["r2", "r3"]
    assert gateway.entities[HeldDevice, device_id(BOOTH, DEVICE)] == HeldDevice(device_id(BOOTH, DEVICE), 3)


def test_one_record_is_released_or_refused_and_a_refused_one_can_still_be_released() -> None:
    gateway = Gateway()
    for seq in (1, 2):
        gateway.work(a_till_record(f"r{seq}", seq))
    first, second = (ReleaseRecords(place=BOOTH, device=DEVICE, record=id) for id in ("r1", "r2"))
    [fact] = gateway.work(RefuseRecords(place=BOOTH, device=DEVICE, record="r1", reason="sold by a thief"))
    assert isinstance(fact, HeldRecordRefused)
    assert (fact.record, fact.reason) == ("r1", "sold by a thief")
    assert released(gateway.work(RELEASE)) == ["r2"], "a refused record is not released with the others"
    assert refusal(gateway.work(second)) is HeldRefusal.RECORD_RELEASED
    assert released(gateway.work(first)) == ["r1"]
    refused = RefuseRecords(place=BOOTH, device=DEVICE, record="r1", reason="x")
    assert refusal(gateway.work(refused)) is HeldRefusal.RECORD_RELEASED
    unknown = ReleaseRecords(place=BOOTH, device=OTHER, record="r1")
    assert refusal(gateway.work(unknown)) is HeldRefusal.UNKNOWN_RECORD


def test_a_refusal_of_all_is_one_of_each() -> None:
    gateway = Gateway()
    for seq in (2, 1):
        gateway.work(a_till_record(f"r{seq}", seq))
    outputs = gateway.work(RefuseRecords(place=BOOTH, device=DEVICE, reason="a copy"))
    assert [type(output) for output in outputs] == [HeldRecordRefused] * 2
    assert {gateway.status("r1"), gateway.status("r2")} == {HeldStatus.REFUSED}


def test_an_id_of_a_command_counts_once() -> None:
    gateway = Gateway()
    gateway.work(a_till_record("r1", 1))
    assert released(gateway.work(RELEASE, id="c")) == ["r1"]
    gateway.work(a_till_record("r2", 2))
    assert refusal(gateway.work(RELEASE, id="c")) is HeldRefusal.ID_TAKEN
    assert gateway.status("r2") is HeldStatus.HELD


def test_what_no_reader_could_use_is_not_held() -> None:
    body = RecallLot(facility="PR-KPG", terminal="T1", lot="L")
    headers = envelope.headers(id="r1", source="terminal/PR-KPG/T1", topic=TERMINAL, body=body, time=NOW)
    with pytest.raises(ValueError, match="validation error"):
        Gateway().work(held("r1", b"{}", headers, None, topic=TERMINAL.name))


def test_documents_are_read_as_they_were_written() -> None:
    gateway = Gateway()
    gateway.work(a_till_record("r1", 1))
    gateway.work(RefuseRecords(place=BOOTH, device=DEVICE, reason="a copy"))
    gateway.work(RELEASE)
    by_class = {collection.entity: collection for collection in HELD.collections}
    assert {HELD_RECORD_DOCUMENTS, HELD_COMMAND_OUTCOMES} < set(HELD.collections)
    for (kind, id), entity in gateway.entities.items():
        collection = by_class[kind]
        document = {"_id": id, **collection.to_document(entity)}
        assert collection.from_document(document) == entity
        if isinstance(entity, HeldRecord):
            del document[HELD_VALUE]
            assert collection.from_document(document) == replace(entity, value=b""), "as a page of many reads it"
        for read in (holding.waiting_of(BOOTH, DEVICE),):
            if kind is read.entity:
                assert document[read.field] == getattr(entity, read.field)
