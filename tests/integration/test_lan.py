"""`karya up --lan`: the portal alone, over HTTPS at an address of the local network, until it is closed."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from cli import app
from cli.sample_accounts import sample_of
from deploy.local.lan import LocalNetwork
from deploy.local.services import LocalServices
from deploy.local.stack import LocalStack
from deploy.secure.files import PORTAL, SecretFiles
from shared.events.identity import Role

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

# Of this machine alone, whatever network it is in.
HOST = "127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("cli.stack.FOLDER", tmp_path)
    # Other tests run without access control.
    for name in ("KARYA_ACCESS", "KARYA_UNSIGNED"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    LocalServices(tmp_path, LocalStack(tmp_path, keep_running=True).addresses.settings(), keep_running=True).stop()
    LocalStack(tmp_path, keep_running=True).stop()


def up(*words: str) -> str:
    result = CliRunner().invoke(app, ["up", "--http-port", "18501", *words], env={"KARYA_LANG": "en"})
    assert result.exit_code == 0, result.output
    return result.output


def variables(services: LocalServices, name: str) -> dict[str, str]:
    return psutil.Process(services.servers[name].pid).environ()


def test_phones_sign_in_over_https_while_the_portal_is_open_to_them(folder: Path) -> None:
    up()
    settings = LocalStack(folder, keep_running=True).addresses.settings()
    services = LocalServices(folder, settings, keep_running=True)
    pids = {name: server.pid for name, server in services.servers.items()}
    assert variables(services, "gateway")["KARYA_UNSIGNED"] == "allowed"

    said = up("--lan-address", HOST)
    address = LocalNetwork(folder).address
    assert address is not None
    assert f"{address.origin}/install" in said
    assert LocalNetwork(folder).fingerprint in said
    assert "The sample accounts are for trying out" in " ".join(said.split())
    assert address.origin in CliRunner().invoke(app, ["status"]).stdout

    services = LocalServices(folder, settings, keep_running=True)
    restarted = {name for name, server in services.servers.items() if server.pid != pids[name]}
    assert restarted == {PORTAL, "gateway"}
    for name in restarted:
        assert variables(services, name)["KARYA_UNSIGNED"] == "refused", "an enrolled key is needed"
    open_to_phones = {name for name in services.servers if variables(services, name)["KARYA_TLS_HOST"]}
    assert open_to_phones == {PORTAL}

    trusted = ssl.create_default_context(cafile=str(SecretFiles(folder / "lan").authorities))
    account = sample_of(folder, Role.ORGANISER)
    with httpx.Client(base_url=address.origin, verify=trusted, timeout=40, trust_env=False) as phone:
        phone.headers["Accept-Language"] = "en"
        assert LocalNetwork(folder).fingerprint in phone.get("/install").text
        form = {"login": account.login, "password": account.password, "next": "/festivals"}
        answer = phone.post("/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/festivals")
        assert set(phone.cookies) == {"__Host-karya"}
        assert phone.get("/festivals").status_code == 200
        issuer = phone.get("/identity/.well-known/oauth-authorization-server").json()["issuer"]
        assert issuer == services.urls["identity"], "devices prove themselves for it as before"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(f"{address.origin}/install", trust_env=False)
        # On the machine itself all is as before.
        assert httpx.get(f"{services.urls[PORTAL]}/sign-in", trust_env=False).status_code == 200

    up()
    assert LocalNetwork(folder).address is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address.origin}/install", verify=trusted, trust_env=False)
