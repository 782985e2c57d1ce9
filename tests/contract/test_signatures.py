"""The examples of signatures hold for both implementations: what is taken, what is refused, and why."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from shared.access.signatures import (
    PrivateKey,
    SignatureFault,
    SignatureRefused,
    SignedContent,
    device_of,
    public_key_of,
    sign,
    verify,
)
from shared.events.identity import PublicKey

pytestmark = pytest.mark.contract

FILE = Path(__file__).with_name("signatures.json")
VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
JAVASCRIPT = Path(__file__).parents[1] / "support" / "signatures.mjs"


def private_key(name: str) -> PrivateKey:
    fields = VECTORS["keys"][name]
    return ECKey.import_key(fields) if fields["kty"] == "EC" else OKPKey.import_key(fields)


def public_key(name: str) -> PublicKey:
    return PublicKey.of(VECTORS["keys"][name])


def content_of(record: dict[str, Any]) -> SignedContent:
    headers = [(f"ce_{name}", record[name].encode()) for name in ("id", "source", "type", "time")]
    return SignedContent.of(headers, record["partitionkey"].encode(), base64.b64decode(record["data_base64"]))


def fault_of(record: dict[str, Any], signature: str) -> SignatureFault | None:
    try:
        verify(signature, content_of(record), public_key(record["key"]))
    except SignatureRefused as refused:
        return refused.fault
    return None


def rows(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("record", VECTORS[kind], ids=lambda record: record["name"])


@pytest.mark.parametrize("name", VECTORS["keys"])
def test_a_device_is_named_by_its_public_key(name: str) -> None:
    assert public_key_of(private_key(name)) == public_key(name)
    assert public_key(name).device == VECTORS["devices"][name]


@rows("records")
def test_a_signed_record_is_taken(record: dict[str, Any]) -> None:
    assert base64.b64encode(content_of(record).payload).decode() == record["payload_base64"]
    assert fault_of(record, record["signature"]) is None
    assert device_of(record["signature"]) == VECTORS["devices"][record["key"]]
    assert fault_of(record, sign(private_key(record["key"]), content_of(record))) is None


@rows("refused")
def test_a_planted_fault_is_refused(record: dict[str, Any]) -> None:
    assert fault_of(record, record["signature"]) == record["fault"]


def test_javascript_takes_and_refuses_the_same_and_each_takes_what_the_other_signed() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here to run JavaScript")
    done = subprocess.run([node, str(JAVASCRIPT), str(FILE)], capture_output=True, text=True, timeout=60, check=True)
    answer = json.loads(done.stdout)
    assert answer["faults"] == []
    for record in VECTORS["records"]:
        assert fault_of(record, answer["made"][record["name"]]) is None
