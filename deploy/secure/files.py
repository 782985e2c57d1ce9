"""The files that let the programs of a stack in: certificates, and the credentials of each principal."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

KAFKA, MONGO = "kafka", "mongo"
# Makes topics, users and rights. No service and no tool of operators works with it.
ADMINISTRATOR = "administrator"
OPERATOR = "operator"
PORTAL = "portal"
SUBSCRIBER = "subscriber"
# Those that are nobody's on the internet.
NETWORKS = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The files of `folder`, all in PEM but the credentials."""

    folder: Path

    @property
    def authorities(self) -> Path:
        """The certificates of the authorities that clients trust."""
        return self.folder / "authorities.pem"

    @property
    def authority(self) -> Path:
        """The key and the certificate that sign now. No server and no client needs it."""
        return self.folder / "authority.pem"

    def server(self, name: str) -> Path:
        """The private key and the certificate of a server."""
        return self.folder / f"{name}.pem"

    def credentials_file(self, server: str, principal: str) -> Path:
        """The principal's user of this server, and its password."""
        return self.folder / server / principal
