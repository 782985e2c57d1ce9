"""Signatures of devices: of each record when it is recorded, and of a challenge when the device asks for a token.

A record's signature is a detached JWS (RFC 7515) over a payload that is not encoded (RFC 7797): the attributes that
name the record, its key, and the bytes of its body, each with its length before it. The algorithm follows from the
key that identity knows, and the header must be the one that belongs to this key. `tests/contract/signatures.json` has
examples for other implementations.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from shared.events.identity import Curve, PublicKey

# The Kafka header and the CloudEvents extension that carry a record's signature.
HEADER = "devsig"
# The Kafka header of a record that nobody signed, made before its device was enrolled.
UNSIGNED = "unsigned"
RECORD_TYPE = "karya-record"
# A challenge is never a record, and a record is never the answer to a challenge.
PROOF_TYPE = "karya-proof"
MAX_PROOF = 2000
_ATTRIBUTES = ("ce_source", "ce_id", "ce_type", "ce_time")
_ALGORITHMS: Mapping[Curve, str] = {Curve.P256: "ES256", Curve.ED25519: "Ed25519"}
_REGISTRY = JWSRegistry(algorithms=list(_ALGORITHMS.values()))
_LONGEST_HEADER = 400  # encoded; ours have fewer than 200 characters
_SIGNATURE_BYTES = 64  # of both algorithms
_ENCODED = re.compile(r"[A-Za-z0-9_-]+")

PrivateKey: TypeAlias = ECKey | OKPKey
RecordHeaders: TypeAlias = Sequence[tuple[str, bytes | None]]


class SignatureFault(StrEnum):
    """Why a signature does not count. `MALFORMED`: it is none of a device. `OTHER_KEY`: it names another device.
    `WRONG_HEADER`: it names another algorithm, or is for another purpose. `WRONG`: it does not belong to this key and
    this content. `BAD_KEY`: the key that identity knows can't be used."""

    MALFORMED = "malformed"
    OTHER_KEY = "other_key"
    WRONG_HEADER = "wrong_header"
    WRONG = "wrong"
    BAD_KEY = "bad_key"


class SignatureRefused(Exception):
    """A signature that does not count, and why."""

    def __init__(self, fault: SignatureFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class SignedContent:
    """What a record's signature is over. `value`: the exact bytes of its body."""

    source: bytes
    id: bytes
    type: bytes
    time: bytes
    key: bytes
    value: bytes

    @classmethod
    def of(cls, headers: RecordHeaders, key: bytes, value: bytes) -> "SignedContent":
        """The content of a record with these headers. A missing header is signed as an empty one: no reader takes
        such a record."""
        values = dict(reversed(headers))
        source, id, type, time = (values.get(name) or b"" for name in _ATTRIBUTES)
        return cls(source, id, type, time, key, value)

    @property
    def payload(self) -> bytes:
        """The bytes that are signed: for each part its length as decimal digits, a colon, the part, and a comma."""
        parts = (self.source, self.id, self.type, self.time, self.key, self.value)
        return b"".join(b"%d:%b," % (len(part), part) for part in parts)


def new_device_key(curve: Curve = Curve.ED25519) -> PrivateKey:
    """A new private key of a device."""
    if curve is Curve.P256:
        return ECKey.generate_key(curve.value)
    return OKPKey.generate_key("Ed25519")


def public_key_of(key: PrivateKey) -> PublicKey:
    """The public half of a device's key."""
    return PublicKey.of(key.as_dict(private=False))


def sign(key: PrivateKey, content: SignedContent) -> str:
    """The detached signature of a record."""
    header, signature = _signed(key, RECORD_TYPE, content.payload)
    return f"{header}..{signature}"


def verify(signature: str, content: SignedContent, key: PublicKey) -> None:
    """Raise SignatureRefused unless `key` has signed this record."""
    header, middle, made = _parts(signature)
    if middle:
        raise SignatureRefused(SignatureFault.MALFORMED)
    _check(header, made, RECORD_TYPE, content.payload, key)


def device_of(signature: str) -> str:
    """The subject of the device that the signature names, unchecked. Raises SignatureRefused MALFORMED."""
    return _named_in(_parts(signature)[0])


def prove(key: PrivateKey, audience: str, challenge: str) -> str:
    """The answer to a challenge of the identity service at `audience`."""
    claims = json.dumps({"aud": audience, "challenge": challenge}, separators=(",", ":")).encode()
    header, signature = _signed(key, PROOF_TYPE, claims)
    return f"{header}.{_encoded(claims)}.{signature}"


def check_proof(proof: str, audience: str, challenge: str, key: PublicKey) -> None:
    """Raise SignatureRefused unless `key` has answered this challenge for this audience."""
    if len(proof) > MAX_PROOF:
        raise SignatureRefused(SignatureFault.MALFORMED)
    header, middle, made = _parts(proof)
    claims = _decoded(middle)
    _check(header, made, PROOF_TYPE, claims, key)
    if _object(claims) != {"aud": audience, "challenge": challenge}:
        raise SignatureRefused(SignatureFault.WRONG)


def check_key(key: PublicKey) -> None:
    """Raise SignatureRefused BAD_KEY unless the key can be used."""
    _imported(key)


def _signed(key: PrivateKey, type: str, payload: bytes) -> tuple[str, str]:
    """The encoded header and the encoded signature."""
    public = public_key_of(key)
    header = _header_of(public, type)
    made = _REGISTRY.get_alg(_ALGORITHMS[public.crv]).sign(_input(header, type, payload), key)
    return header, _encoded(made)


def _check(header: str, made: bytes, type: str, payload: bytes, key: PublicKey) -> None:
    if header != _header_of(key, type):
        is_of_key = _object(_decoded(header)).get("kid") == key.device
        raise SignatureRefused(SignatureFault.WRONG_HEADER if is_of_key else SignatureFault.OTHER_KEY)
    if not _REGISTRY.get_alg(_ALGORITHMS[key.crv]).verify(_input(header, type, payload), made, _imported(key)):
        raise SignatureRefused(SignatureFault.WRONG)


@lru_cache(maxsize=4096)
def _header_of(key: PublicKey, type: str) -> str:
    """The one header that a signature of this key has, to the byte. So a header chooses nothing."""
    header: dict[str, object] = {"alg": _ALGORITHMS[key.crv], "kid": key.device, "typ": type}
    if type == RECORD_TYPE:
        header |= {"b64": False, "crit": ["b64"]}
    return _encoded(json.dumps(header, separators=(",", ":")).encode())


@lru_cache(maxsize=4096)
def _named_in(header: str) -> str:
    """The device that an encoded header names. All records of a device have the same header."""
    device = _object(_decoded(header)).get("kid")
    if not isinstance(device, str):
        raise SignatureRefused(SignatureFault.MALFORMED)
    return device


def _input(header: str, type: str, payload: bytes) -> bytes:
    return b"%b.%b" % (header.encode(), payload if type == RECORD_TYPE else _encoded(payload).encode())


@lru_cache(maxsize=4096)
def _imported(key: PublicKey) -> ECKey | OKPKey:
    """The key for the library. Raises SignatureRefused for numbers that are no key, e.g. a point off the curve."""
    try:
        imported = ECKey.import_key(key.fields) if key.crv is Curve.P256 else OKPKey.import_key(key.fields)
        # The library reads the numbers only now.
        imported.get_op_key("verify")
    except (JoseError, ValueError):
        raise SignatureRefused(SignatureFault.BAD_KEY) from None
    return imported


def _parts(text: str) -> tuple[str, str, bytes]:
    parts = text.split(".")
    if len(parts) != 3 or len(parts[0]) > _LONGEST_HEADER:
        raise SignatureRefused(SignatureFault.MALFORMED)
    made = _decoded(parts[2])
    if len(made) != _SIGNATURE_BYTES:
        raise SignatureRefused(SignatureFault.MALFORMED)
    return parts[0], parts[1], made


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignatureRefused(SignatureFault.MALFORMED)
    return found


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    if not _ENCODED.fullmatch(text):
        raise SignatureRefused(SignatureFault.MALFORMED)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise SignatureRefused(SignatureFault.MALFORMED) from None
