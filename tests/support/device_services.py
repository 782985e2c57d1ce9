"""Gateway and identity for devices behind the portal, in memory, with the checks of the real ones."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx

from services.gateway.api.cloud_events import CloudEvent
from services.gateway.api.records import RecordRefused, Signers, TakenRecord, take
from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import NewsItem, news_id
from services.sales.api.pages import DeviceRecordsPage
from services.sales.domain.device import Device, receive_record
from shared.access.rights import Grant
from shared.access.signatures import check_proof
from shared.access.tokens import Caller
from shared.errors import Unusable
from shared.events.festival import BOOTH_STOCK
from shared.events.identity import PublicKey, Role
from shared.events.language import Body, Topic
from shared.events.sales import SALES, TillRecord
from tests.support.callers import ISSUER
from tests.support.portal import OtherServices

BOOTH = "ODOP.B07"
CODE = "kopi-tenun-ikat"


class DeviceServices(OtherServices):
    """One booth and its tills. `code` enrols any number of devices there.

    `intakes`: the ids of each request, in order. `records`: what was stored, doubles too. `faults`: what the intake
    answers instead, the first one first. `refused`: types of records that are refused. `silent`: the next answers of
    the intake are lost on their way back.
    """

    place = BOOTH
    role = Role.TILL
    news_path = f"/booths/{BOOTH}/news"

    def __init__(self, *bodies: Body) -> None:
        super().__init__()
        self.devices: dict[str, KnownDevice] = {}
        self.records: list[TakenRecord] = []
        self.intakes: list[list[str]] = []
        self.faults: list[httpx.Response] = []
        self.refused: set[str] = set()
        self.silent = 0
        self.news: list[dict[str, Any]] = []
        self._challenges: set[str] = set()
        self._tokens: dict[str, str] = {}
        self.say(*bodies)

    @property
    def stored(self) -> list[TakenRecord]:
        """The records as a reader sees them: each id once."""
        return list({record.id: record for record in self.records}.values())

    def say(self, *bodies: Body) -> None:
        """News of the place."""
        now = datetime.now(UTC)
        for body in bodies:
            topic, about = self._told_by(body)
            id = str(uuid4())
            item = NewsItem(
                id=news_id(topic, "test", id),
                place=self.place,
                topic=topic.name,
                body=body,
                source="test",
                event=id,
                time=now,
                logged_at=now,
                about=about,
            )
            self.news.append(CloudEvent.of(item).model_dump(exclude_none=True))

    def _told_by(self, body: Body) -> tuple[Topic, str | None]:
        """The topic of an event, and the id of the record that it is about."""
        topic = BOOTH_STOCK if type(body) in BOOTH_STOCK.bodies else SALES
        return topic, getattr(body, "receipt", None) if topic is SALES else None

    def forget_devices(self) -> None:
        """No device is enrolled any more, and no token is good."""
        self.devices.clear()
        self._tokens.clear()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        service, path = request.url.host.partition(".")[0], unquote(request.url.path)
        if service in self.away:
            raise httpx.ConnectError("nothing listens there")
        body = await request.aread()
        if service == "identity" and path.startswith("/device-"):
            return self._identity(path, json.loads(body))
        if service == "sales" and path == f"/booths/{self.place}/devices":
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
                return _problem(401, "The token has expired. Sign in again.")
            return httpx.Response(200, json=self._arrived())
        if service == "gateway":
            device = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if device is None:
                return _problem(401, "The token has expired. Sign in again.")
            if path == "/intake":
                unpacked = gzip.decompress(body) if "content-encoding" in request.headers else body
                return self._intake(json.loads(unpacked), device)
            if path == self.news_path:
                after = int(request.url.params.get("after", "0"))
                link = f'<{self.news_path}?after={len(self.news)}>; rel="next"'
                return httpx.Response(200, json=self.news[after:], headers={"Link": link})
        return await super()._answer(request)

    def _arrived(self) -> list[dict[str, Any]]:
        """What sales has of each till."""
        devices: tuple[Device, ...] = ()
        for record in self.stored:
            if isinstance(record.body, TillRecord):
                devices, _ = receive_record(devices, record.body, record.id)
        return [DeviceRecordsPage.of(device).model_dump(mode="json") for device in devices]

    def _identity(self, path: str, body: Any) -> httpx.Response:
        if path == f"/device-codes/{CODE}/device":
            key = PublicKey.of(body["public_key"])
            check_proof(body["proof"], ISSUER, CODE, key)
            source = f"{self.role}/{self.place}/{body['name']}"
            self.devices[key.device] = KnownDevice(key.device, key, source, datetime.now(UTC))
            enrolled = {"device": key.device, "role": self.role, "scope": self.place, "name": body["name"]}
            return httpx.Response(200, json=enrolled)
        if path == "/device-challenges":
            self._challenges.add(challenge := uuid4().hex)
            return httpx.Response(200, json={"challenge": challenge, "expires_in": 60})
        if path == "/device-tokens" and body["device"] in self.devices and body["challenge"] in self._challenges:
            self._challenges.remove(body["challenge"])
            check_proof(body["proof"], ISSUER, body["challenge"], self.devices[body["device"]].public_key)
            self._tokens[token := uuid4().hex] = body["device"]
            return httpx.Response(200, json={"access_token": token, "token_type": "Bearer", "expires_in": 300})
        if path == "/device-tokens":
            return _problem(401, "This device is not enrolled, or its proof does not count.")
        return _problem(404, "The code is unknown, was used or is too old.")

    def _intake(self, sent: Sequence[Any], device: str) -> httpx.Response:
        if self.faults:
            return self.faults.pop(0)
        self.intakes.append([item["id"] for item in sent])
        caller = Caller(subject=device, grants=(Grant(self.role, self.place),))
        answers = [self._judged(item, caller) for item in sent]
        if self.silent:
            self.silent -= 1
            raise httpx.ReadError("the line was cut")
        return httpx.Response(200, json=answers)

    def _judged(self, item: Any, caller: Caller) -> dict[str, Any]:
        if item["type"].partition(".")[0] in self.refused:
            return _unstored(item, "no_right", "Your account may not do this.")
        try:
            record = take(item, caller, int(datetime.now(UTC).timestamp() * 1000), Signers(self.devices))
        except (Unusable, RecordRefused) as fault:
            return _unstored(item, fault.reason, str(fault))
        self.records.append(record)
        return {"id": record.id, "status": "stored"}


def _unstored(item: Any, reason: str, sentence: str) -> dict[str, Any]:
    answer = {"id": item["id"], "status": "refused", "reason": reason, "message": sentence}
    return answer | {"template": sentence, "values": {}}


def _problem(status: int, sentence: str) -> httpx.Response:
    return httpx.Response(status, json={"detail": sentence, "template": sentence, "values": {}})
