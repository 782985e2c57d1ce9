"""A second address of a service, over HTTPS: the portal's in a local network."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

# Until its client has shown itself as one of TLS, a connection has no other bound.
HANDSHAKE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SecuredAddress:
    """A socket that listens, and how its connections are encrypted."""

    listening: socket.socket
    context: ssl.SSLContext


def server_context(certificate: Path) -> ssl.SSLContext:
    """A server's side of TLS 1.2 or newer, with the key and certificate of this file. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate)
    return context
