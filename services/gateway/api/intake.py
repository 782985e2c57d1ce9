"""POST /intake: the records of terminals and tills, appended to their topics."""

import time
import zlib
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core import from_json

from services.gateway.api.cloud_events import CloudEvent, CloudEvents
from services.gateway.api.held import SOURCE
from services.gateway.api.records import (
    CONTENT_TYPE,
    KINDS,
    RecordRefused,
    Signers,
    TakenRecord,
    named_source,
    signer,
    take,
)
from services.gateway.domain.held_record import HeldDevice, HeldStatus, device_id, held_id
from services.gateway.domain.holding import TOO_MANY_HELD
from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import NewsItem
from services.gateway.store import BOOTH_NEWS, FACILITY_NEWS, HELD_DEVICES, HELD_RECORD_DOCUMENTS, KNOWN_DEVICES
from shared import envelope
from shared.access.tokens import Caller
from shared.duplicates import NAME_TWICE, name_twice
from shared.envelope import is_name
from shared.errors import Unusable
from shared.events.gateway import HELD_COMMANDS
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.faults import not_json, value_error
from shared.http.access import caller_of
from shared.http.admission import MAX_RECORDS_BYTES, NO_RECORDS, TOO_MANY_BYTES
from shared.http.commands import Prefer, wait_seconds
from shared.http.problems import PageRefused, problem
from shared.retry import PASSING, attempts
from shared.runtime.processor import Collection
from shared.runtime.service import Appended, Service
from shared.settings import UnsignedRecords
from shared.wording import Message, as_message

log = structlog.get_logger()

MOST_RECORDS = 500
ASK_AGAIN_SECONDS = 0.2
RETRY_AFTER = {"Retry-After": "5"}
HELD = Message("The device of this record is revoked. The record is held until an operator releases or refuses it.")
TOO_LARGE = Message("The record with its attributes is larger than Kafka takes.")
# Where the answers to the records of a topic are kept.
_NEWS: Mapping[str, Collection[NewsItem]] = {TERMINAL.name: FACILITY_NEWS, TILL.name: BOOTH_NEWS}


class IntakeStatus(StrEnum):
    """What became of a record. `STORED`: its topic has it, now or from an earlier request. `HELD`: its device is
    revoked, and the gateway keeps it until an operator decides. `REFUSED`: the caller may not send it, or an operator
    has refused it. `UNUSABLE`: no reader could use it."""

    STORED = "stored"
    HELD = "held"
    REFUSED = "refused"
    UNUSABLE = "unusable"


class RecordAnswer(BaseModel):
    """What became of one record. Without a usable id its `id` is null. `reason` and `message` say why it was not
    stored. `outcome`: the first event that answers it, if there was one within the wait that was asked for."""

    id: str | None
    status: IntakeStatus
    reason: str | None = None
    message: str | None = None
    template: str | None = None
    values: dict[str, str | int] | None = None
    outcome: CloudEvent | None = None


def routes(service: Service) -> APIRouter:
    """The router of the intake."""
    router = APIRouter()

    @router.post(
        "/intake",
        summary="Take records of terminals and tills, and answer for each of them",
        operation_id="Intake",
        response_model=list[RecordAnswer],
        responses=_ANSWERS,
        openapi_extra=_OPENAPI,
    )
    async def intake(request: Request, prefer: Prefer = None) -> JSONResponse:
        sent = _records(_unpacked(await request.body(), request.headers.get("content-encoding", "identity")))
        answers, taken = _judged(sent, caller_of(request), await _signers(service, sent))
        if held_ids := {_held_id(record) for _, record in taken if record.revoked is not None}:
            taken = _undecided(answers, taken, await held_records(service, held_ids))
            device_ids = {_device_id(record) for _, record in taken if record.revoked is not None}
            taken = _within_bounds(answers, taken, await held_devices(service, device_ids))
        stored = await service.append_all([_appended(record) for _, record in taken])
        for number in stored.too_large:
            position, record = taken[number]
            answers[position] = _unstored(record.id, IntakeStatus.UNUSABLE, "too_large", TOO_LARGE)
        if stored.front < len(taken):
            front = taken[stored.front][0]
            return problem(
                503,
                Message("Not all records were stored"),
                Message("Kafka did not answer. Send the records after the first {stored} again.", stored=front),
                RETRY_AFTER,
                stored=front,
                records=_content(answers[:front]),
            )
        appended = [entry for number, entry in enumerate(taken) if number not in stored.too_large]
        await _add_outcomes(service, answers, appended, wait_seconds(prefer))
        return JSONResponse(_content(answers))

    return router


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body of the request, at most MAX_RECORDS_BYTES. Raises PageRefused for more, and RequestValidationError for
    data that is not one whole gzip member."""
    if encoding.lower() != "gzip":
        return body
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        # No byte more: a small body may unpack to gigabytes.
        unpacked = stream.decompress(body, MAX_RECORDS_BYTES + 1)
    except zlib.error:
        raise _invalid((), Message("The body is not gzip.")) from None
    if len(unpacked) > MAX_RECORDS_BYTES:
        raise PageRefused(413, TOO_MANY_BYTES)
    if not stream.eof or stream.unused_data:
        raise _invalid((), Message("The body is not one whole gzip member."))
    return unpacked


def _records(body: bytes) -> list[Any]:
    """The items of the JSON array. Raises RequestValidationError, and PageRefused for too many."""
    try:
        sent = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise _invalid((), not_json(error)) from None
    if not isinstance(sent, list):
        raise _invalid((), Message("The body must be a JSON array of records."))
    if len(sent) > MOST_RECORDS:
        raise PageRefused(413, Message("One request has at most {most} records.", most=MOST_RECORDS))
    if (place := name_twice(body)) is not None:
        raise _invalid(place, NAME_TWICE)
    return sent


def _invalid(location: tuple[str | int, ...], message: Message) -> RequestValidationError:
    return RequestValidationError([value_error(("body", *location), message)])


async def _signers(service: Service, sent: Sequence[Any]) -> Signers:
    """What the service knows of the signers of these records, and of their devices' names. Raises PyMongoError."""
    subjects = {name for item in sent if (name := signer(item)) is not None}
    sources = {source for item in sent if (source := named_source(item)) is not None}
    devices = await known_devices(service, subjects, sources)
    return Signers(devices, required=service.settings.unsigned is UnsignedRecords.REFUSED)


async def known_devices(service: Service, subjects: Set[str], sources: Set[str]) -> Mapping[str, KnownDevice]:
    """Those of the devices that are enrolled, and all that are for these sources, as far as the service has worked.
    Raises PyMongoError."""
    queries = [{"_id": {"$in": sorted(subjects)}}, {"source": {"$in": sorted(sources)}}]
    wanted = [query for query, names in zip(queries, (subjects, sources), strict=True) if names]
    if not wanted:
        return {}
    found = service.database[KNOWN_DEVICES.name].find({"$or": wanted})
    return {document["_id"]: KNOWN_DEVICES.from_document(document) for document in await found.to_list(None)}


class HeldState(NamedTuple):
    """The status of a held record, and why it was refused."""

    status: HeldStatus
    reason: str | None


async def held_records(service: Service, ids: Set[str]) -> Mapping[str, HeldState]:
    """Those of these records that are held or were, as far as the service has worked. Raises PyMongoError."""
    # Without their values, which may be megabytes.
    found = service.database[HELD_RECORD_DOCUMENTS.name].find({"_id": {"$in": sorted(ids)}}, ("status", "reason"))
    return {
        document["_id"]: HeldState(HeldStatus(document["status"]), document["reason"])
        for document in await found.to_list(None)
    }


async def held_devices(service: Service, ids: Set[str]) -> dict[str, HeldDevice]:
    """Those of these devices that have or had held records, as far as the service has worked. Raises PyMongoError."""
    found = service.database[HELD_DEVICES.name].find({"_id": {"$in": sorted(ids)}})
    return {document["_id"]: HELD_DEVICES.from_document(document) for document in await found.to_list(None)}


def _held_id(record: TakenRecord) -> str:
    return held_id(record.place, record.revoked or "", record.id)


def _device_id(record: TakenRecord) -> str:
    return device_id(record.place, record.revoked or "")


def _appended(record: TakenRecord) -> Appended:
    """What is written for a record: itself to its topic, or its bytes to the gateway's own."""
    if record.revoked is None:
        return Appended(record.kind.topic, record.place, record.value, record.headers)
    body = record.to_hold
    headers = envelope.headers(
        id=str(uuid4()),
        source=SOURCE,
        topic=HELD_COMMANDS,
        body=body,
        time=datetime.now(UTC),
        actor=envelope.header(record.headers, envelope.ACTOR),
    )
    return Appended(HELD_COMMANDS, record.place, envelope.encode(body), headers)


def _undecided(
    answers: list[RecordAnswer], taken: Sequence[tuple[int, TakenRecord]], held: Mapping[str, HeldState]
) -> list[tuple[int, TakenRecord]]:
    """The records that have to be written, without those that are held or were. The answers of these tell it."""
    unknown: list[tuple[int, TakenRecord]] = []
    for position, record in taken:
        known = held.get(_held_id(record)) if record.revoked is not None else None
        if known is None:
            unknown.append((position, record))
        elif known.status is HeldStatus.RELEASED:
            answers[position] = RecordAnswer(id=record.id, status=IntakeStatus.STORED)
        elif known.status is HeldStatus.REFUSED:
            message = Message("An operator has refused this record: {reason}", reason=known.reason or "")
            answers[position] = _unstored(record.id, IntakeStatus.REFUSED, "refused_by_operator", message)
    return unknown


def _within_bounds(
    answers: list[RecordAnswer], taken: Sequence[tuple[int, TakenRecord]], devices: dict[str, HeldDevice]
) -> list[tuple[int, TakenRecord]]:
    """The records without those that the gateway can't hold any more. The answers of these tell it."""
    kept: list[tuple[int, TakenRecord]] = []
    for position, record in taken:
        if record.revoked is not None:
            id = _device_id(record)
            device = devices.get(id) or HeldDevice(id)
            if not device.has_room(len(record.value)):
                answers[position] = _unstored(record.id, IntakeStatus.REFUSED, "too_many_held", TOO_MANY_HELD)
                continue
            devices[id] = device.after(1, len(record.value))
        kept.append((position, record))
    return kept


def _judged(
    sent: Sequence[Any], caller: Caller, signers: Signers
) -> tuple[list[RecordAnswer], list[tuple[int, TakenRecord]]]:
    """An answer for each record, as if all that can be stored were, and those records with their positions."""
    answers: list[RecordAnswer] = []
    taken: list[tuple[int, TakenRecord]] = []
    now = int(time.time() * 1000)
    for position, item in enumerate(sent):
        try:
            record = take(item, caller, now, signers)
        except Unusable as fault:
            message = as_message(fault.message)
            answers.append(_unstored(_id_of(item), IntakeStatus.UNUSABLE, fault.reason.lower(), message))
        except RecordRefused as refused:
            answers.append(_unstored(_id_of(item), IntakeStatus.REFUSED, refused.reason, refused.message))
        else:
            if record.revoked is None:
                answers.append(RecordAnswer(id=record.id, status=IntakeStatus.STORED))
            else:
                answers.append(_unstored(record.id, IntakeStatus.HELD, "device_revoked", HELD))
            taken.append((position, record))
    return answers, taken


def _id_of(item: Any) -> str | None:
    """The id of an item, or None if it has none that is usable."""
    id = item.get("id") if isinstance(item, dict) else None
    return id if isinstance(id, str) and is_name(id.encode()) else None


def _unstored(id: str | None, status: IntakeStatus, reason: str, message: Message) -> RecordAnswer:
    log.info("record_not_stored", status=status.value, reason=reason)
    return RecordAnswer(
        id=id,
        status=status,
        reason=reason,
        message=message.english,
        template=message.template,
        values=message.plain_values,
    )


async def _add_outcomes(
    service: Service, answers: Sequence[RecordAnswer], taken: Sequence[tuple[int, TakenRecord]], wait: float
) -> None:
    """Wait for the services' answers to the records, and add those that have come."""
    if not wait:
        return
    waiting = {position: record for position, record in taken if record.is_answered}
    async for _ in attempts(within=wait, first=0.02, most=ASK_AGAIN_SECONDS):
        try:
            found = await _outcomes(service, waiting)
        except PASSING as fault:
            # The records are stored, so that a fault of the database must not look like one of theirs.
            log.warning("outcome_lookup_failed", fault=repr(fault)[:300])
            continue
        for position, item in found.items():
            answers[position].outcome = CloudEvent.of(item)
            del waiting[position]
        if not waiting or service.stopping.is_set():
            return


async def _outcomes(service: Service, waiting: Mapping[int, TakenRecord]) -> dict[int, NewsItem]:
    """The first news item about each of these records, by their positions."""
    found: dict[int, NewsItem] = {}
    for kind in KINDS:
        records = {position: record for position, record in waiting.items() if record.kind is kind}
        if not records:
            continue
        collection = _NEWS[kind.topic.name]
        ids = list({record.id for record in records.values()})
        documents = (
            await service.database[collection.name].find({"about": {"$in": ids}}).sort("arrived", 1).to_list(None)
        )
        items = [collection.from_document(document) for document in documents]
        for position, record in records.items():
            item = next((item for item in items if _answers(item, record)), None)
            if item is not None:
                found[position] = item
    return found


def _answers(item: NewsItem, record: TakenRecord) -> bool:
    """Whether the item is about this record, and not about one with its id of another place or device."""
    device = getattr(record.body, record.kind.name)
    # What is said of held records names no terminal and no till: it is no answer.
    of_device = getattr(item.body, record.kind.name, None) == device
    return (item.about, item.place) == (record.id, record.place) and of_device


def _content(answers: Sequence[RecordAnswer]) -> list[dict[str, Any]]:
    return [answer.model_dump(mode="json", exclude_none=True) | {"id": answer.id} for answer in answers]


_EVENT = {
    "type": "object",
    "title": "Record",
    "description": "A CloudEvent of a device in JSON. `source` is `terminal/FACILITY/NAME` or `till/BOOTH/NAME`.",
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string", "enum": sorted(type for kind in KINDS for type in kind.topic.by_type)},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string", "enum": [CONTENT_TYPE], "default": CONTENT_TYPE},
        "partitionkey": {"type": "string", "description": "the facility or booth; that of the body if left out"},
        "traceparent": {"type": "string"},
        "devsig": {"type": "string", "description": "the device's signature, as docs/guides/devices.md says"},
        "data_base64": {"type": "string", "description": "the exact bytes of the body, which are stored"},
    },
    "required": ["specversion", "id", "source", "type", "time", "data_base64"],
}
_OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {CloudEvents.media_type: {"schema": {"type": "array", "maxItems": MOST_RECORDS, "items": _EVENT}}},
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "What became of each record, in their order"},
    413: {
        "description": f"More than {MOST_RECORDS} records or {MAX_RECORDS_BYTES // 1024 // 1024} MiB, also unpacked"
    },
    415: {"description": NO_RECORDS.english},
    422: {"description": "No JSON array, or no gzip; nothing was stored"},
    503: {"description": "Kafka does not answer: `stored` records of the front were taken; send the others again"},
}
