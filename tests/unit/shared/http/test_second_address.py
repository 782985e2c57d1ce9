"""A service's second address: HTTPS with the same bounds, and the end of both at once."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from deploy.secure.files import PORTAL, SecretFiles
from deploy.secure.network_certificate import prepare
from shared.errors import BadSettings
from shared.http.server import _secured_address, _Server, server_config
from shared.http.unsafe_settings import unsafe
from shared.runtime.plain_service import PlainService
from shared.settings import Settings
from tests.support.waiting import eventually

pytestmark = pytest.mark.unit


async def scheme(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.scheme)


async def test_it_is_encrypted_and_ends_with_the_first(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    prepare(files, "127.0.0.1", datetime.now(UTC))
    settings = Settings(tls_host="127.0.0.1", tls_port=0, tls_certificate=files.server(PORTAL))
    secured = _secured_address(settings)
    assert secured is not None
    port = secured.listening.getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(files.authorities))
    app = Starlette(routes=[Route("/", scheme)])
    with socket.create_server(("127.0.0.1", 0)) as first:
        plain = first.getsockname()[1]
        server = _Server(server_config(app, settings), PlainService("portal", settings), secured)
        serving = asyncio.create_task(server._serve([first]))
        await eventually(lambda: server.started and len(server.servers) == 2, equals=True, within=20)
        async with httpx.AsyncClient(verify=trusting, timeout=20) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "https"
            assert (await client.get(f"http://127.0.0.1:{plain}/")).text == "http"
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{port}/")
            head = {"X-Large": "x" * 40_000}
            assert (await client.get(f"https://127.0.0.1:{port}/", headers=head)).status_code == 400
        async with httpx.AsyncClient(timeout=20) as stranger:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await stranger.get(f"https://127.0.0.1:{port}/")
        server.should_exit = True
        await serving
    for closed in (port, plain):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", closed)).close()


def test_it_needs_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="KARYA_TLS_CERTIFICATE"):
        Settings(tls_host="127.0.0.1")
    with pytest.raises(OSError, match="No such file"):
        _secured_address(Settings(tls_host="127.0.0.1", tls_certificate=tmp_path / "none.pem"))
    assert _secured_address(Settings()) is None


def test_what_is_unsafe_in_a_network_is_unsafe_at_a_second_address(tmp_path: Path) -> None:
    known = {"http_host": "127.0.0.1", "tls_certificate": tmp_path, "access": "open", "unsigned": "allowed"}
    assert unsafe(Settings.model_validate({**known, "tls_host": "127.0.0.1"})) == []
    reasons = unsafe(Settings.model_validate({**known, "tls_host": "192.168.7.20"}))
    assert [reason.partition(" ")[0] for reason in reasons] == ["KARYA_ACCESS", "KARYA_UNSIGNED"]
    assert "let KARYA_TLS_HOST be 127.0.0.1" in reasons[0]
