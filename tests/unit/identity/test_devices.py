"""Devices: what enrols and revokes one, and why it is refused."""

import json
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.identity.api.requests import EnrolKey
from services.identity.domain.account import Account
from services.identity.domain.device import EnrolledDevice
from services.identity.store import DEVICES
from shared.access.signatures import new_device_key, public_key_of
from shared.events.identity import (
    AccountRefusal,
    Curve,
    DeviceEnrolled,
    DeviceRevoked,
    EnrolDevice,
    OpenAccount,
    PublicKey,
    RevokeDevice,
    Role,
)
from shared.faults import fault_message
from tests.support.identity_rules import OTHER, IdentityRules

pytestmark = pytest.mark.unit

KEY = public_key_of(new_device_key())
P256 = public_key_of(new_device_key(Curve.P256))


def an_enrolment(key: PublicKey = KEY, **changes: Any) -> EnrolDevice:
    fields = {"subject": key.device, "public_key": key, "role": Role.TILL, "scope": "ODOP.B1", "name": "T1"}
    return EnrolDevice(**{**fields, **changes})


@pytest.fixture
def identity() -> IdentityRules:
    return IdentityRules()


def device_of(identity: IdentityRules) -> EnrolledDevice | None:
    found = identity.kept.get((EnrolledDevice, KEY.device))
    assert found is None or isinstance(found, EnrolledDevice)
    return found


def enrolled_at(identity: IdentityRules) -> datetime:
    identity.give(an_enrolment())
    return identity.now


def test_a_device_is_enrolled_with_its_key(identity: IdentityRules) -> None:
    [enrolled] = identity.give(an_enrolment())
    assert enrolled == DeviceEnrolled(
        subject=KEY.device,
        public_key=KEY,
        role=Role.TILL,
        scope="ODOP.B1",
        name="T1",
        actor=OTHER,
        enrolled_at=identity.now,
    )
    assert device_of(identity) == EnrolledDevice(KEY.device, KEY, Role.TILL, "ODOP.B1", "T1", identity.now)


def test_an_enrolment_that_is_said_again_changes_nothing(identity: IdentityRules) -> None:
    enrolled_at(identity)
    before = device_of(identity)
    assert identity.give(an_enrolment()) == []
    assert device_of(identity) == before


@pytest.mark.parametrize("other", [{"scope": "ODOP.B2"}, {"name": "T2"}, {"role": Role.TERMINAL, "scope": "PR-KPG"}])
def test_one_key_is_one_device_at_one_place(identity: IdentityRules, other: dict[str, Any]) -> None:
    enrolled_at(identity)
    assert identity.refused(an_enrolment(**other)) == ("subject", AccountRefusal.DEVICE_ENROLLED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": P256.device},
        {"role": Role.CASHIER},
        {"role": Role.ADMINISTRATOR},
        {"scope": "PR-KPG"},
        {"scope": "ODOP"},
        {"scope": "*"},
        {"role": Role.TERMINAL},
        {"name": "a/b"},
    ],
)
def test_a_device_that_can_not_be_is_refused(identity: IdentityRules, wrong: dict[str, Any]) -> None:
    assert identity.refused(an_enrolment(**wrong)) == ("subject", AccountRefusal.BAD_DEVICE)
    assert device_of(identity) is None


def test_a_revoked_device_never_comes_back(identity: IdentityRules) -> None:
    since = enrolled_at(identity)
    [revoked] = identity.give(RevokeDevice(subject=KEY.device, reason="lost"))
    assert revoked == DeviceRevoked(subject=KEY.device, reason="lost", actor=OTHER, revoked_at=identity.now)
    assert device_of(identity) == EnrolledDevice(KEY.device, KEY, Role.TILL, "ODOP.B1", "T1", since, identity.now)
    assert identity.refused(an_enrolment()) == ("subject", AccountRefusal.DEVICE_REVOKED)
    assert identity.give(RevokeDevice(subject=KEY.device)) == [], "it is revoked already"


def test_a_device_that_nobody_enrolled_can_not_be_revoked(identity: IdentityRules) -> None:
    identity.give(OpenAccount(subject=OTHER, credential="c-1"))
    assert identity.refused(RevokeDevice(subject=KEY.device)) == ("subject", AccountRefusal.UNKNOWN_DEVICE)
    assert (Account, OTHER) in identity.kept


@pytest.mark.parametrize("key", [KEY, P256])
def test_a_document_holds_a_device(identity: IdentityRules, key: PublicKey) -> None:
    identity.give(an_enrolment(key))
    identity.give(RevokeDevice(subject=key.device))
    device = identity.kept[EnrolledDevice, key.device]
    document = {"_id": device.id, **DEVICES.to_document(device)}
    assert DEVICES.from_document(document) == device
    assert document["festival"] == "ODOP"


@pytest.mark.parametrize("member", ["d", "p", "k"])
def test_the_private_half_of_a_key_is_refused_with_a_sentence(member: str) -> None:
    public = {"public_key": KEY.fields, "proof": "a.b.c", "name": "T1"}
    assert EnrolKey.model_validate_json(json.dumps(public)).public_key == KEY
    known_members = {**KEY.fields, "use": "sig", "alg": "EdDSA"}
    assert EnrolKey.model_validate_json(json.dumps({**public, "public_key": known_members})).public_key == KEY
    private = {**public, "public_key": {**KEY.fields, member: "a secret"}}
    with pytest.raises(ValidationError) as refused:
        EnrolKey.model_validate_json(json.dumps(private))
    [fault] = refused.value.errors(include_input=False, include_url=False)
    assert fault["loc"] == ("public_key",)
    message = fault_message(fault)
    assert message.english.startswith("This is the private half of a key, which must not leave the device.")
    assert "a secret" not in str(message.plain_values)
