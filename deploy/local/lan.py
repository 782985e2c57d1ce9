"""The portal in the local network: its address there, the certificate of that address, and what keeps both."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path

import psutil

from deploy.local import process
from deploy.local.server import StackError
from deploy.secure.files import NETWORKS, PORTAL, SecretFiles
from shared.private_file import replace_private
from shared.settings import Settings
from shared.translation import tr

FILE = "lan.json"
PREFERRED_PORT = 8443
# Nothing is sent there: the system only says from which address it would send.
_SOMEWHERE = ("10.254.254.254", 1)


@dataclass(frozen=True, slots=True)
class LanAddress:
    """Where phones in the network reach the portal."""

    host: str
    port: int

    @property
    def origin(self) -> str:
        return f"https://{self.host}:{self.port}"


class LocalNetwork:
    """The opening of the portal to the local network, in `folder`: `karya up --lan` makes it, and the next `karya up`
    without it ends it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._files = SecretFiles(folder / "lan")

    @property
    def address(self) -> LanAddress | None:
        """The address that is open, or None."""
        try:
            return LanAddress(**json.loads(self._file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def of_portal(self, settings: Settings) -> Settings:
        """The portal's settings, by which it listens there too."""
        if (address := self.address) is None:
            return settings
        return settings.model_copy(
            update={
                "tls_host": address.host,
                "tls_port": address.port,
                "tls_certificate": self._files.server(PORTAL),
                "tls_authority": self._files.authorities,
            }
        )

    def open(self, host: str, now: datetime, *, is_served: bool = False) -> bool:
        """Make the certificates for this address, and keep it. Whether the portal's certificate is a new one.

        `is_served`: the portal runs, and may have the port.
        """
        # Imported here, since it takes longer than most commands.
        from deploy.secure.network_certificate import prepare

        is_new = prepare(self._files, host, now)
        former = self.address
        port = former.port if former is not None else PREFERRED_PORT
        if former is None or former.host != host or not is_served:
            port = process.free_port(port, free=lambda candidate: _is_free(host, candidate))
        address = LanAddress(host, port)
        replace_private(self._file, json.dumps(asdict(address)).encode())
        return is_new

    def close(self) -> None:
        """Keep the address no longer. The authority stays, so that phones need no other one the next time."""
        self._file.unlink(missing_ok=True)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the authority that phones have to trust, as they show it."""
        from deploy.secure.network_certificate import fingerprint

        return fingerprint(self._files)


def lan_host(chosen: str | None) -> str:
    """The machine's address in the local network, or the chosen one. Raises StackError if it is none of its own."""
    host = chosen if chosen is not None else _own_address()
    try:
        address: IPv4Address | None = IPv4Address(host or "")
    except ValueError:
        address = None
    if address is None or not any(address in network for network in NETWORKS):
        raise StackError(
            tr(
                "{address} is no private IPv4 address. This machine has: {addresses}. Choose one by --lan-address.",
                address=host or "-",
                addresses=", ".join(private_addresses()) or "-",
            )
        )
    if not _is_own(str(address)):
        raise StackError(
            tr(
                "This machine does not have the address {address}. It has: {addresses}.",
                address=str(address),
                addresses=", ".join(private_addresses()) or "-",
            )
        )
    return str(address)


def private_addresses() -> list[str]:
    """The machine's addresses in private networks, without its own loopback."""
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family is socket.AF_INET
    ]
    return [
        text
        for text in found
        if not IPv4Address(text).is_loopback and any(IPv4Address(text) in network for network in NETWORKS)
    ]


def _own_address() -> str | None:
    """The address from which this machine reaches a private network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _is_own(host: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
        return True


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port with connections in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
