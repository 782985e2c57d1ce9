"""What readers were promised still holds: stored events can be read, and models only gained fields with defaults."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from shared import envelope
from shared.events.language import Body, Topic
from tests.support.keep import SAMPLES, SCHEMAS, Kept, every_event

pytestmark = pytest.mark.contract

EVENTS = every_event()


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as far as decoding goes."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int = 1_681_785_000_000


@pytest.mark.parametrize("event_files", EVENTS, ids=str)
def test_every_event_has_a_sample_and_a_schema(event_files: Kept) -> None:
    assert event_files.sample.exists(), "keep one: python -m tests.support.keep"
    assert event_files.schema.exists(), "keep it: python -m tests.support.keep"


@pytest.mark.parametrize("event_files", EVENTS, ids=str)
def test_a_stored_event_is_still_read_as_it_was_meant(event_files: Kept) -> None:
    stored = json.loads(event_files.sample.read_text(encoding="utf-8"))
    event = envelope.decode(event_files.topic, a_record(stored))
    assert type(event.body) is event_files.body
    now = event.body.model_dump(mode="json")
    assert _as_far_as(stored["body"], now) == stored["body"]
    assert {name for name, field in event_files.body.model_fields.items() if field.is_required()} <= stored[
        "body"
    ].keys()


def _as_far_as(stored: Any, now: Any) -> Any:
    """`now` without the fields that `stored` does not have yet, also of the models inside it."""
    if isinstance(stored, dict):
        return {name: _as_far_as(stored[name], now[name]) for name in stored}
    if isinstance(stored, list):
        return [_as_far_as(former, current) for former, current in zip(stored, now, strict=True)]
    return now


@pytest.mark.parametrize("event_files", EVENTS, ids=str)
def test_a_reader_passes_over_fields_that_it_does_not_know(event_files: Kept) -> None:
    stored = json.loads(event_files.sample.read_text(encoding="utf-8"))
    stored["body"]["of_a_later_day"] = {"anything": [1]}
    assert type(envelope.decode(event_files.topic, a_record(stored)).body) is event_files.body


@pytest.mark.parametrize("event_files", EVENTS, ids=str)
def test_a_model_has_only_gained_fields_with_defaults(event_files: Kept) -> None:
    promised = json.loads(event_files.schema.read_text(encoding="utf-8"))
    assert broken_promises(promised, event_files.body.model_json_schema()) == []


def test_nothing_is_kept_of_an_event_that_is_not_there() -> None:
    expected_files = {path for event_files in EVENTS for path in (event_files.sample, event_files.schema)}
    assert {*SAMPLES.rglob("*.json"), *SCHEMAS.rglob("*.json")} == expected_files


class V1(Body):
    key: str
    qty: int


class WithDefault(Body):
    key: str
    qty: int
    note: str = ""


class WithoutDefault(Body):
    key: str
    qty: int
    note: str


class Less(Body):
    key: str


class Other(Body):
    key: str
    qty: str


class Inside(Body):
    lots: tuple[V1, ...]


class InsideMore(Body):
    lots: tuple[WithoutDefault, ...]


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        (V1, V1, 0),
        (V1, WithDefault, 0),
        (V1, WithoutDefault, 1),
        (V1, Less, 1),
        (V1, Other, 1),
        (WithDefault, WithoutDefault, 2),
        (Inside, Inside, 0),
        (Inside, InsideMore, 1),
    ],
)
def test_a_broken_promise_is_found(before: type[Body], after: type[Body], wrong: int) -> None:
    assert len(broken_promises(before.model_json_schema(), after.model_json_schema())) == wrong


def test_a_stored_event_that_no_longer_fits_is_found() -> None:
    topic = Topic("karya.sample.v1", "key", (V1,))
    stored = {"key": "a", "headers": {}, "body": {"key": "a", "qty": 1}}
    with pytest.raises(Exception, match="ce_specversion"):
        envelope.decode(topic, a_record(stored))


def a_record(stored: dict[str, Any]) -> Record:
    headers: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in stored["headers"].items()]
    return Record(stored["key"].encode(), json.dumps(stored["body"]).encode(), headers)


def broken_promises(promised: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """How a schema breaks what another promised: fields gone, changed or asked for anew. Descriptions may change,
    and enumerations may gain values, as readers must expect."""
    return _broken(_whole(promised, promised), _whole(now, now), "body")


def _broken(promised: Any, now: Any, where: str) -> list[str]:
    if isinstance(promised, dict) and isinstance(now, dict) and "properties" in promised:
        before, after = promised["properties"], now.get("properties", {})
        breaks = [f"{where}.{name} is gone" for name in before.keys() - after.keys()]
        required = set(now.get("required", [])) - set(promised.get("required", []))
        breaks += [f"{where}.{name} is asked for, but was not" for name in required]
        for name in before.keys() & after.keys():
            breaks += _broken(before[name], after[name], f"{where}.{name}")
        return breaks
    if isinstance(promised, dict) and isinstance(now, dict):
        if "enum" in promised and "enum" in now:
            return [f"{where} is never {value} any more" for value in promised["enum"] if value not in now["enum"]]
        if promised.keys() != now.keys():
            return [f"{where} was {promised}, is {now}"]
        return [sentence for name in promised for sentence in _broken(promised[name], now[name], f"{where}.{name}")]
    if isinstance(promised, list) and isinstance(now, list) and len(promised) == len(now):
        return [sentence for old, new in zip(promised, now, strict=True) for sentence in _broken(old, new, where)]
    return [] if promised == now else [f"{where} was {promised}, is {now}"]


def _whole(part: Any, schema: dict[str, Any]) -> Any:
    """The schema without references and without what is only for people."""
    if isinstance(part, list):
        return [_whole(element, schema) for element in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _whole(schema["$defs"][part["$ref"].rsplit("/", 1)[1]], schema)
    for_people = {"$defs", "title", "description"}
    # In `properties` these are names of fields.
    return {
        name: {field: _whole(field_schema, schema) for field, field_schema in value.items()}
        if name == "properties"
        else _whole(value, schema)
        for name, value in part.items()
        if name not in for_people
    }
