"""Whether an address or name is of this machine alone."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether nobody outside this machine has this host. A name other than localhost may be anybody's."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
