"""The certificate of the portal's address in a local network, by an authority that phones have to trust.

The authority is one of its own, and counts for private addresses alone: a phone that trusts it takes nothing else for
somebody because of it, even if its key is stolen.
"""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from deploy.secure.certificates import LOCAL, certificate_in, ends_soon, new_authority, renew
from deploy.secure.files import NETWORKS, PORTAL, SecretFiles

AUTHORITY_NAME = "Karya in this network"
# Names are restricted only if one is permitted.
WITHIN: Sequence[x509.GeneralName] = (x509.DNSName("localhost"), *map(x509.IPAddress, NETWORKS))


def prepare(files: SecretFiles, host: str, now: datetime) -> bool:
    """Make what is missing, ends soon, or names another address. Whether the portal's certificate is a new one."""
    own = x509.IPAddress(IPv4Address(host))
    names = [*LOCAL, *([own] if own not in LOCAL else [])]
    is_new = ends_soon(files.authority, now)
    if is_new:
        new_authority(files, now, name=AUTHORITY_NAME, within=WITHIN)
    certificate = files.server(PORTAL)
    if is_new or ends_soon(certificate, now) or _names_in(certificate) != set(names):
        renew(files, PORTAL, now, names)
        return True
    return False


def fingerprint(files: SecretFiles) -> str:
    """The SHA-256 of the authority, as phones show it. Raises OSError and ValueError."""
    return certificate_in(files.authority).fingerprint(hashes.SHA256()).hex(":").upper()


def _names_in(file: Path) -> set[x509.GeneralName]:
    return set(certificate_in(file).extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
