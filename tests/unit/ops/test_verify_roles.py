"""What `verify` makes of accounts and devices and their facts, without any server."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.verify.evidence import Evidence
from ops.verify.roles import enrolments, roles
from ops.verify.topic_evidence import PublishedEvent
from services.identity.domain.account import Account, HeldRole
from services.identity.domain.device import EnrolledDevice
from shared.access.signatures import new_device_key, public_key_of
from shared.events.identity import Role

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SUBJECT = "s-aaaaaaaaaaaaaaaa"
OPENED = ("AccountOpened", {"credential": "c-1"})
GRANTED = ("RoleGranted", {"role": "cashier", "scope": "ODOP.B1"})
WITHDRAWN = ("RoleWithdrawn", {"role": "cashier", "scope": "ODOP.B1"})
CLOSED = ("AccountClosed", {"reason": ""})
ACCOUNT = Account(SUBJECT, "c-1", NOW)
CASHIER = replace(ACCOUNT, roles=(HeldRole(Role.CASHIER, "ODOP.B1"),))


def broken(account: Account | None, *facts: tuple[str, dict[str, Any]]) -> list[str]:
    evidence = Evidence(entities={Account: {account.id: account} if account is not None else {}})
    for number, (type, fields) in enumerate(facts):
        value = json.dumps({"subject": SUBJECT, **fields}).encode()
        evidence.published.add(PublishedEvent(type, "karya/identity", f"f{number}", "", value))
    return roles(evidence).broken


def test_an_account_that_follows_from_its_facts_is_right() -> None:
    assert broken(CASHIER, OPENED, GRANTED) == []
    assert broken(ACCOUNT, OPENED, GRANTED, WITHDRAWN) == []
    assert broken(replace(ACCOUNT, credential="c-2"), OPENED, ("CredentialReplaced", {"credential": "c-2"})) == []
    assert broken(replace(CASHIER, closed_at=NOW), OPENED, GRANTED, CLOSED) == []


@pytest.mark.parametrize(
    ("account", "facts"),
    [
        (CASHIER, [OPENED]),
        (ACCOUNT, [OPENED, GRANTED]),
        (ACCOUNT, [OPENED, CLOSED]),
        (replace(ACCOUNT, credential="c-2"), [OPENED]),
        (ACCOUNT, []),
        (None, [OPENED]),
        (ACCOUNT, [OPENED, OPENED]),
        (CASHIER, [OPENED, GRANTED, GRANTED]),
        (ACCOUNT, [OPENED, WITHDRAWN]),
        (replace(CASHIER, closed_at=NOW), [OPENED, CLOSED, GRANTED]),
    ],
)
def test_an_account_that_does_not_is_found(account: Account | None, facts: list[tuple[str, dict[str, Any]]]) -> None:
    assert broken(account, *facts) != []


KEY = public_key_of(new_device_key())
TILL = EnrolledDevice(KEY.device, KEY, Role.TILL, "ODOP.B1", "T1", NOW)
PLACE = {"role": "till", "scope": "ODOP.B1", "name": "T1"}
ENROLLED = ("DeviceEnrolled", {"public_key": KEY.model_dump(mode="json"), **PLACE})
REVOKED = ("DeviceRevoked", {"reason": "lost"})


def broken_device(device: EnrolledDevice | None, *facts: tuple[str, dict[str, Any]]) -> list[str]:
    evidence = Evidence(entities={EnrolledDevice: {device.id: device} if device is not None else {}})
    for number, (type, fields) in enumerate(facts):
        value = json.dumps({"subject": KEY.device, **fields}).encode()
        evidence.published.add(PublishedEvent(type, "karya/identity", f"f{number}", "", value))
    return enrolments(evidence).broken


def test_a_device_that_follows_from_its_facts_is_right() -> None:
    assert broken_device(TILL, ENROLLED) == []
    assert broken_device(replace(TILL, revoked_at=NOW), ENROLLED, REVOKED) == []


@pytest.mark.parametrize(
    ("device", "facts"),
    [
        (None, [ENROLLED]),
        (TILL, []),
        (TILL, [ENROLLED, REVOKED]),
        (replace(TILL, revoked_at=NOW), [ENROLLED]),
        (replace(TILL, scope="ODOP.B2"), [ENROLLED]),
        (replace(TILL, name="T2"), [ENROLLED]),
        (replace(TILL, public_key=public_key_of(new_device_key())), [ENROLLED]),
        (TILL, [ENROLLED, ENROLLED]),
        (replace(TILL, revoked_at=NOW), [ENROLLED, REVOKED, REVOKED]),
        (replace(TILL, revoked_at=NOW), [REVOKED, ENROLLED]),
    ],
)
def test_a_device_that_does_not_is_found(
    device: EnrolledDevice | None, facts: list[tuple[str, dict[str, Any]]]
) -> None:
    assert broken_device(device, *facts) != []
