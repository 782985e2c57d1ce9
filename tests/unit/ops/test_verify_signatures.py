"""What `verify --signatures` makes of records of devices, without any server."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from ops.verify.report import Check
from ops.verify.signatures import SignatureAudit
from shared import envelope
from shared.access.signatures import HEADER, UNSIGNED, PrivateKey, SignedContent, new_device_key, public_key_of, sign
from shared.events.gateway import HELD_REPORTS, HeldRecordReleased
from shared.events.identity import IDENTITY, Curve, DeviceEnrolled, DeviceRevoked, Role
from shared.events.language import Body, Topic
from shared.events.production import TERMINAL, ProductionReported

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 30, 4, tzinfo=UTC)
KEY, OTHER = new_device_key(), new_device_key(Curve.P256)


def a_record(
    topic: Topic, body: Body, source: str, signer: PrivateKey | None = None, at: int = 0, **changes: Any
) -> Any:
    """A record that arrived so many seconds after noon. The changes are made after it was signed."""
    headers = envelope.headers(id="r1", source=source, topic=topic, body=body, time=NOON)
    value = envelope.encode(body)
    if signer is not None:
        content = SignedContent.of(headers, topic.key_of(body).encode(), value)
        headers.append((HEADER, sign(signer, content).encode()))
    fields = {"key": topic.key_of(body).encode(), "value": value, "headers": tuple(headers), **changes}
    return ConsumerRecord(
        topic=topic.name,
        partition=0,
        offset=7,
        timestamp=int((NOON + timedelta(seconds=at)).timestamp() * 1000),
        timestamp_type=1,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        **fields,
    )


def a_report(signer: PrivateKey | None = KEY, source: str = "terminal/LP-KPG/T1", at: int = 0, **changes: Any) -> Any:
    body = ProductionReported(facility="LP-KPG", terminal="T1", product="KTI", qty=5, made_on=date(2026, 11, 30))
    return a_record(TERMINAL, body, source, signer, at, **changes)


def audited(
    *records: Any, revoked: bool = False, released: Sequence[HeldRecordReleased] = (), all_signed: bool = False
) -> Check:
    public, audit = public_key_of(KEY), SignatureAudit(all_signed=all_signed)
    facts: list[Body] = [
        DeviceEnrolled(
            subject=public.device, public_key=public, role=Role.TERMINAL, scope="LP-KPG", name="T1", enrolled_at=NOON
        )
    ]
    facts += [DeviceRevoked(subject=public.device, reason="lost", revoked_at=NOON)] * revoked
    for fact in facts:
        audit.hear(a_record(IDENTITY, fact, "karya/identity"))
    for release in released:
        audit.hear_held(HELD_REPORTS, a_record(HELD_REPORTS, release, "karya/gateway"))
    for record in records:
        audit.look(record)
    return audit.result()


def test_a_record_as_its_device_signed_it_is_right() -> None:
    check = audited(a_report())
    assert (check.looked_at, check.broken, check.notes) == (1, [], [])


def test_what_nobody_can_check_is_told_and_is_no_fault() -> None:
    check = audited(a_report(None), a_report(OTHER), a_report(OTHER))
    assert (check.looked_at, check.broken) == (0, [])
    assert check.notes == ["1 record is not signed", "2 records are signed by a device that was never enrolled"]


def test_where_all_must_be_signed_it_is_a_fault() -> None:
    check = audited(a_report(), a_report(None), a_report(OTHER), all_signed=True)
    assert (check.looked_at, check.notes) == (3, [])
    assert check.broken == [
        f"{TERMINAL.name} 0/7: it is not signed",
        f"{TERMINAL.name} 0/7: it is signed by a device that was never enrolled",
    ]


OTHER_BODY = ProductionReported(facility="LP-KPG", terminal="T1", product="KTI", qty=6, made_on=date(2026, 11, 30))


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (a_report(value=envelope.encode(OTHER_BODY)), "did not sign"),
        (a_report(value=None), "did not sign"),
        (a_report(key=b"LP-WKB"), "did not sign"),
        (a_report(source="terminal/LP-KPG/T2"), "in the name of another"),
        (a_report(headers=((HEADER, b"x"),)), "is none"),
    ],
)
def test_a_planted_fault_is_found(record: Any, why: str) -> None:
    [sentence] = audited(record).broken
    assert why in sentence


def test_what_came_after_the_loss_is_found() -> None:
    assert audited(a_report(at=-60), a_report(at=5), revoked=True).broken == []
    [sentence] = audited(a_report(at=60), revoked=True).broken
    assert "was revoked" in sentence


def a_release(of: Any, record: str = "r1") -> HeldRecordReleased:
    return HeldRecordReleased(
        place="LP-KPG",
        device=public_key_of(KEY).device,
        record=record,
        topic=TERMINAL.name,
        digest=hashlib.sha256(of.value).hexdigest(),
        released_at=NOON,
    )


def test_what_an_operator_released_counts_whenever_it_came() -> None:
    late = a_report(at=60)
    assert audited(late, revoked=True, released=[a_release(late)]).broken == []
    changed = a_report(at=60, value=envelope.encode(OTHER_BODY))
    wrong = audited(changed, revoked=True, released=[a_release(changed)]).broken
    assert "did not sign" in wrong[0], "a release is no signature"
    another = audited(late, revoked=True, released=[a_release(late, "r2")]).broken
    assert ["was revoked" in another[0], "was released" in another[1]] == [True, True]
    other_bytes = audited(late, revoked=True, released=[a_release(changed)]).broken
    assert ["was revoked" in other_bytes[0], "does not have it so" in other_bytes[1]] == [True, True]


def test_records_of_a_former_version_are_counted_by_themselves() -> None:
    marked = a_report(None)
    marked.headers = (*marked.headers, (UNSIGNED, b"former-version"))
    assert audited(marked, a_report(None)).notes == [
        "1 record is not signed",
        "1 record is of a former version, which signed nothing",
    ]
