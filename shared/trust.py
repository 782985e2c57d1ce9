"""The certificates that clients of HTTP trust."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The certificates of this machine. Loading them takes longer than a whole request."""
    return httpx.create_ssl_context()
