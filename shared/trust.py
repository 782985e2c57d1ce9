"""What clients of HTTP trust: the certificates of this machine, and no line that others can read."""

import ssl
from functools import cache

import httpx

from shared.errors import NotAnswered
from shared.loopback import is_loopback
from shared.wording import Message


@cache
def trusted() -> ssl.SSLContext:
    """The certificates of this machine. Loading them takes longer than a whole request."""
    return httpx.create_ssl_context()


def refuse_in_clear(address: httpx.URL | str) -> None:
    """Raise NotAnswered for an http:// address of another machine, before a secret goes there in clear.

    Raises httpx.InvalidURL for what is no address.
    """
    url = httpx.URL(address)
    if url.scheme == "http" and not is_loopback(url.host):
        raise NotAnswered(
            Message(
                "{address} begins with http://, so that others could read the passwords, codes and tokens on the "
                "way. Use an address that begins with https://.",
                address=f"http://{url.netloc.decode()}",
            )
        )
