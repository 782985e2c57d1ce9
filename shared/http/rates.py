"""How many requests each caller may send: an account by its subject, a stranger by the address.

Counts are kept in memory, so that each instance of a service counts for itself. The storages of the library `limits`
5.8 do not fit. Its `MemoryStorage` has no bound of keys: 200,000 made-up addresses within a minute take 68 MB there,
measured, and 1.3 MB here. Its timer goes through all keys every 10 ms meanwhile. Its `MongoDBStorage` writes to the
database for each request.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import Request

from shared.http.answer_headers import add_header
from shared.http.problems import PageRefused
from shared.settings import Settings
from shared.wording import Message

WINDOW_SECONDS = 60
# Beyond it the callers that came least recently are forgotten: made-up addresses must not fill the memory.
MOST_CALLERS = 10_000
# The owner of one IPv6 address has all of its network.
_NETWORK_BITS = 64
TOO_MANY = Message("Too many requests. Please try again in {wait:second|seconds}.")


@dataclass(frozen=True, slots=True)
class Count:
    """What a rate says of one more request. `wait`: seconds until it may come again, 0 if it may come now. `full`:
    seconds until all requests of a window may come at once."""

    remaining: int
    wait: int
    full: int


class RequestRate:
    """At most `most` requests of each caller within a minute, in a burst or evenly.

    The generic cell rate algorithm: each request moves its caller's moment by a fixed step, and may not move it more
    than a window ahead. One number for each caller is kept.
    """

    def __init__(self, name: str, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.most = most
        self._step = WINDOW_SECONDS / most
        self._clock = clock
        self._moments: dict[str, float] = {}

    def count(self, caller: str) -> Count:
        """Count one more request of the caller, unless it must wait."""
        now = self._clock()
        former = max(now, self._moments.pop(caller, now))
        ahead = former + self._step - now
        allowed = ahead <= WINDOW_SECONDS * (1 + 1e-9)
        self._moments[caller] = former + self._step if allowed else former
        if len(self._moments) > MOST_CALLERS:
            del self._moments[next(iter(self._moments))]
        left = WINDOW_SECONDS - (self._moments[caller] - now)
        return Count(
            remaining=int(left / self._step + 1e-6),
            wait=0 if allowed else max(1, ceil(ahead - WINDOW_SECONDS)),
            full=ceil(self._moments[caller] - now),
        )


class Rates:
    """The rates of one service. A setting of 0 sets no bound."""

    def __init__(self, settings: Settings) -> None:
        self._accounts = _rate("account", settings.http_rate)
        self._strangers = _rate("stranger", settings.http_rate_strangers)

    def count_account(self, request: Request, subject: str) -> None:
        """Count a request of an account. Raises PageRefused 429."""
        _count(self._accounts, request, subject)

    def count_stranger(self, request: Request) -> None:
        """Count a request without a valid token. Raises PageRefused 429."""
        _count(self._strangers, request, _network(request.client.host if request.client is not None else ""))


def _rate(name: str, most: int) -> RequestRate | None:
    return RequestRate(name, most) if most else None


def _count(rate: RequestRate | None, request: Request, caller: str) -> None:
    if rate is None:
        return
    count = rate.count(caller)
    for name, value in _fields(rate, count).items():
        add_header(request.scope, name, value)
    if count.wait:
        raise PageRefused(429, Message(TOO_MANY.template, wait=count.wait), {"Retry-After": str(count.wait)})


def _fields(rate: RequestRate, count: Count) -> Mapping[str, str]:
    """Header fields of the IETF's draft on rate limits: the bound, what remains of it, and when all of it does."""
    return {
        "RateLimit-Policy": f'"{rate.name}";q={rate.most};w={WINDOW_SECONDS}',
        "RateLimit": f'"{rate.name}";r={count.remaining};t={count.full}',
    }


def _network(host: str) -> str:
    """The address, or of IPv6 its network, or of an IPv4 address written as IPv6 that one.

    A proxy may pass on what a client made up. All that is no address counts as one caller.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))
