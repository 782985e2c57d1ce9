"""Settings with which no service may listen to a network."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from shared.loopback import is_loopback, is_private_line
from shared.settings import AccessControl, Settings, UnsignedRecords

LEAST_PREFIX = 7
# Options of a MongoDB connection by which anybody may answer in the server's place.
_UNCHECKED = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


def unsafe(settings: Settings) -> list[str]:
    """Why no service may start with these settings, for its log: a sentence for each, empty if one may.

    A service that listens to its own machine alone may start with any.
    """
    hosts = {"KARYA_HTTP_HOST": settings.http_host}
    if settings.tls_host:
        hosts["KARYA_TLS_HOST"] = settings.tls_host
    exposed = next((name for name, host in hosts.items() if not is_loopback(host)), None)
    return [] if exposed is None else list(_reasons(settings, exposed, hosts[exposed]))


def _reasons(settings: Settings, exposed: str, host: str) -> Iterator[str]:
    if settings.access is not AccessControl.TOKENS:
        yield (
            f"KARYA_ACCESS is open, and {exposed} is {host or 'empty'}: everybody in the network "
            f"could do everything. Leave KARYA_ACCESS out, or let {exposed} be 127.0.0.1."
        )
    if settings.unsigned is not UnsignedRecords.REFUSED:
        yield (
            "KARYA_UNSIGNED is allowed: a stolen password would be enough to send records in the name of a device. "
            "Leave KARYA_UNSIGNED out, and enrol devices: `karya devices code`."
        )
    if any(map(_is_everybody, settings.http_proxies.split(","))):
        yield (
            "KARYA_HTTP_PROXIES trusts every address: each caller could give itself another one. Name the addresses "
            "of your proxies."
        )
    if _has_more_than_an_address(settings.issuer):
        yield (
            "KARYA_IDENTITY_ISSUER has more than an address: everybody who gets a token reads it. Let it be "
            "https://HOST, without a user, a query and a fragment."
        )
    elif not is_private_line(settings.issuer):
        yield (
            f"People and devices would send passwords and codes to {settings.issuer} in clear. Let "
            "KARYA_IDENTITY_ISSUER be the https:// address of a proxy before identity."
        )
    if not (is_private_line(settings.identity_url) or _is_of_own_network(settings.identity_url)):
        yield (
            f"Services would ask {settings.identity_url} for the keys of tokens in clear, and a machine between "
            "could answer with others. Let KARYA_IDENTITY_URL begin with https://, or name a host of the services' "
            "own network: a name without dots, or a private address."
        )
    if any(wanted in settings.mongo.lower() for wanted in (f"{option}=true" for option in _UNCHECKED)):
        yield (
            "KARYA_MONGO switches off the check of the server's certificate: another server could answer in its "
            "place. Leave the option out, and name the server's authority as KARYA_MONGO_CA."
        )
    for variable, servers, credentials in (
        ("KARYA_KAFKA", settings.kafka, settings.kafka_credentials),
        ("KARYA_MONGO", _mongo_servers(settings.mongo), settings.mongo_credentials),
    ):
        if credentials is None and not all(map(_is_beside, servers.split(","))):
            yield (
                f"{variable} names a server on another machine, and there is no {variable}_CREDENTIALS: every "
                "machine that reaches that server could read and change everything. Give it users, and the file of "
                f"this service's user as {variable}_CREDENTIALS."
            )


def _is_everybody(proxy: str) -> bool:
    """Whether so many addresses can't be proxies. The largest private network is a /8, and one of IPv6 a /7."""
    try:
        return proxy.strip() == "*" or ip_network(proxy.strip()).prefixlen < LEAST_PREFIX
    except ValueError:
        return False  # a name, which means itself


def _has_more_than_an_address(address: str) -> bool:
    return any(mark in address for mark in "@?#")


def _is_of_own_network(address: str) -> bool:
    """Whether nobody outside the services' network has the host of this address."""
    host = _host(address)
    try:
        return ip_address(host).is_private
    except ValueError:
        return _is_short_name(host)


def _is_beside(server: str) -> bool:
    """Whether this server (host:port) is on this machine, or a container of the same network."""
    host = _host(f"//{server.strip()}")
    return is_loopback(host) or _is_short_name(host)


def _is_short_name(host: str) -> bool:
    # A number is an address too: 134744072 and 0x08080808 are 8.8.8.8.
    return host[:1].isalpha() and not set(".:") & set(host)


def _mongo_servers(connection: str) -> str:
    """The servers of a connection string, host:port with commas."""
    return connection.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
