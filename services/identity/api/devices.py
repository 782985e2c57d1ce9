"""Devices: codes by which they are enrolled, the challenge by which they prove themselves, and who may see them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.identity.api.callers import Accounts, right_to_enrol
from services.identity.api.invitations import AGAIN, UNKNOWN_CODE, CodePage
from services.identity.api.requests import AskChallenge, DeviceCode, EnrolKey, ProveDevice, described, invalid
from services.identity.api.sessions import WAIT
from services.identity.api.tokens import NOT_KEPT
from services.identity.domain.device import EnrolledDevice
from services.identity.domain.enrolment import wrong_place
from services.identity.handlers import REVOKE
from services.identity.store import DEVICES, Secrets
from services.identity.store.challenges import CHALLENGE_LIFETIME
from services.identity.store.codes import Code
from services.identity.store.devices import FESTIVAL
from shared.access.rights import Action, Grant
from shared.access.signatures import SignatureRefused, check_key, check_proof
from shared.access.tokens import LIFETIME, issue
from shared.events.identity import DEVICE_ROLES, EnrolDevice, PublicKey, RevokeDevice
from shared.events.language import Body
from shared.faults import value_error
from shared.http.access import CHALLENGE, require
from shared.http.commands import CommandReply, Commands, parse_command
from shared.http.endpoints import ANSWERS, add_commands
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

CLIENT = "karya-device"
CODE_LIFETIME = timedelta(minutes=10)
GIVER_GONE = Message(
    "The account that gave this code may not enrol devices here any more. Please ask for a new code."
)
NO_DEVICE = Message("There is no device {device} (yet).")
NOT_PROVEN = Message("The device has not proven that it has this key.")
NOT_ENROLLED = Message("This device is not enrolled, or its proof does not count. Enrol it with a new code.")
REVOKED = Message(
    "This device is revoked. `karya terminal export` or `karya till export` writes its unsent records to a file for "
    "an operator. To use the device again, move its .key file away and enrol it with a new code."
)
OLD_CHALLENGE = Message("The challenge is too old, or was used. Ask for a new one.")
OTHER_PLACE = Message("The code is for {scope}, and the device is set up for {other}.")
_REVOKE_ANSWERS: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such device (yet)"}}
_CODE_ANSWERS: dict[int | str, dict[str, Any]] = {
    404: {"description": "The code is unknown, used or too old"},
    409: {"description": "Refused: a sentence says why"},
}


class EnrolmentPage(CommandReply):
    """The device as it is enrolled, and the command by which it is."""

    device: str
    role: str
    scope: str
    name: str


class ChallengePage(BaseModel):
    """A challenge that the device signs within `expires_in` seconds."""

    challenge: str
    expires_in: int


class DeviceTokenPage(BaseModel):
    """An access token for `expires_in` seconds. The next one needs another challenge."""

    access_token: str
    token_type: str
    expires_in: int


class DevicePage(BaseModel):
    """A device. `key`: its public key, as RFC 7517 has it."""

    device: str
    role: str
    scope: str
    name: str
    key: dict[str, Any]
    enrolled_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, device: EnrolledDevice) -> "DevicePage":
        return cls(
            device=device.id,
            role=device.role.value,
            scope=device.scope,
            name=device.name,
            key=device.public_key.fields,
            enrolled_at=device.enrolled_at,
            revoked_at=device.revoked_at,
        )


def routes(service: Service, secrets: Secrets, accounts: Accounts, commands: Commands) -> APIRouter:
    """The router of devices."""
    router = APIRouter(tags=["devices"])
    issuer = service.settings.issuer
    documents = service.database[DEVICES.name]

    async def find(device: str) -> EnrolledDevice | None:
        document = await documents.find_one({"_id": device})
        return DEVICES.from_document(document) if document is not None else None

    async def known(device: str) -> EnrolledDevice:
        found = await find(device)
        if found is None:
            raise PageRefused(404, Message(NO_DEVICE.template, device=device))
        return found

    async def usable(code: str) -> Code:
        """The code of a device. Raises PageRefused unless whoever gave it may enrol such devices still."""
        found = await secrets.device_codes.find(code, datetime.now(UTC))
        if found is None or found.role is None or found.scope is None:
            raise PageRefused(404, UNKNOWN_CODE)
        if not await accounts.still_may(found.by, *right_to_enrol(found.role, found.scope)):
            raise PageRefused(409, GIVER_GONE)
        return found

    async def permit(request: Request, body: Body) -> None:
        assert isinstance(body, RevokeDevice)
        device = await known(body.subject)
        await accounts.require(request, *right_to_enrol(device.role, device.scope))

    add_commands(router, commands, (REVOKE,), permit=permit, answers=ANSWERS | _REVOKE_ANSWERS)

    @router.post(
        "/device-codes",
        summary="Make a code by which a device is enrolled",
        **described("/device-codes", DeviceCode, {}),
    )
    async def give_code(request: Request) -> CodePage:
        body = await parse_command(request, DeviceCode)
        if (message := wrong_place(body.role, body.scope)) is not None:
            raise invalid("role" if body.role not in DEVICE_ROLES else "scope", message)
        caller = await accounts.require(request, *right_to_enrol(body.role, body.scope))
        expires_at = datetime.now(UTC) + CODE_LIFETIME
        code = await secrets.device_codes.add_device(body.role, body.scope, caller.subject, expires_at)
        return CodePage(code=code, expires_at=expires_at)

    @router.post(
        "/device-codes/{code}/device",
        summary="Enrol a device with a code",
        response_model=EnrolmentPage,
        **described("/device-codes/{code}/device", EnrolKey, ANSWERS | _CODE_ANSWERS),
    )
    async def enrol(code: str, request: Request) -> Response:
        body = await parse_command(request, EnrolKey)
        _check_enrolment(body, issuer, code)
        found = await usable(code)
        assert found.role is not None
        assert found.scope is not None
        if body.scope not in (None, found.scope):
            raise PageRefused(409, Message(OTHER_PLACE.template, scope=found.scope, other=str(body.scope)))
        if (message := DEVICE_ROLES[found.role].wrong(body.name)) is not None:
            raise invalid("name", message)
        device = body.public_key.device
        if not await secrets.device_codes.claim(code, device):
            raise PageRefused(404, UNKNOWN_CODE)
        command = EnrolDevice(
            subject=device, public_key=body.public_key, role=found.role, scope=found.scope, name=body.name
        )
        answer = await commands.append(command, WAIT, found.command, found.by)
        if answer.status_code == 503:
            raise PageRefused(503, AGAIN, {"Retry-After": "5"})
        if answer.status_code not in (200, 202):
            return answer
        enrolled = {"device": device, "role": found.role.value, "scope": found.scope, "name": body.name}
        return JSONResponse({**json.loads(bytes(answer.body)), **enrolled}, answer.status_code)

    @router.post(
        "/device-challenges",
        summary="Ask for a challenge that the device signs",
        **described("/device-challenges", AskChallenge, {}),
    )
    async def challenge(request: Request, response: Response) -> ChallengePage:
        body = await parse_command(request, AskChallenge)
        response.headers.update(NOT_KEPT)
        text = await secrets.challenges.new(body.device, datetime.now(UTC))
        return ChallengePage(challenge=text, expires_in=int(CHALLENGE_LIFETIME.total_seconds()))

    @router.post(
        "/device-tokens",
        summary="An access token for a device that has signed its challenge",
        **described(
            "/device-tokens",
            ProveDevice,
            {401: {"description": "The device is unknown or revoked, or its proof or its challenge does not count"}},
        ),
    )
    async def token(request: Request, response: Response) -> DeviceTokenPage:
        body = await parse_command(request, ProveDevice)
        device = await find(body.device)
        if device is None or not _is_proven(body.proof, issuer, body.challenge, device.public_key):
            raise PageRefused(401, NOT_ENROLLED, CHALLENGE)
        if device.revoked_at is not None:
            raise PageRefused(401, REVOKED, CHALLENGE)
        now = datetime.now(UTC)
        if not await secrets.challenges.use(body.challenge, device.id, now):
            raise PageRefused(401, OLD_CHALLENGE, CHALLENGE)
        response.headers.update(NOT_KEPT)
        access_token = issue(
            await secrets.keys.current(),
            issuer=issuer,
            subject=device.id,
            grants=(Grant(device.role, device.scope),),
            client=CLIENT,
            now=now,
        )
        return DeviceTokenPage(
            access_token=access_token, token_type="Bearer", expires_in=int(LIFETIME.total_seconds())
        )

    @router.get("/devices", summary="Devices of a facility, a booth, a festival or of all, as they were enrolled")
    async def many(
        listing: Annotated[Listing, Depends()],
        facility: str | None = None,
        booth: str | None = None,
        festival: str | None = None,
    ) -> list[DevicePage]:
        page = await listing.page(service.database, DEVICES, _filters(facility, booth, festival))
        return [DevicePage.of(device) for device in page]

    @router.get("/devices/{subject}", summary="One device")
    async def one(subject: str, request: Request) -> DevicePage:
        device = await known(subject)
        _, place = right_to_enrol(device.role, device.scope)
        require(request, Action.READ_DEVICES, place)
        return DevicePage.of(device)

    return router


def _check_enrolment(body: EnrolKey, audience: str, code: str) -> None:
    """Raise RequestValidationError unless the sender has this key, which can be used."""
    try:
        check_key(body.public_key)
    except SignatureRefused:
        raise invalid("public_key", Message("This is no key of its curve.")) from None
    if not _is_proven(body.proof, audience, code, body.public_key):
        raise invalid("proof", NOT_PROVEN)


def _is_proven(proof: str, audience: str, challenge: str, key: PublicKey) -> bool:
    try:
        check_proof(proof, audience, challenge, key)
    except SignatureRefused:
        return False
    return True


def _filters(facility: str | None, booth: str | None, festival: str | None) -> Mapping[str, str]:
    """Every filter holds: what a caller may see by one of them is not widened by another."""
    if facility is not None and booth is not None:
        raise RequestValidationError(
            [value_error(("query", "booth"), Message("Ask for the devices of a facility or of a booth."))]
        )
    named = {"scope": facility or booth, FESTIVAL: festival}
    return {field: value for field, value in named.items() if value is not None}
