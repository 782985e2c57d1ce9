"""The records of devices as CloudEvents in JSON, checked as the reader of their topic checks them."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from services.gateway.domain.known_device import KnownDevice
from shared import envelope
from shared.access.rights import Action, Limit
from shared.access.signatures import HEADER, UNSIGNED, SignatureRefused, SignedContent, device_of, verify
from shared.access.tokens import Caller
from shared.errors import Unusable
from shared.events.gateway import MAX_HELD_BYTES, HoldRecord, RecordHeader
from shared.events.identity import DEVICE_ROLES
from shared.events.language import MAX_VALUE_BYTES, Body, Event, Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL, ReceiptIssued
from shared.http.access import NO_RIGHT
from shared.wording import Message

CONTENT_TYPE = "application/json"
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
NOT_SIGNED = Message("The record is not signed, and was made after its device was enrolled.")
ENROLLED_ALONE = Message("Enrolled devices alone send records here. Let this one be enrolled: `karya devices code`.")
NAME_ENROLLED = Message(
    "A device of this name is enrolled, and this record has no signature of it. That device itself syncs what a "
    "former version recorded."
)
WRONG_SIGNATURE = Message("The record's signature does not count: it was changed after it was signed.")
UNKNOWN_DEVICE = Message("The record was signed by a device that is not enrolled (yet).")
DEVICE_REVOKED = Message("The record is of a device that is revoked.")
FORMER_VERSION = b"former-version"
# Far more than a device writes. Kafka refuses a record with large headers, and everybody would wait for its retries.
MAX_ATTRIBUTES_BYTES = 1024
_ATTRIBUTES = ("specversion", "id", "source", "type", "time")


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of one kind of device: their topic, and the right that sending them needs. A service answers those
    with a body of `answered`."""

    name: str
    topic: Topic
    action: Action
    answered: tuple[type[Body], ...]


KINDS = (
    Kind("terminal", TERMINAL, Action.REPORT_PRODUCTION, TERMINAL.bodies),
    Kind("till", TILL, Action.RECORD_SALES, (ReceiptIssued,)),
)
_BY_TYPE = {type: kind for kind in KINDS for type in kind.topic.by_type}


@dataclass(frozen=True, slots=True)
class ArrivedRecord:
    """A record as Kafka would have it. `timestamp`: of its arrival here, in Unix milliseconds."""

    key: bytes
    value: bytes
    headers: envelope.Headers
    timestamp: int


@dataclass(frozen=True, slots=True)
class TakenRecord:
    """A record that its reader can use, and that its sender may send. `place`: its facility or booth. `revoked`: its
    signer, if that device is revoked."""

    kind: Kind
    id: str
    place: str
    body: Body
    value: bytes
    headers: envelope.Headers
    revoked: str | None = None

    @property
    def is_answered(self) -> bool:
        return isinstance(self.body, self.kind.answered) and self.revoked is None

    @property
    def to_hold(self) -> HoldRecord:
        """The event by which the gateway holds this record of a revoked device."""
        assert self.revoked is not None, "only these are held"
        return HoldRecord(
            place=self.place,
            device=self.revoked,
            record=self.id,
            topic=self.kind.topic.name,
            seq=getattr(self.body, "seq", None),
            headers=tuple(RecordHeader(name=name, value=value.decode()) for name, value in self.headers),
            value_base64=base64.b64encode(self.value).decode(),
        )


class RecordRefused(Exception):
    """A record that its sender may not send."""

    def __init__(self, reason: str, message: Message) -> None:
        super().__init__(message.english)
        self.reason = reason
        self.message = message


def signer(sent: Any) -> str | None:
    """The device that an item of a request names as its signer, unchecked."""
    signature = sent.get(HEADER) if isinstance(sent, dict) else None
    try:
        return device_of(signature) if isinstance(signature, str) else None
    except SignatureRefused:
        return None


def named_source(sent: Any) -> str | None:
    """The source that an item of a request names, unchecked."""
    source = sent.get("source") if isinstance(sent, dict) else None
    return source if isinstance(source, str) else None


@dataclass(frozen=True, slots=True)
class Signers:
    """The enrolled devices among the signers and the sources of a request. `required`: an account of a person sends
    nothing that no enrolled device has signed."""

    devices: Mapping[str, KnownDevice]
    required: bool = False

    def of_source(self, source: str) -> list[KnownDevice]:
        """The devices that are or were enrolled under this name."""
        return [device for device in self.devices.values() if device.source == source]

    def check_unproven(self, caller: Caller, source: str, reason: str) -> None:
        """Raise RecordRefused unless a person may send a record of this source that no enrolled device has signed."""
        if caller.subject is None:
            return  # access control is off
        if self.required:
            raise RecordRefused(reason, ENROLLED_ALONE)
        if not all(device.revoked for device in self.of_source(source)):
            raise RecordRefused("name_enrolled", NAME_ENROLLED)


def take(sent: Any, caller: Caller, timestamp: int, signers: Signers) -> TakenRecord:
    """The record that was `sent`, one item of the request. Raises Unusable as the reader of its topic would, and
    RecordRefused.

    The value is what `data_base64` has, byte for byte. The headers are the device's, and `actor` for a known caller.
    """
    if not isinstance(sent, dict):
        raise Unusable("NO_EVENT", "A record must be a JSON object with the attributes of a CloudEvent.")
    kind, value, headers = _kind(sent.get("type")), _value(sent), _headers(sent)
    if caller.subject is not None:
        headers.append((envelope.ACTOR, caller.subject.encode()))
    key = _key(sent, kind.topic, value)
    event = envelope.decode(kind.topic, ArrivedRecord(key, value, headers, timestamp))
    may_send = caller.may(kind.action, _limits(kind, event.key))
    is_signed = HEADER in sent
    if not may_send and not (is_signed and caller.may(Action.BRING_RECORDS, {})):
        raise RecordRefused("no_right", NO_RIGHT)
    _check_source(kind, event.key, event.source)
    record = TakenRecord(kind, event.id, event.key, event.body, value, headers)
    if not is_signed:
        return _checked_unsigned(record, event, caller, signers)
    content = SignedContent.of(headers, key, value)
    signature, device = _checked_signature(sent, content, signers.devices)
    if device is None:
        if _is_device(caller) or not may_send:
            raise RecordRefused("unknown_device", UNKNOWN_DEVICE)
        # A person's account may send what a device has signed before it is enrolled.
        signers.check_unproven(caller, event.source, "unknown_device")
        # A made-up key must not pass by the hold of the name's revoked device.
        if caller.subject is not None and signers.of_source(event.source):
            raise RecordRefused("unknown_device", UNKNOWN_DEVICE)
    headers.append((HEADER, signature))
    if device is None or not device.revoked:
        return record
    if len(value) > MAX_HELD_BYTES:
        raise RecordRefused("device_revoked", DEVICE_REVOKED)
    return replace(record, revoked=device.id)


def _check_source(kind: Kind, place: str, source: str) -> None:
    """Raise RecordRefused unless the source is a device of this place."""
    # Nobody takes the ids of another place's devices.
    if not source.startswith(f"{kind.name}/{place}/"):
        message = Message("The source of a record must be {kind}/{place}/NAME.", kind=kind.name, place=place)
        raise RecordRefused("wrong_source", message)


def _checked_unsigned(record: TakenRecord, event: Event, caller: Caller, signers: Signers) -> TakenRecord:
    """The record that nobody signed, marked if its device is enrolled. Raises RecordRefused.

    A former version signed nothing. What it recorded before its device was enrolled is taken from that device. A
    person's account sends it for a device that is not enrolled, or no longer.
    """
    enrolled = signers.of_source(event.source) if caller.subject is not None else []
    if _is_device(caller):
        own = next((device for device in enrolled if device.id == caller.subject), None)
        if own is None:
            raise RecordRefused("not_signed", NOT_SIGNED)
        if own.revoked:
            raise RecordRefused("device_revoked", DEVICE_REVOKED)
    else:
        signers.check_unproven(caller, event.source, "not_signed")
    if any(event.time >= device.enrolled_at for device in enrolled):
        raise RecordRefused("not_signed", NOT_SIGNED)
    return replace(record, headers=[*record.headers, (UNSIGNED, FORMER_VERSION)]) if enrolled else record


def _checked_signature(
    sent: Mapping[str, Any], content: SignedContent, devices: Mapping[str, KnownDevice]
) -> tuple[bytes, KnownDevice | None]:
    """The signature of a record and its device, None if nobody has enrolled it. Raises RecordRefused for a wrong
    one."""
    signature = sent[HEADER]
    if not isinstance(signature, str) or len(signature) > MAX_ATTRIBUTES_BYTES:
        raise RecordRefused("wrong_signature", WRONG_SIGNATURE)
    try:
        device = devices.get(device_of(signature))
        if device is not None:
            verify(signature, content, device.public_key)
    except SignatureRefused:
        raise RecordRefused("wrong_signature", WRONG_SIGNATURE) from None
    if device is not None and device.source.encode() != content.source:
        message = Message("The record is of {source}, and was signed by another device.", source=sent["source"])
        raise RecordRefused("wrong_source", message)
    return signature.encode(), device


def _is_device(caller: Caller) -> bool:
    return any(grant.role in DEVICE_ROLES for grant in caller.grants)


def _limits(kind: Kind, place: str) -> Mapping[Limit, str]:
    """What limits the right to send records of this place. A booth's id begins with its festival's."""
    if kind.topic is TERMINAL:
        return {Limit.FACILITY: place}
    return {Limit.BOOTH: place, Limit.FESTIVAL: place.partition(".")[0]}


def _kind(type: object) -> Kind:
    if not isinstance(type, str):
        raise Unusable("MISSING_HEADER", "The attribute type is missing, or no text.")
    if type in _BY_TYPE:
        return _BY_TYPE[type]
    known = ", ".join(sorted(_BY_TYPE))
    stem = type.rpartition(".")[0]
    if any(other.rpartition(".")[0] == stem for other in _BY_TYPE):
        raise Unusable("UNKNOWN_VERSION", f"This version of {stem} is not known here; known: {known}.")
    raise Unusable("UNKNOWN_TYPE", f"The type is not one that a device sends; devices send {known}.")


def _value(sent: Mapping[str, Any]) -> bytes:
    data = sent.get("data_base64")
    if not isinstance(data, str):
        raise Unusable(
            "NO_VALUE", "The record has no data_base64; its body is sent so, that its bytes stay as they are."
        )
    # Without this bound one record could decode to the whole request.
    if len(data) > MAX_VALUE_BYTES // 3 * 4 + 8:
        raise Unusable("TOO_LARGE", f"The body is larger than {MAX_VALUE_BYTES // 1024} KiB.")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable("BAD_BASE64", "The data_base64 is not base64.") from None


def _headers(sent: Mapping[str, Any]) -> envelope.Headers:
    """The attributes as headers, in the order in which a device writes them to Kafka. Unknown ones are left out."""
    if sent.get("datacontenttype", CONTENT_TYPE) != CONTENT_TYPE:
        raise Unusable("BAD_CONTENT_TYPE", f"The datacontenttype must be {CONTENT_TYPE}.")
    if "subject" in sent:
        raise Unusable("SUBJECT", "A device's record has no subject: a mended copy has one.")
    texts = {name: text for name in _ATTRIBUTES if isinstance(text := sent.get(name), str)}
    headers = [(f"ce_{name}", text.encode()) for name, text in texts.items()]
    headers.append(("content-type", CONTENT_TYPE.encode()))
    if sum(len(text) for _, text in headers) > MAX_ATTRIBUTES_BYTES:
        raise Unusable("TOO_LARGE", f"The record's attributes are larger than {MAX_ATTRIBUTES_BYTES} bytes.")
    trace = sent.get("traceparent")
    if isinstance(trace, str) and _TRACEPARENT.fullmatch(trace):
        headers.append(("traceparent", trace.encode()))
    return headers


def _key(sent: Mapping[str, Any], topic: Topic, value: bytes) -> bytes:
    """The key: the `partitionkey`, or that of the body for a sender that leaves it out."""
    key = sent.get("partitionkey")
    if key is None:
        try:
            body = from_json(value)
        except ValueError:
            body = None  # decoding will say what is wrong
        key = body.get(topic.key) if isinstance(body, dict) else ""
    if not isinstance(key, str):
        raise Unusable("WRONG_KEY", f"The record's partitionkey is not its body's {topic.key}.")
    return key.encode()
