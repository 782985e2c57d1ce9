"""Enrolment of made-up devices: an account gives a code for each, and the device signs it by its key."""

from typing import Any

import httpx

from shared.access.session import Bearer, TokenSource
from shared.access.signatures import PrivateKey, prove, public_key_of
from shared.errors import KaryaError
from shared.events.identity import Role
from shared.trust import trusted

ANSWER_SECONDS = 15.0
WAIT = {"Prefer": "wait=10"}


class EnrolmentFailed(KaryaError):
    """Identity did not enrol or revoke a device."""


class Enrolment:
    """The identity service at `identity`, as the owner of a scope uses it for the devices there. `owner`: an account
    that may give codes.

    All methods raise EnrolmentFailed for another answer than they need, httpx.TransportError and NotAnswered.
    """

    def __init__(self, identity: str, owner: TokenSource) -> None:
        self._identity = identity
        self._owner = Bearer(owner)
        self._http = httpx.AsyncClient(base_url=identity, timeout=ANSWER_SECONDS, verify=trusted())

    async def close(self) -> None:
        await self._http.aclose()

    async def enrol(self, key: PrivateKey, role: Role, scope: str, name: str) -> str:
        """Enrol the device that has this key. Returns its subject."""
        given = await self._post("/device-codes", {"role": role.value, "scope": scope}, auth=self._owner)
        code = given["code"]
        body = {
            "public_key": public_key_of(key).fields,
            "proof": prove(key, self._identity, code),
            "name": name,
            "scope": scope,
        }
        answer = await self._post(f"/device-codes/{code}/device", body)
        return str(answer["device"])

    async def revoke(self, device: str, reason: str) -> None:
        """Revoke the device for good."""
        await self._post(f"/devices/{device}/revoke", {"reason": reason}, auth=self._owner, headers=WAIT)

    async def _post(self, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        answer = await self._http.post(path, json=body, **options)
        if answer.status_code not in (200, 202):
            raise EnrolmentFailed(f"Identity answered {answer.status_code} to {path.split('/')[1]}: {answer.text}")
        page: dict[str, Any] = answer.json()
        return page
