"""The records of devices as CloudEvents in JSON, checked as the reader of their topic checks them."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from shared import envelope
from shared.access.rights import Action, Limit
from shared.access.tokens import Caller
from shared.errors import Unusable
from shared.events.language import MAX_VALUE_BYTES, Body, Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL, ReceiptIssued
from shared.http.access import NO_RIGHT
from shared.wording import Message

CONTENT_TYPE = "application/json"
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
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
    """A record that its reader can use, and that its sender may send. `place`: its facility or booth."""

    kind: Kind
    id: str
    place: str
    body: Body
    value: bytes
    headers: envelope.Headers

    @property
    def is_answered(self) -> bool:
        return isinstance(self.body, self.kind.answered)


class RecordRefused(Exception):
    """A record that its sender may not send."""

    def __init__(self, reason: str, message: Message) -> None:
        super().__init__(message.english)
        self.reason = reason
        self.message = message


def take(sent: Any, caller: Caller, timestamp: int) -> TakenRecord:
    """The record that was `sent`, one item of the request. Raises Unusable as the reader of its topic would, and
    RecordRefused.

    The value is what `data_base64` has, byte for byte. The headers are the device's, and `actor` for a known caller.
    """
    if not isinstance(sent, dict):
        raise Unusable("NO_EVENT", "A record must be a JSON object with the attributes of a CloudEvent.")
    kind, value, headers = _kind(sent.get("type")), _value(sent), _headers(sent)
    if caller.subject is not None:
        headers.append((envelope.ACTOR, caller.subject.encode()))
    event = envelope.decode(kind.topic, ArrivedRecord(_key(sent, kind.topic, value), value, headers, timestamp))
    _permit(kind, event.key, event.source, caller)
    return TakenRecord(kind, event.id, event.key, event.body, value, headers)


def _permit(kind: Kind, place: str, source: str, caller: Caller) -> None:
    """Raise RecordRefused unless the caller may send records of this place, and the source is a device there."""
    if not caller.may(kind.action, _limits(kind, place)):
        raise RecordRefused("no_right", NO_RIGHT)
    # Nobody takes the ids of another place's devices.
    if not source.startswith(f"{kind.name}/{place}/"):
        message = Message("The source of a record must be {kind}/{place}/NAME.", kind=kind.name, place=place)
        raise RecordRefused("wrong_source", message)


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
