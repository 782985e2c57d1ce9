"""The opening of the portal to a local network: its address, its certificate, and what it changes for services."""

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy.local import lan
from deploy.local.lan import LanAddress, LocalNetwork, lan_host
from deploy.local.server import StackError
from deploy.local.services import LocalServices
from deploy.secure.certificates import renew
from deploy.secure.files import PORTAL, SecretFiles
from shared.http.tls import server_context
from shared.settings import Settings

pytestmark = pytest.mark.unit

NOW = datetime.now(UTC)
HOST = "192.168.7.20"


@pytest.fixture(autouse=True)
def own_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has every address, and every port of them is free."""
    monkeypatch.setattr(lan, "_is_own", lambda _: True)
    monkeypatch.setattr(lan, "_is_free", lambda _host, _port: True)


def certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(SecretFiles(folder / "lan").server(PORTAL).read_bytes())


def shaken(folder: Path, name: str) -> str:
    """Why a client that trusts the authority refuses the portal under this name; empty if it does not."""
    files = SecretFiles(folder / "lan")
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with ours:
            try:
                server_context(files.server(PORTAL)).wrap_socket(ours, server_side=True).close()
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=str(files.authorities))
    try:
        with theirs, context.wrap_socket(theirs, server_hostname=name):
            return ""
    except ssl.SSLCertVerificationError as fault:
        return fault.verify_message
    finally:
        thread.join()


def test_a_phone_that_trusts_the_authority_takes_the_certificate_at_this_address_alone(tmp_path: Path) -> None:
    network = LocalNetwork(tmp_path)
    assert network.open(HOST, NOW)
    assert network.address == LanAddress(HOST, 8443)
    assert shaken(tmp_path, HOST) == ""
    assert shaken(tmp_path, "127.0.0.1") == ""
    assert "not valid for '192.168.7.21'" in shaken(tmp_path, "192.168.7.21")


@pytest.mark.parametrize("name", ["bank.example", "203.0.113.7"])
def test_the_authority_counts_for_nothing_on_the_internet(tmp_path: Path, name: str) -> None:
    LocalNetwork(tmp_path).open(HOST, NOW)
    try:
        stolen: x509.GeneralName = x509.IPAddress(lan.IPv4Address(name))
    except ValueError:
        stolen = x509.DNSName(name)
    renew(SecretFiles(tmp_path / "lan"), PORTAL, NOW, [stolen])
    assert "permitted subtree violation" in shaken(tmp_path, name)


def test_the_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    LocalNetwork(tmp_path).open(HOST, NOW)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_authority_stays_as_long_as_it_counts_and_the_certificate_follows_the_address(tmp_path: Path) -> None:
    network = LocalNetwork(tmp_path)
    network.open(HOST, NOW)
    trusted, first = network.fingerprint, certificate(tmp_path).serial_number
    assert not network.open(HOST, NOW)
    assert certificate(tmp_path).serial_number == first
    network.close()
    assert network.address is None
    assert network.open("10.1.2.3", NOW)
    assert shaken(tmp_path, "10.1.2.3") == ""
    assert network.open("10.1.2.3", NOW + timedelta(days=40)), "it ends soon"
    assert network.fingerprint == trusted, "phones trust this one"
    assert network.open("10.1.2.3", NOW + timedelta(days=720))
    assert network.fingerprint != trusted


def test_a_port_stays_while_the_portal_has_it_and_gives_way_to_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = LocalNetwork(tmp_path)
    network.open(HOST, NOW)
    monkeypatch.setattr(lan, "_is_free", lambda _host, port: port != 8443)
    network.open(HOST, NOW, is_served=True)
    assert network.address == LanAddress(HOST, 8443)
    network.open(HOST, NOW)
    assert network.address is not None
    assert 8443 < network.address.port <= 8443 + 2000


@pytest.mark.parametrize("host", ["203.0.113.7", "8.8.8.8", "0.0.0.0", "::1", "karya.example", ""])
def test_an_address_that_is_not_private_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "private_addresses", lambda: [HOST])
    with pytest.raises(StackError, match=f"no private IPv4 address.*{HOST}"):
        lan_host(host)


def test_an_address_of_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "_is_own", lambda _: False)
    with pytest.raises(StackError, match="does not have the address"):
        lan_host(HOST)


@pytest.mark.parametrize("found", [HOST, None])
def test_without_a_choice_it_is_the_address_to_private_networks(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lan, "_own_address", lambda: found)
    if found is None:
        with pytest.raises(StackError, match="--lan-address"):
            lan_host(None)
    else:
        assert lan_host(None) == HOST


def test_the_portal_alone_listens_there_and_only_while_it_is_open(tmp_path: Path) -> None:
    network = LocalNetwork(tmp_path)
    for is_open in (False, True, False):
        if is_open:
            network.open(HOST, NOW)
        else:
            network.close()
        services = LocalServices(tmp_path, Settings(), network=network)
        for name, kind in services._kinds.items():
            variables = dict(word.split("=", 1) for word in kind.command(8007) if word.startswith("KARYA_TLS"))
            wanted = HOST if is_open and name == PORTAL else ""
            assert variables["KARYA_TLS_HOST"] == wanted, name
            assert ("KARYA_TLS_CERTIFICATE" in variables) == bool(wanted)
