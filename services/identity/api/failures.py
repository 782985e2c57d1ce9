"""Counts failed sign-ins, so that nobody can try many passwords of one login."""

import time
from collections.abc import Callable
from math import ceil

from shared.http.problems import PageRefused
from shared.wording import Message

MOST_FAILURES = 5
WITHIN_SECONDS = 300.0
# Beyond it the oldest logins are forgotten: made-up logins must not fill the memory.
MOST_LOGINS = 10_000
TOO_OFTEN = Message(
    "Too many wrong passwords for this login. Please try again in {wait:second|seconds}, or ask an administrator "
    "for a new password."
)


class Failures:
    """The failures of each login within the last five minutes, in this process. Instances count each for itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[str, list[float]] = {}

    def wait_seconds(self, login: str) -> int:
        """How long the login is locked; 0 if it is not."""
        recent = self._recent(login)
        if len(recent) < MOST_FAILURES:
            return 0
        return max(1, ceil(recent[-MOST_FAILURES] + WITHIN_SECONDS - self._clock()))

    def check(self, login: str) -> None:
        """Raise PageRefused 429 while the login is locked.

        Called before a password is checked, and again after it: of many requests at once no more are judged than of
        those that come one after the other.
        """
        if wait := self.wait_seconds(login):
            raise PageRefused(429, Message(TOO_OFTEN.template, wait=wait), {"Retry-After": str(wait)})

    def add(self, login: str) -> None:
        """Count a failure."""
        recent = [*self._recent(login), self._clock()][-MOST_FAILURES:]
        self._at.pop(login, None)
        self._at[login] = recent
        if len(self._at) > MOST_LOGINS:
            del self._at[next(iter(self._at))]

    def clear(self, login: str) -> None:
        """Forget the failures of a login that has signed in."""
        self._at.pop(login, None)

    def _recent(self, login: str) -> list[float]:
        begin = self._clock() - WITHIN_SECONDS
        return [moment for moment in self._at.get(login, ()) if moment > begin]
