"""The season's devices: each has a key of its own, is enrolled, and sends its signed records to the gateway."""

import asyncio
import base64
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from lab.enrolment import Enrolment
from lab.simulate.errors import ScenarioFailed
from lab.simulate.records import GeneratedRecord
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer, TokenSource
from shared.access.signatures import HEADER, PrivateKey, SignedContent, new_device_key, sign
from shared.events.identity import Role
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.retry import attempts
from shared.trust import trusted

# The gateway takes as many in one request.
WINDOW = 500
PLACES_AT_ONCE = 8
ANSWER_SECONDS = 60.0
KNOWN_WITHIN = 60.0
HEADERS = {"Content-Type": "application/cloudevents-batch+json", "Content-Encoding": "gzip"}
ROLES: Mapping[Topic, Role] = {TERMINAL: Role.TERMINAL, TILL: Role.TILL}


@dataclass(slots=True)
class SeasonDevice:
    """A device with its key, its subject at identity, and its tokens."""

    key: PrivateKey
    subject: str
    auth: httpx.Auth


@dataclass(frozen=True, slots=True)
class Owners:
    """Who gives the codes of terminals and of tills."""

    terminals: TokenSource
    tills: TokenSource


@dataclass(slots=True)
class Fleet:
    """All devices of a season. A device is enrolled before it sends its first record.

    `stored` counts records that Kafka has, `unusable` those that the gateway did not take.
    """

    identity: str
    gateway: httpx.AsyncClient
    enrolments: Mapping[Role, Enrolment]
    stored: int = 0
    unusable: int = 0
    _devices: dict[str, SeasonDevice] = field(default_factory=dict)

    @property
    def enrolled(self) -> int:
        """How many devices were enrolled."""
        return len(self._devices)

    async def send(self, records: Sequence[GeneratedRecord], on_sent: Callable[[int], None]) -> None:
        """Let the devices send their records. Those of one place go one after the other, so that the same seed has
        the same order there. `on_sent` gets how many more were answered.

        Raises ScenarioFailed for a refused record, and for another answer of the gateway.
        """
        places: dict[tuple[Topic, str], list[GeneratedRecord]] = defaultdict(list)
        for record in records:
            places[record.topic, record.key].append(record)
        slots = asyncio.Semaphore(PLACES_AT_ONCE)

        async def send_place(of_place: Sequence[GeneratedRecord]) -> None:
            async with slots:
                for device, portion in portions(of_place):
                    await self._send(await self._device(device, portion[0]), portion)
                    on_sent(len(portion))

        async with asyncio.TaskGroup() as group:
            for of_place in places.values():
                group.create_task(send_place(of_place))

    async def revoke(self, device: str, role: Role) -> None:
        """Revoke a lost device, if it was ever enrolled."""
        if (known := self._devices.get(device)) is not None:
            await self.enrolments[role].revoke(known.subject, "hilang")

    async def offer_by(
        self, account: TokenSource, device: str, records: Sequence[GeneratedRecord]
    ) -> Counter[str | None]:
        """Let somebody's account send what this device has signed. Returns the reasons of the answers, of each record
        once however often it was sent: None for one that was stored."""
        signer = await self._device(device, records[0])
        reasons: dict[str, str | None] = {}
        for start in range(0, len(records), WINDOW):
            portion = records[start : start + WINDOW]
            rows = await self._post(Bearer(account), [signed_event(signer.key, record) for record in portion])
            reasons |= {row["id"]: row.get("reason") for row in rows}
        return Counter(reasons.values())

    async def _send(self, device: SeasonDevice, records: Sequence[GeneratedRecord]) -> None:
        """Send records until each is stored or can't be used: the gateway hears of a new device a moment after
        identity."""
        waiting = [signed_event(device.key, record) for record in records]
        async for _ in attempts(within=KNOWN_WITHIN, first=0.05, most=0.5):
            rows = await self._post(device.auth, waiting)
            self.stored += sum(1 for row in rows if row["status"] == "stored")
            self.unusable += sum(1 for row in rows if row["status"] == "unusable")
            refused = [row for row in rows if row["status"] == "refused"]
            if wrong := [row for row in refused if row["reason"] != "unknown_device"]:
                raise ScenarioFailed(f"A record of a device was refused: {wrong[0]['message']}")
            waiting = [
                event for event, row in zip(waiting, rows, strict=True) if row.get("reason") == "unknown_device"
            ]
            if not waiting:
                return
        raise ScenarioFailed(f"The gateway did not hear of a device within {KNOWN_WITHIN:.0f} s.")

    async def _post(self, auth: httpx.Auth, events: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        body = gzip.compress(json.dumps(events).encode(), compresslevel=1)
        answer = await self.gateway.post("/intake", content=body, headers=HEADERS, auth=auth)
        if answer.status_code != 200:
            raise ScenarioFailed(f"The gateway answered {answer.status_code}: {answer.text}")
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def _device(self, device: str, record: GeneratedRecord) -> SeasonDevice:
        if device not in self._devices:
            key, role = new_device_key(), ROLES[record.topic]
            source = dict(record.headers)["ce_source"] or b""
            _, scope, name = source.decode().split("/")
            subject = await self.enrolments[role].enrol(key, role, scope, name)
            session = DeviceSession(self.identity, lambda: key)
            self._devices[device] = SeasonDevice(key, subject, Bearer(session))
        return self._devices[device]


@asynccontextmanager
async def a_fleet(urls: Mapping[str, str], owners: Owners) -> AsyncIterator[Fleet]:
    """The devices of a stack whose services have these addresses."""
    identity = urls["identity"]
    enrolments = {
        Role.TERMINAL: Enrolment(identity, owners.terminals),
        Role.TILL: Enrolment(identity, owners.tills),
    }
    try:
        async with httpx.AsyncClient(base_url=urls["gateway"], timeout=ANSWER_SECONDS, verify=trusted()) as gateway:
            yield Fleet(identity, gateway, enrolments)
    finally:
        for enrolment in enrolments.values():
            await enrolment.close()


def portions(records: Sequence[GeneratedRecord]) -> Iterator[tuple[str, list[GeneratedRecord]]]:
    """The records of one place as its devices send them: each some at a time, in its own order."""
    for start in range(0, len(records), WINDOW):
        by_device: dict[str, list[GeneratedRecord]] = defaultdict(list)
        for record in records[start : start + WINDOW]:
            assert record.device is not None, "a command is not sent by a device"
            by_device[record.device].append(record)
        yield from by_device.items()


def signed_event(key: PrivateKey, record: GeneratedRecord) -> dict[str, str]:
    """The signed record as a CloudEvent. A damaged one lacks what it lacks."""
    event = {name.removeprefix("ce_"): value.decode() for name, value in record.headers if value is not None}
    event["datacontenttype"] = event.pop("content-type")
    content = SignedContent.of(record.headers, record.key.encode(), record.value or b"")
    event |= {"partitionkey": record.key, HEADER: sign(key, content)}
    if record.value is not None:
        event["data_base64"] = base64.b64encode(record.value).decode()
    return event
