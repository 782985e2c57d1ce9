"""A device's access to the services: it proves itself to identity when it syncs, and keeps its token in memory."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from shared.access.session import ANSWER_WITHIN, MARGIN_SECONDS
from shared.access.signatures import PrivateKey, prove, public_key_of
from shared.errors import NotAnswered
from shared.trust import refuse_in_clear, trusted
from shared.wording import Message, message_of

NOT_PROVEN = Message(
    "The identity service does not answer, so that this device can't prove itself. Try again later, or see `karya "
    "status`."
)


class DeviceSession:
    """The tokens of an enrolled device at the identity service at `identity`."""

    has_ended = False

    def __init__(
        self, identity: str, key: Callable[[], PrivateKey], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._identity = identity
        self._key = key
        self._clock = clock
        self._token: str | None = None
        self._expires_at = 0.0

    def token(self) -> str | None:
        if self._token is None or self._expires_at - self._clock() <= MARGIN_SECONDS:
            self._prove()
        return self._token

    def renewed(self, used: str) -> str | None:
        if self._token == used:
            self._prove()
        return self._token

    def _prove(self) -> None:
        """Ask for a new token. Raises NotAnswered, also for a device that identity does not know or has revoked."""
        key, asked_at = self._key(), self._clock()
        device = public_key_of(key).device
        self._token = None
        try:
            refuse_in_clear(self._identity)
            with httpx.Client(base_url=self._identity, timeout=ANSWER_WITHIN, verify=trusted()) as client:
                asked = client.post("/device-challenges", json={"device": device})
                challenge = asked.raise_for_status().json()["challenge"]
                proof = prove(key, self._identity, challenge)
                answer = client.post(
                    "/device-tokens", json={"device": device, "challenge": challenge, "proof": proof}
                )
            if answer.status_code == 401:
                raise NotAnswered(_reason(answer.json()))
            page = answer.raise_for_status().json()
            self._token, self._expires_at = page["access_token"], asked_at + float(page["expires_in"])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
            raise NotAnswered(NOT_PROVEN) from None


def _reason(problem: Mapping[str, Any]) -> Message:
    return message_of(problem["template"], problem.get("values") or {})
