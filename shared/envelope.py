"""CloudEvents 1.0 in Kafka's binary mode: attributes in headers, one pydantic model as JSON in the value."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b, sha1
from typing import NamedTuple, Protocol
from uuid import UUID

from pydantic import ValidationError

from shared.duplicates import NAME_TWICE, each_once, name_twice, names_in
from shared.errors import Unusable
from shared.events.language import MAX_VALUE_BYTES, OUTSIDE, Body, Event, Topic, as_utc, event_type

Headers = list[tuple[str, bytes]]

EPOCH = datetime.fromtimestamp(0, UTC)
_JSON = b"application/json"
_NAMESPACE = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff").bytes
_NAME = re.compile(r"[!-~]{1,200}")
_TRACEPARENT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SPEC_VERSION = ("ce_specversion", b"1.0")
# RFC 4122: the two highest bits of this digit are 1 and 0.
_VARIANT = {digit: f"{int(digit, 16) & 3 | 8:x}" for digit in "0123456789abcdef"}
_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time")


class Record(Protocol):
    """What decoding needs of a Kafka record."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def encode(body: Body) -> bytes:
    """The JSON of a body, UTF-8."""
    return body.__pydantic_serializer__.to_json(body)


def headers(
    *,
    id: str,
    source: str,
    topic: Topic,
    body: Body,
    time: datetime,
    trace: str | None = None,
    cause: str | None = None,
) -> Headers:
    """The Kafka headers of an event. `source` and `id` are its idempotency key; `cause` is the id of what
    made its writer say it; `trace` a W3C traceparent."""
    made = [
        _SPEC_VERSION,
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", _type_bytes(topic, type(body))),
        ("ce_time", rfc3339(time).encode()),
        ("content-type", _JSON),
    ]
    if cause is not None:
        made.append(("causationid", cause.encode()))
    if trace is not None:
        made.append(("traceparent", trace.encode()))
    return made


class Cause(NamedTuple):
    """What all that one event brings about has in common, made once for all of it."""

    id: str
    trace: str
    source: tuple[str, bytes]
    rest: tuple[tuple[str, bytes], ...]


def cause(event: Event, ledger_id: str, parent: Iterable[tuple[str, bytes | None]], source: str) -> Cause:
    """Of what `source` says because of `event`, which came with the headers `parent`."""
    return Cause(
        ledger_id,
        _trace(parent, ledger_id),
        ("ce_source", source.encode()),
        (
            ("ce_time", rfc3339(event.time).encode()),
            ("content-type", _JSON),
            ("causationid", event.id.encode()),
        ),
    )


def caused(cause: Cause, topic: Topic, body: Body, index: int) -> Headers:
    """The headers of the event at `index` of what `cause` brought about."""
    id = derived_id(cause.id, topic.name, index)
    return [
        _SPEC_VERSION,
        ("ce_id", id.encode()),
        cause.source,
        ("ce_type", _type_bytes(topic, type(body))),
        *cause.rest,
        ("traceparent", f"00-{cause.trace}-{id[:8]}{id[9:13]}{id[14:18]}-01".encode()),
    ]


def derived_id(cause: str, topic: str, index: int) -> str:
    """The id of the event at `index` of what `cause` brought about on `topic`: the same at every redo. A UUID of
    version 5, as `uuid.uuid5` makes it, in a third of its time."""
    raw = sha1(_NAMESPACE + f"{cause}\n{topic}\n{index}".encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[raw[16]]
    return f"{raw[:8]}-{raw[8:12]}-5{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:32]}"


def digest(value: bytes) -> bytes:
    """Sixteen bytes that tell one body from another."""
    return blake2b(value, digest_size=16).digest()


def rfc3339(moment: datetime) -> str:
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # Cut off, and not replaced: a third of its time.
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


def header(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """The text of the first header called `name`, or None if it is missing, null or not UTF-8."""
    for key, value in headers:
        if key == name:
            return _text(value)
    return None


def _trace(parent: Iterable[tuple[str, bytes | None]], cause: str) -> str:
    """The W3C trace of the cause goes on, or one begins that a redo finds again."""
    given = header(parent, "traceparent")
    known = _TRACEPARENT.fullmatch(given) if given else None
    return known["trace"] if known else digest(cause.encode()).hex()


def decode(topic: Topic, record: Record) -> Event:
    """The event in a record. Raises Unusable with a reason that a person understands."""
    # Of several with one name the first counts, even one that says nothing: everybody who reads the record (verify,
    # the tools for dead letters) must see the same event in it.
    given = dict(reversed(record.headers))
    attributes: dict[str, str] = {}
    for name in _REQUIRED:
        text = _text(given.get(name))
        if text is None:
            raise Unusable("MISSING_HEADER", f"The header {name} is missing, null or not UTF-8 text.")
        attributes[name] = text
    if attributes["ce_specversion"] != "1.0":
        raise Unusable("WRONG_SPEC_VERSION", "ce_specversion must be 1.0.")
    if not _NAME.fullmatch(attributes["ce_id"]) or not _NAME.fullmatch(attributes["ce_source"]):
        raise Unusable("BAD_ID", "ce_id and ce_source must be 1 to 200 visible ASCII characters.")
    model = _models(topic).get(attributes["ce_type"]) or _unknown_type(topic, attributes["ce_type"])
    if record.value is None:
        raise Unusable("NO_VALUE", "The record has no value (a tombstone); every event has a JSON body.")
    if len(record.value) > MAX_VALUE_BYTES:
        raise Unusable("TOO_LARGE", f"The body is larger than {MAX_VALUE_BYTES // 1024} KiB.")
    try:
        body = model.model_validate_json(record.value)
    except ValidationError as error:
        raise Unusable("BAD_BODY", _explain(error)) from None
    if not each_once(record.value, names_in(body)) and (twice := name_twice(record.value)):
        raise Unusable("NAME_TWICE", f"{'.'.join(map(str, twice))[:200]}: {NAME_TWICE}")
    key = topic.key_of(body)
    if record.key != key.encode():
        raise Unusable("WRONG_KEY", f"The record's key is not its body's {topic.key}.")
    logged_at = taken_in(record)
    if logged_at is None:
        raise Unusable("BAD_TIME", f"The record's Kafka timestamp is {OUTSIDE}.")
    return Event(
        id=attributes["ce_id"],
        source=attributes["ce_source"],
        key=key,
        time=_time(attributes["ce_time"]),
        logged_at=logged_at,
        body=body,
    )


def taken_in(record: Record) -> datetime | None:
    """When Kafka took the record in, or None if its timestamp is no time at all: a topic that keeps its senders'
    clocks may hold any number."""
    try:
        return as_utc(EPOCH + timedelta(milliseconds=record.timestamp))
    except OverflowError:
        return None


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None  # as good as missing: the required ones are asked for by name


@lru_cache(maxsize=256)
def _type_bytes(topic: Topic, body: type[Body]) -> bytes:
    return event_type(topic, body).encode()


@lru_cache(maxsize=256)
def _models(topic: Topic) -> dict[str, type[Body]]:
    return dict(topic.by_type)


def _unknown_type(topic: Topic, name: str) -> type[Body]:
    known = ", ".join(sorted(_models(topic)))
    stem = name.rsplit(".", 1)[0]
    if any(other.rsplit(".", 1)[0] == stem for other in _models(topic)):
        raise Unusable("UNKNOWN_VERSION", f"This version of {stem} is not known here; known: {known}.")
    raise Unusable("UNKNOWN_TYPE", f"The ce_type is not one that {topic.name} carries; it carries {known}.")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable("BAD_TIME", "ce_time is no RFC 3339 time.") from None
    if moment.tzinfo is None:
        raise Unusable("BAD_TIME", "ce_time has no offset from UTC.")
    try:
        return as_utc(moment)
    except OverflowError:
        raise Unusable("BAD_TIME", f"ce_time is {OUTSIDE}.") from None


def _explain(error: ValidationError) -> str:
    # Never the value itself: a reason may be shown where the record's content must not be.
    wrong = error.errors(include_input=False, include_context=False, include_url=False)
    parts = [f"{'.'.join(map(str, w['loc'])) or 'body'}: {w['msg']}" for w in wrong[:5]]
    return "; ".join(part.encode(errors="replace").decode()[:200] for part in parts)
