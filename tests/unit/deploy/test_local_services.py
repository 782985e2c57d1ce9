"""The health of a server for `karya status`: it works, or the reason why not."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.local import kafka, mongo, process, services
from deploy.local.kafka import KafkaKind
from deploy.local.mongo import MongoKind
from deploy.local.services import LocalServices, ServiceKind
from shared.settings import Settings


@contextmanager
def fixed_answer(status: int, body: bytes) -> Iterator[str]:
    """A service's address, where every question is answered so."""

    class HealthHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if self.path == "/health/ready" else b"")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), HealthHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def asked(address: str) -> str | None:
    """The answer of a service's probe at this address."""
    trouble = ServiceKind("sales", Path("sales")).trouble(int(address.rpartition(":")[2]))
    return trouble.english if trouble is not None else None


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never answers, like a suspended one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


PROBES = {
    "service": ServiceKind("sales", Path("sales")).trouble,
    "kafka": KafkaKind(Path("kafka")).trouble,
    "mongo": MongoKind(Path("mongo")).trouble,
}


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, b"{}", None),
        (503, b'{"detail": "in has retention.ms=7, not -1"}', "in has retention.ms=7, not -1"),
        (502, b"<html>", "it answers 502: <html>"),
        (503, b"[]", "it answers 503: []"),
    ],
)
def test_what_keeps_a_service_from_being_ready_is_told_in_its_own_words(
    status: int, body: bytes, trouble: str | None
) -> None:
    with fixed_answer(status, body) as address:
        assert asked(address) == trouble


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes wait for half a second, far less than for people."""
    assert max(kafka.HEALTH_SECONDS, services.HEALTH_SECONDS, mongo.ANSWER_MILLISECONDS / 1000) <= 2
    monkeypatch.setattr(kafka, "HEALTH_SECONDS", 0.5)
    monkeypatch.setattr(services, "HEALTH_SECONDS", 0.5)
    monkeypatch.setattr(mongo, "ANSWER_MILLISECONDS", 500)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("probe", PROBES)
def test_a_server_that_is_gone_is_in_trouble(probe: str) -> None:
    with silent() as port:
        pass
    cause = "no connection is possible" if probe == "mongo" else "nothing listens there"
    assert str(PROBES[probe](port)) == f"it does not answer: {cause}"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("probe", PROBES)
def test_a_server_that_never_answers_is_in_trouble_soon(probe: str) -> None:
    with silent() as port:
        began = time.monotonic()
        assert PROBES[probe](port)
        assert time.monotonic() - began < 2


def test_another_program_at_the_port_is_no_broker() -> None:
    with fixed_answer(200, b"{}") as address:
        trouble = KafkaKind(Path("kafka")).trouble(int(address.rpartition(":")[2]))
        assert str(trouble) == "it answers as no Kafka broker does"


def test_services_take_the_wished_port_and_those_after_it(tmp_path: Path) -> None:
    services = LocalServices(tmp_path, Settings(), http_port=9100)
    names = ("production", "inventory", "festival", "sales", "identity", "gateway", "portal", "operations")
    assert [services.servers[name].port for name in names] == list(range(9100, 9108))
    unwished = LocalServices(tmp_path, Settings())
    assert [unwished.servers[name].port for name in names] == list(range(8001, 8009))


def test_each_service_is_told_where_identity_is(tmp_path: Path) -> None:
    services = LocalServices(tmp_path, Settings(identity_issuer="https://identity.example.org"))
    assert next(iter(services.servers)) == "identity", "the first to start: its port is known to the others then"
    services.servers["identity"].port = 9999
    for server in services.servers.values():
        command = server.kind.command(server.port)
        assert {"KARYA_IDENTITY_URL=http://127.0.0.1:9999", "KARYA_IDENTITY_ISSUER="} <= set(command)


def test_the_portal_is_told_where_all_services_are(tmp_path: Path) -> None:
    services = LocalServices(tmp_path, Settings())
    assert list(services.servers)[-1] == "portal", "the last to start: the ports of the others are known then"
    services.servers["gateway"].port = 9999
    portal = services.servers["portal"]
    command = portal.kind.command(portal.port)
    assert "KARYA_GATEWAY_URL=http://127.0.0.1:9999" in command
    assert "KARYA_FESTIVAL_URL=http://127.0.0.1:8003" in command
    others = [server for server in services.servers.values() if server is not portal]
    assert not any("KARYA_GATEWAY_URL=http://127.0.0.1:9999" in other.kind.command(other.port) for other in others)


def test_a_service_with_a_former_address_of_identity_is_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    child = process.spawn(
        ["/usr/bin/env", "KARYA_IDENTITY_URL=http://127.0.0.1:1", *program], folder=tmp_path, log=log, tied=True
    )
    try:
        end = time.monotonic() + 20
        while "up" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.01)
        assert process.variable(child.pid, "KARYA_IDENTITY_URL") == "http://127.0.0.1:1"
        assert process.variable(child.pid, "KARYA_NOT_SET") is None
    finally:
        child.kill()
        child.wait()


def test_the_state_of_a_former_version_lacks_a_service(tmp_path: Path) -> None:
    names = ("production", "inventory", "festival", "sales")
    state = {name: {"pid": None, "port": 9000 + at} for at, name in enumerate(names)}
    (tmp_path / "services.json").write_text(json.dumps(state))
    services = LocalServices(tmp_path, Settings()).servers
    assert {name: services[name].port for name in names} == {name: state[name]["port"] for name in names}
    assert services["identity"].port == 8005
