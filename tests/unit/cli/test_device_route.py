"""The route by which `karya terminal sync` and `karya till sync` go: the gateway, or Kafka by choice."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from cli.device_route import device_route
from edge.spool import Owner, Spool
from edge.sync import GatewayRoute, KafkaRoute
from shared.errors import ServersNotConfigured
from shared.events.production import TERMINAL

URL = "http://127.0.0.1:8006"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KARYA_GATEWAY_URL", "KARYA_KAFKA", "KARYA_ROUTE", "KARYA_TOKEN", "KARYA_IDENTITY_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(Owner(tmp_path / "LP-KPG.T1.spool", TERMINAL, "terminal/LP-KPG/T1")) as spool:
        yield spool


def test_kafka_is_taken_by_choice_alone(monkeypatch: pytest.MonkeyPatch, spool: Spool) -> None:
    monkeypatch.setenv("KARYA_KAFKA", "127.0.0.1:9")
    with pytest.raises(ServersNotConfigured, match="set KARYA_GATEWAY_URL"):
        device_route(spool, kafka=False)
    assert isinstance(device_route(spool, kafka=True), KafkaRoute)
    monkeypatch.setenv("KARYA_GATEWAY_URL", URL)
    route = device_route(spool, kafka=False)
    assert isinstance(route, GatewayRoute)
    assert route.url == URL
    assert isinstance(device_route(spool, kafka=True), KafkaRoute)
    monkeypatch.setenv("KARYA_ROUTE", "kafka")
    assert isinstance(device_route(spool, kafka=False), KafkaRoute)


def test_without_any_address_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, spool: Spool) -> None:
    with pytest.raises(ServersNotConfigured):
        device_route(spool, kafka=False)
    monkeypatch.setenv("KARYA_GATEWAY_URL", URL)
    with pytest.raises(ServersNotConfigured):
        device_route(spool, kafka=True)


@pytest.fixture(params=[("refused", "no_right")])
def strict_gateway(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str | None]]]:
    """A gateway that stores no record, and the tokens that it saw. It answers a status and a reason."""
    status, reason = request.param
    tokens: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply([])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            refusal = {
                "status": status,
                "reason": reason,
                "template": "Not {place}.",
                "values": {"place": "X"},
            }
            self.reply([{"id": "x", "message": "Not X.", **refusal}])

        def reply(self, rows: list[object]) -> None:
            tokens.append(self.headers["Authorization"])
            raw = json.dumps(rows).encode()
            self.send_response(200)
            self.send_header("Link", '</news?after=>; rel="next"')
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", tokens
    server.shutdown()
    server.server_close()
    thread.join()


DEVICES = [
    (("terminal", "--facility", "PR-KPG"), ("record", "KTI", "5", "--unlisted")),
    (("till", "--booth", "ODOP.B1"), ("drawer", "open", "--cashier", "P1", "--float", "1.000")),
]


@pytest.mark.parametrize(("device", "record"), DEVICES)
def test_a_record_that_is_not_taken_is_shown_with_its_reason(
    device: tuple[str, ...],
    record: tuple[str, ...],
    strict_gateway: tuple[str, list[str | None]],
    tmp_path: Path,
) -> None:
    url, tokens = strict_gateway
    environment = {"KARYA_GATEWAY_URL": url, "KARYA_SPOOL_DIR": str(tmp_path), "KARYA_TOKEN": "secret"}
    environment["KARYA_ZONE"] = "Asia/Makassar"

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*device, *words], env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    run(*record)
    synced = run("sync", "--wait", "0")
    assert "The gateway did not take 1 record. Nothing is lost" in synced
    assert "Not X." in synced
    [row] = json.loads(run("sync", "--wait", "0", "--json"))["not_taken"]
    assert (row["standing"], row["reason"]) == ("not taken", "no_right")
    shown = run("list")
    assert "not taken" in shown
    assert "Not X." in shown
    assert set(tokens) == {"Bearer secret"}


@pytest.mark.parametrize("strict_gateway", [("held", "device_revoked")], indirect=True)
@pytest.mark.parametrize(("device", "record"), DEVICES)
def test_a_record_that_the_gateway_holds_is_shown_as_held(
    device: tuple[str, ...], record: tuple[str, ...], strict_gateway: tuple[str, list[str | None]], tmp_path: Path
) -> None:
    environment = {"KARYA_GATEWAY_URL": strict_gateway[0], "KARYA_SPOOL_DIR": str(tmp_path)}
    environment["KARYA_ZONE"] = "Asia/Makassar"

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*device, *words], env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    run(*record)
    synced = run("sync", "--wait", "0")
    assert "The gateway holds 1 record of a revoked device until an operator decides." in synced
    assert "did not take" not in synced
    [row] = json.loads(run("sync", "--wait", "0", "--json"))["not_taken"]
    assert (row["standing"], row["reason"]) == ("held", "device_revoked")
