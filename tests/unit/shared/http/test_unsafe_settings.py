"""Settings with which no service listens to a network."""

from pathlib import Path
from typing import Any

import pytest

from shared.http.unsafe_settings import unsafe
from shared.settings import Settings

pytestmark = pytest.mark.unit

# The tests run without access control.
DEFAULTS = {"access": "tokens", "unsigned": "refused"}
IN_NETWORK = {**DEFAULTS, "http_host": "0.0.0.0"}
FILE = Path("credentials")
REMOTE = "mongodb://db1.example.org,db2.example.org:27017/?replicaSet=rs0"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_service_of_this_machine_alone_starts_with_any_settings(host: str) -> None:
    assert unsafe(Settings.model_validate({"access": "open", "unsigned": "allowed", "http_host": host})) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.7", "karya.example.org"])
def test_a_service_in_a_network_starts_with_the_defaults(host: str) -> None:
    assert unsafe(Settings.model_validate({**DEFAULTS, "http_host": host})) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"access": "open"}, "Leave KARYA_ACCESS out, or let KARYA_HTTP_HOST be 127.0.0.1."),
        ({"unsigned": "allowed"}, "Leave KARYA_UNSIGNED out, and enrol devices"),
        ({"http_proxies": "*"}, "KARYA_HTTP_PROXIES trusts every address"),
        ({"http_proxies": "10.0.0.1, 0.0.0.0/0"}, "KARYA_HTTP_PROXIES trusts every address"),
        ({"http_proxies": "::/0"}, "KARYA_HTTP_PROXIES trusts every address"),
        ({"http_proxies": "0.0.0.0/1,128.0.0.0/1"}, "KARYA_HTTP_PROXIES trusts every address"),
        ({"identity_issuer": "https://user:secret@karya.example.org"}, "without a user, a query and a fragment"),
        ({"identity_issuer": "https://karya.example.org?a=b"}, "without a user, a query and a fragment"),
        *(
            (
                {"identity_url": f"http://{host}:8000", "identity_issuer": "https://karya.example.org"},
                "Let KARYA_IDENTITY_URL begin with https://",
            )
            for host in ("134744072", "0x08080808")
        ),
        ({"kafka": "134744072:9092"}, "as KARYA_KAFKA_CREDENTIALS."),
        ({"mongo": "mongodb://134744072/"}, "as KARYA_MONGO_CREDENTIALS."),
        *(
            (
                {"mongo": f"mongodb://db.example.org/?{option}=true", "mongo_credentials": FILE},
                "KARYA_MONGO switches off the check",
            )
            for option in ("tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames")
        ),
        ({"identity_issuer": "http://karya.example.org"}, "Let KARYA_IDENTITY_ISSUER be the https:// address"),
        ({"identity_issuer": "http://192.168.1.7:8005"}, "Let KARYA_IDENTITY_ISSUER be the https:// address"),
        ({"identity_issuer": "karya.example.org"}, "Let KARYA_IDENTITY_ISSUER be the https:// address"),
        ({"identity_url": "http://identity:8000"}, "Let KARYA_IDENTITY_ISSUER be the https:// address"),
        (
            {"identity_url": "http://identity.example.org", "identity_issuer": "https://karya.example.org"},
            "Let KARYA_IDENTITY_URL begin with https://, or name a host of the services' own network",
        ),
        (
            {"identity_url": "http://8.8.8.8:8000", "identity_issuer": "https://karya.example.org"},
            "Let KARYA_IDENTITY_URL begin with https://",
        ),
        ({"kafka": "broker.example.org:9092"}, "as KARYA_KAFKA_CREDENTIALS."),
        ({"kafka": "kafka:9092, 10.0.0.7:9092"}, "as KARYA_KAFKA_CREDENTIALS."),
        ({"kafka": ""}, "as KARYA_KAFKA_CREDENTIALS."),
        ({"mongo": REMOTE}, "as KARYA_MONGO_CREDENTIALS."),
        ({"mongo": "mongodb://mongo,10.0.0.7:27017/"}, "as KARYA_MONGO_CREDENTIALS."),
        ({"mongo": "mongodb://user:secret@db1.example.org"}, "as KARYA_MONGO_CREDENTIALS."),
        ({"mongo": "mongodb+srv://db.example.org/?w=majority"}, "as KARYA_MONGO_CREDENTIALS."),
    ],
)
def test_an_unsafe_setting_is_named_with_what_to_do(changes: dict[str, Any], sentence: str) -> None:
    [reason] = unsafe(Settings.model_validate({**IN_NETWORK, **changes}))
    assert sentence in reason
    assert "secret" not in reason, "logs are read by many"
    assert unsafe(Settings.model_validate({**DEFAULTS, **changes})) == [], "on one machine nobody is between"


@pytest.mark.parametrize(
    "changes",
    [
        {"identity_url": "https://identity.example.org"},
        {"identity_url": "http://identity:8000", "identity_issuer": "http://127.0.0.1:8005"},
        {"identity_url": "http://10.0.0.7:8000", "identity_issuer": "https://karya.example.org"},
        {"identity_url": "http://[fd00::7]:8000", "identity_issuer": "https://karya.example.org"},
        {"http_proxies": "10.0.0.0/8,fd00::/8,proxy"},
        {"kafka": "kafka:19092,localhost:9092,[::1]:9092"},
        {"kafka": "broker.example.org:9092", "kafka_credentials": FILE},
        {"mongo": "mongodb://mongo:27017/?replicaSet=rs0"},
        {"mongo": "mongodb://[::1]:27017,localhost/karya"},
        {"mongo": REMOTE, "mongo_credentials": FILE},
    ],
)
def test_settings_that_hold_are_safe(changes: dict[str, Any]) -> None:
    assert unsafe(Settings.model_validate({**IN_NETWORK, **changes})) == []


def test_every_reason_is_told_at_once() -> None:
    assert len(unsafe(Settings.model_validate({"http_host": "", "access": "open", "unsigned": "allowed"}))) == 2
