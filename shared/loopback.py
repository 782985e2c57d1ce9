"""Whether an address or name is of this machine alone, and whether others can read what is sent there."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether nobody outside this machine has this host. A name other than localhost may be anybody's."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private_line(address: str) -> bool:
    """Whether nobody between can read or change what is asked at this address: https://, or this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    plain = parts.scheme == "http" and is_loopback(host)
    return bool(host) and not re.search(r"\s", address) and (parts.scheme == "https" or plain)
