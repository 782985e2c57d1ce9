"""CloudEvents 1.0 in Kafka's binary mode: attributes in headers, one pydantic model as JSON in the value."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from shared.derivation import Derivation, Derived
from shared.duplicates import NAME_TWICE, each_once, name_twice, names_in
from shared.errors import Unusable
from shared.events.language import ID_PATTERN, MAX_VALUE_BYTES, OUTSIDE, Body, Event, Topic, as_utc, event_type
from shared.faults import fault_sentence

Headers = list[tuple[str, bytes]]
# The first header of each name.
Attributes = Mapping[str, bytes | None]

EPOCH = datetime.fromtimestamp(0, UTC)
_JSON = b"application/json"
_MAX_NAME = 200
_NAME = re.compile(rb"[!-~]{1,%d}" % _MAX_NAME).fullmatch
_ID = re.compile(ID_PATTERN).fullmatch
_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
# A time as `rfc3339` writes it, which has no second spelling.
_WRITTEN_HERE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch
_SPEC_VERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", _JSON)
# Of a mended copy, see `shared.mended`.
SUBJECT = "ce_subject"
# Of a command: the subject of the account that gave it, or the operator of a mended copy.
ACTOR = "actor"
# The one header of a record that stands for a batch that was not unpacked.
PACKED_BATCH = "karya_packed_batch"
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
    subject: str | None = None,
    actor: str | None = None,
) -> Headers:
    """The Kafka headers of an event. `source` and `id` are its idempotency key. `cause` is the id of the event that
    led to it. `trace` is a W3C traceparent. `subject` and `actor` are those of the `Event`."""
    pairs = [
        _SPEC_VERSION,
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        _type_header(topic, type(body)),
        ("ce_time", rfc3339(time).encode()),
        _CONTENT_TYPE,
    ]
    if cause is not None:
        pairs.append(("causationid", cause.encode()))
    if trace is not None:
        pairs.append(("traceparent", trace.encode()))
    if subject is not None:
        pairs.append((SUBJECT, subject.encode()))
    if actor is not None:
        pairs.append((ACTOR, actor.encode()))
    return pairs


class Cause(NamedTuple):
    """The header values that all outputs of one event share."""

    derived: Derived
    trace: bytes
    source: tuple[str, bytes]
    time: tuple[str, bytes]
    causation: tuple[str, bytes]


def cause(event: Event, ledger_id: str, parent: Attributes, source: str, derive: Derivation) -> Cause:
    """The shared header values of the events that `source` publishes because of `event`, whose headers are `parent`.
    `derive` makes the ids."""
    written = parent.get("ce_time")
    if written is None or not _WRITTEN_HERE(written):
        written = rfc3339(event.time).encode()
    trace = _TRACEPARENT(parent.get("traceparent") or b"")
    return Cause(
        derive(ledger_id),
        b"00-" + (trace[1] if trace else digest(ledger_id.encode()).hex().encode()),
        _source_header(source),
        ("ce_time", written),
        ("causationid", event.id.encode()),
    )


def caused(cause: Cause, topic: Topic, body: Body, index: int) -> Headers:
    """The headers of the event at `index` among the events of `cause`."""
    id, span = cause.derived(topic.name, index)
    return [
        _SPEC_VERSION,
        ("ce_id", id),
        cause.source,
        _type_header(topic, type(body)),
        cause.time,
        _CONTENT_TYPE,
        cause.causation,
        ("traceparent", b"%b-%b-01" % (cause.trace, span)),
    ]


def digest(value: bytes) -> bytes:
    """A hash of sixteen bytes."""
    return blake2b(value, digest_size=16).digest()


def rfc3339(moment: datetime) -> str:
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # Slicing takes a third of the time of `replace`.
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


def header(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """The text of the first header called `name`, or None if it is missing, null or not UTF-8."""
    for key, value in headers:
        if key == name:
            return _text(value)
    return None


def decode(topic: Topic, record: Record, values: Attributes | None = None) -> Event:
    """The event in a record. Raises Unusable, with a sentence for people. `values`: the record's attributes, if they
    were looked up before."""
    if values is None:
        values = attributes(record.headers)
    id, source = values.get("ce_id"), _source_text(values.get("ce_source") or b"")
    time, reader = _text(values.get("ce_time")), _readers(topic).get(values.get("ce_type"))
    # Nearly every record passes. The fault of another record is looked for apart.
    if (
        values.get("ce_specversion") != b"1.0"
        or (id is None or not _NAME(id))
        or source is None
        or time is None
        or reader is None
    ):
        raise _unusable(topic, values)
    value = record.value
    if value is None:
        raise Unusable("NO_VALUE", "The record has no value (a tombstone); every event has a JSON body.")
    if len(value) > MAX_VALUE_BYTES:
        raise Unusable("TOO_LARGE", f"The body is larger than {MAX_VALUE_BYTES // 1024} KiB.")
    try:
        body: Body = reader(value)
    except ValidationError as error:
        raise Unusable("BAD_BODY", _explain(error)) from None
    if not each_once(value, names_in(body)) and (twice := name_twice(value)):
        raise Unusable("NAME_TWICE", f"{'.'.join(map(str, twice))[:200]}: {NAME_TWICE}")
    key = topic.key_of(body)
    if record.key != key.encode():
        raise Unusable("WRONG_KEY", f"The record's key is not its body's {topic.key}.")
    logged_at = taken_in(record)
    if logged_at is None:
        raise Unusable("BAD_TIME", f"The record's Kafka timestamp is {OUTSIDE}.")
    subject, actor = values.get(SUBJECT), values.get(ACTOR)
    if subject is None and actor is None:
        return Event(id.decode(), source, key, _time(time), logged_at, body)
    return Event(id.decode(), source, key, _time(time), logged_at, body, _named(subject), _actor(actor))


def attributes(headers: Sequence[tuple[str, bytes | None]]) -> Attributes:
    """The first header of each name, even if it is null. Every reader of a record must see the same event in it."""
    values = dict(headers)
    return values if len(values) == len(headers) else dict(reversed(headers))


def _unusable(topic: Topic, values: Attributes) -> Unusable:
    """The fault of headers that are not those of an event of this topic."""
    if PACKED_BATCH in values:
        return Unusable(
            "TOO_LARGE", "It came in a batch that can't be unpacked to what its topic takes. Its body is the batch."
        )
    texts: dict[str, str] = {}
    for name in _REQUIRED:
        text = _text(values.get(name))
        if text is None:
            return Unusable("MISSING_HEADER", f"The header {name} is missing, null or not UTF-8 text.")
        texts[name] = text
    if texts["ce_specversion"] != "1.0":
        return Unusable("WRONG_SPEC_VERSION", "ce_specversion must be 1.0.")
    if any(_NAME(texts[name].encode()) is None for name in ("ce_id", "ce_source")):
        return Unusable("BAD_ID", "ce_id and ce_source must be 1 to 200 visible ASCII characters.")
    return _unknown_type(topic, texts["ce_type"])


def taken_in(record: Record) -> datetime | None:
    """Kafka's append time of the record. None if the timestamp is no time: a topic that keeps its senders' clocks may
    hold any number."""
    return _moment(record.timestamp)


@lru_cache(maxsize=4096)
def _moment(timestamp: int) -> datetime | None:
    """The moment of a Kafka timestamp. Records of one batch share it, so that a cache pays."""
    try:
        return as_utc(EPOCH + timedelta(milliseconds=timestamp))
    except OverflowError:
        return None


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None  # like a missing header


def is_name(value: bytes) -> bool:
    """Whether these bytes can be the id or the source of an event."""
    return _NAME(value) is not None


def _actor(value: bytes | None) -> str | None:
    # Rules put it into events, whose fields take no more than an id.
    text = _named(value)
    return text if text is not None and _ID(text) else None


def _named(value: bytes | None) -> str | None:
    # One that is no id is like a missing one, as any unknown header.
    return value.decode() if value is not None and _NAME(value) else None


def _source_text(value: bytes) -> str | None:
    """The text of a source, or None if it is no name."""
    # A sender chooses the length. What is too long for a name must not stay in a cache.
    return _short_source_text(value) if len(value) <= _MAX_NAME else None


@lru_cache(maxsize=4096)
def _short_source_text(value: bytes) -> str | None:
    # The same few sources come again and again.
    return value.decode() if _NAME(value) else None


@lru_cache(maxsize=64)
def _source_header(source: str) -> tuple[str, bytes]:
    return ("ce_source", source.encode())


@lru_cache(maxsize=256)
def _type_header(topic: Topic, body: type[Body]) -> tuple[str, bytes]:
    return ("ce_type", event_type(topic, body).encode())


@lru_cache(maxsize=256)
def _readers(topic: Topic) -> Mapping[bytes | None, Callable[[bytes], Body]]:
    """The JSON reader of each `ce_type`."""
    return {name.encode(): body.__pydantic_validator__.validate_json for name, body in topic.by_type.items()}


def _unknown_type(topic: Topic, name: str) -> Unusable:
    names = sorted(topic.by_type)
    stem = name.rsplit(".", 1)[0]
    if any(other.rsplit(".", 1)[0] == stem for other in names):
        return Unusable("UNKNOWN_VERSION", f"This version of {stem} is not known here; known: {', '.join(names)}.")
    return Unusable(
        "UNKNOWN_TYPE", f"The ce_type is not one that {topic.name} carries; it carries {', '.join(names)}."
    )


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
    # Never the value: a reason may be shown where the record's content must not be.
    faults = error.errors(include_input=False, include_url=False)
    return " ".join(fault_sentence(fault).encode(errors="replace").decode()[:200] for fault in faults[:5])
