"""Keys of devices and their proofs. The signatures of records have examples in `tests/contract/`."""

import base64
import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.access.signatures import (
    SignatureFault,
    SignatureRefused,
    SignedContent,
    check_key,
    check_proof,
    device_of,
    new_device_key,
    prove,
    public_key_of,
    sign,
    verify,
)
from shared.events.identity import DEVICE, Curve, PublicKey

pytestmark = pytest.mark.unit

AUDIENCE, CHALLENGE = "http://identity.test", "c-1"
KEY = new_device_key()
PUBLIC = public_key_of(KEY)
X = "A" * 43


def fault_of(proof: str, audience: str = AUDIENCE, challenge: str = CHALLENGE, key: PublicKey = PUBLIC) -> Any:
    try:
        check_proof(proof, audience, challenge, key)
    except SignatureRefused as refused:
        return refused.fault
    return None


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("curve", Curve)
def test_a_device_proves_that_it_has_its_key(curve: Curve) -> None:
    key = new_device_key(curve)
    assert fault_of(prove(key, AUDIENCE, CHALLENGE), key=public_key_of(key)) is None
    assert DEVICE.fullmatch(public_key_of(key).device)


def test_a_proof_is_good_for_one_challenge_of_one_identity() -> None:
    proof = prove(KEY, AUDIENCE, CHALLENGE)
    assert fault_of(proof, challenge="c-2") is SignatureFault.WRONG
    assert fault_of(proof, audience="http://other.test") is SignatureFault.WRONG
    assert fault_of(proof, key=public_key_of(new_device_key())) is SignatureFault.OTHER_KEY
    assert fault_of(prove(new_device_key(), AUDIENCE, CHALLENGE)) is SignatureFault.OTHER_KEY


def test_a_changed_proof_is_refused() -> None:
    header, claims, signature = prove(KEY, AUDIENCE, CHALLENGE).split(".")
    other = encoded({"aud": AUDIENCE, "challenge": "c-2"})
    none = encoded({"alg": "none", "kid": PUBLIC.device, "typ": "karya-proof"})
    assert fault_of(f"{header}.{other}.{signature}", challenge="c-2") is SignatureFault.WRONG
    assert fault_of(f"{none}.{claims}.{signature}") is SignatureFault.WRONG_HEADER
    for text in (
        "",
        "a.b",
        f"{header}.{claims}.",
        f"{none}.{claims}.",
        f"{header}..{signature}",
        "x" * 3000,
        "é.é.é",
    ):
        assert fault_of(text) is SignatureFault.MALFORMED, text


def test_a_record_is_no_proof_and_a_proof_no_record() -> None:
    content = SignedContent(b"till/ODOP.B1/T1", b"1", b"ReceiptIssued.v1", b"", b"ODOP.B1", b"{}")
    record, proof = sign(KEY, content), prove(KEY, AUDIENCE, CHALLENGE)
    header, _, signature = proof.split(".")
    with pytest.raises(SignatureRefused, match="wrong_header"):
        verify(f"{header}..{signature}", content, PUBLIC)
    claims = encoded({"aud": AUDIENCE, "challenge": CHALLENGE})
    assert fault_of(record.replace("..", f".{claims}.")) is SignatureFault.WRONG_HEADER


def test_the_first_header_of_a_name_is_signed_as_every_reader_takes_it() -> None:
    twice = [("ce_id", b"1"), ("ce_id", b"2"), ("ce_source", None)]
    assert SignedContent.of(twice, b"k", b"v").payload == b"0:,1:1,0:,0:,1:k,1:v,"


@pytest.mark.parametrize(
    "signature", ["", "..", "a..b", encoded({}) + ".." + "A" * 86, encoded([1]) + ".." + "A" * 86]
)
def test_a_text_that_is_no_signature_names_no_device(signature: str) -> None:
    with pytest.raises(SignatureRefused, match="malformed"):
        device_of(signature)


@pytest.mark.parametrize(
    "fields",
    [
        {"kty": "EC", "crv": "P-256", "x": X},
        {"kty": "EC", "crv": "Ed25519", "x": X, "y": X},
        {"kty": "OKP", "crv": "Ed25519", "x": X, "y": X},
        {"kty": "OKP", "crv": "P-256", "x": X},
        {"kty": "oct", "crv": "Ed25519", "x": X},
        {"kty": "OKP", "crv": "Ed25519", "x": X + "A"},
        {"kty": "OKP", "crv": "Ed25519"},
    ],
)
def test_another_kind_of_key_is_none_of_a_device(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PublicKey.model_validate_json(json.dumps(fields))


def test_a_point_beside_the_curve_is_no_key() -> None:
    beside = PublicKey.model_validate_json(json.dumps({"kty": "EC", "crv": "P-256", "x": X, "y": X}))
    with pytest.raises(SignatureRefused, match="bad_key"):
        check_key(beside)
    check_key(PUBLIC)
