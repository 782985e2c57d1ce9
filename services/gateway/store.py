"""The MongoDB documents of news, of devices, and of held records with the commands about them."""

from typing import Any

from services.gateway.domain.held_record import HeldCommand, HeldDevice, HeldRecord, HeldRejection, HeldStatus
from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES, NewsItem
from shared.events.gateway import HeldRefusal
from shared.events.identity import PublicKey
from shared.rejections import rejection_document
from shared.runtime.processor import Collection, Document
from shared.wording import message_of

_BODIES = {(topic.name, body.__name__): body for topic in (*OF_FACILITIES, *OF_BOOTHS) for body in topic.bodies}
# One place's items of one topic. A page reads some topics of a place, each along the index.
FEED = "feed"


def feed_of(place: str, topic: str) -> str:
    """The feed of a place's items of one topic."""
    return f"{topic} {place}"


def _to_document(item: NewsItem) -> dict[str, Any]:
    return {
        FEED: feed_of(item.place, item.topic),
        "type": type(item.body).__name__,
        # As text: a database does not keep every number and every name of JSON.
        "value": item.body.model_dump_json(),
        "source": item.source,
        "event": item.event,
        "time": item.time,
        "logged_at": item.logged_at,
        "about": item.about,
    }


def _from_document(document: Document) -> NewsItem:
    topic, _, place = document[FEED].partition(" ")
    body = _BODIES[topic, document["type"]]
    return NewsItem(
        id=document["_id"],
        place=place,
        topic=topic,
        body=body.model_validate_json(document["value"]),
        source=document["source"],
        event=document["event"],
        time=document["time"],
        logged_at=document["logged_at"],
        about=document["about"],
    )


FACILITY_NEWS = Collection(
    "facility_news", NewsItem, _to_document, _from_document, indexes=("about",), listed_by=(FEED,)
)
BOOTH_NEWS = Collection("booth_news", NewsItem, _to_document, _from_document, indexes=("about",), listed_by=(FEED,))


def _device_document(device: KnownDevice) -> dict[str, Any]:
    return {
        "key": device.public_key.fields,
        "source": device.source,
        "enrolled_at": device.enrolled_at,
        "revoked": device.revoked,
    }


def _device(document: Document) -> KnownDevice:
    return KnownDevice(
        id=document["_id"],
        public_key=PublicKey.of(document["key"]),
        source=document["source"],
        enrolled_at=document["enrolled_at"],
        revoked=document["revoked"],
    )


KNOWN_DEVICES = Collection("known_devices", KnownDevice, _device_document, _device, indexes=("source",))


HELD_VALUE = "value"


def _held_document(record: HeldRecord) -> dict[str, Any]:
    return {
        "place": record.place,
        "device": record.device,
        "record": record.record,
        "topic": record.topic,
        "number": record.number,
        "seq": record.seq,
        "headers": [[name, value] for name, value in record.headers],
        HELD_VALUE: record.value,
        "digest": record.digest,
        "size": record.size,
        "held_at": record.held_at,
        "status": record.status.value,
        "decided_at": record.decided_at,
        "reason": record.reason,
        "waiting": record.waiting,
    }


def _held(document: Document) -> HeldRecord:
    return HeldRecord(
        id=document["_id"],
        place=document["place"],
        device=document["device"],
        record=document["record"],
        topic=document["topic"],
        number=document["number"],
        seq=document["seq"],
        headers=tuple((name, bytes(value)) for name, value in document["headers"]),
        value=bytes(document.get(HELD_VALUE, b"")),
        digest=document["digest"],
        size=document["size"],
        held_at=document["held_at"],
        status=HeldStatus(document["status"]),
        decided_at=document["decided_at"],
        reason=document["reason"],
    )


def _held_command_document(command: HeldCommand) -> dict[str, Any]:
    return {
        "command": command.command,
        "source": command.source,
        "wrong": rejection_document(command.rejection),
    }


def _held_command(document: Document) -> HeldCommand:
    rejection = document["wrong"]
    return HeldCommand(
        id=document["_id"],
        command=document["command"],
        source=document["source"],
        rejection=rejection
        and HeldRejection(
            rejection["field"],
            HeldRefusal(rejection["reason"]),
            message_of(rejection["template"], rejection["values"]),
        ),
    )


HELD_RECORD_DOCUMENTS = Collection(
    "held_records",
    HeldRecord,
    _held_document,
    _held,
    indexes=("waiting",),
    listed_by=("arrived", "status", "place", "device"),
)
HELD_DEVICES = Collection(
    "held_devices",
    HeldDevice,
    lambda device: {
        "records": device.records,
        "waiting": device.waiting,
        "waiting_bytes": device.waiting_bytes,
    },
    lambda d: HeldDevice(d["_id"], d["records"], d["waiting"], d["waiting_bytes"]),
)
HELD_COMMAND_OUTCOMES = Collection(
    "held_commands", HeldCommand, _held_command_document, _held_command, indexes=("command",)
)
