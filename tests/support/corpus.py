"""Records that nobody should send, among some that anybody may: made from a seed, for any topic.

A record begins as a good one (any event of its topic, of values that its model takes) and one thing is done to it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

from shared import envelope
from shared.events.gateway import BASE64_PATTERN, SHA256_PATTERN
from shared.events.identity import DEVICE, SUBJECT
from shared.events.language import Body, Topic, event_type
from shared.events.sales import ReceiptIssued

HeaderList: TypeAlias = tuple[tuple[str, bytes | None], ...]
Json: TypeAlias = Any

LARGE = 1_000_000
# So many records of a topic are kept, of which some are sent again.
KEPT = 500


@dataclass(frozen=True, slots=True)
class Made:
    """A record for `topic`, and what was done to it. Without `partition` it goes where its key belongs."""

    topic: Topic
    done: str
    key: bytes | None
    value: bytes | None
    headers: HeaderList
    partition: int | None = None


def corpus(seed: int, count: int, topics: Sequence[Topic], partitions: int) -> Iterator[Made]:
    """`count` records, spread evenly over the topics; the same for the same arguments. Each topic has one large one,
    each at another time: it takes as much room as a thousand others."""
    random = Random(seed)
    before: dict[str, list[Made]] = {topic.name: [] for topic in topics}
    names, weights = list(DONE), [weight for _, weight in DONE.values()]
    each = count // len(topics)
    for n in range(count):
        nth, topic_number = divmod(n, len(topics))
        topic = topics[topic_number]
        damage = random.choices(names, weights)[0]
        if nth == each * topic_number // len(topics):
            damage = "large"
        earlier = before[topic.name]
        if damage in ("again", "reused") and earlier:
            record = random.choice(earlier)
            if damage == "reused":
                record = replace(record, value=(record.value or b"") + b" ")
            yield replace(record, done=damage)
            continue
        record = replace(DONE[damage][0](random, _good(random, topic, partitions)), done=damage)
        if record.done != "large":
            if len(earlier) == KEPT:
                earlier[random.randrange(KEPT)] = record
            else:
                earlier.append(record)
        yield record


def _good(random: Random, topic: Topic, partitions: int) -> Made:
    body = random.choice(topic.bodies)
    value = a_body(random, body)
    made = (
        ("ce_specversion", b"1.0"),
        ("ce_id", str(UUID(int=random.getrandbits(128))).encode()),
        ("ce_source", b"corpus"),
        ("ce_type", event_type(topic, body).encode()),
        ("ce_time", b"2026-04-18T04:00:00.000Z"),
        ("content-type", b"application/json"),
    )
    return Made(topic, "", str(value[topic.key]).encode(), json.dumps(value).encode(), made)


def a_body(random: Random, body: type[Body]) -> dict[str, Json]:
    """The JSON of a body that its model takes."""
    schema = _schema(body)
    made: dict[str, Json] = _of(random, schema, schema.get("$defs", {}))
    return _adding_up(made) if body is ReceiptIssued else made


def _adding_up(receipt: dict[str, Json]) -> dict[str, Json]:
    """No schema says that a receipt's lines are numbered and its money adds up."""
    lines = [{**line, "line": number, "discount_rupiah": 0} for number, line in enumerate(receipt["lines"], 1)]
    return receipt | {"lines": lines, "discount_rupiah": 0, "payment": {"kind": "cash"}}


@cache
def _schema(body: type[Body]) -> dict[str, Json]:
    return body.model_json_schema()


def _of(random: Random, schema: dict[str, Json], defs: dict[str, Json]) -> Json:
    if "$ref" in schema:
        return _of(random, defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return _of(random, random.choice(schema["anyOf"]), defs)
    if "enum" in schema:
        return random.choice(schema["enum"])
    match schema["type"]:
        case "object" if "properties" not in schema:
            # Any names, each with a value of one kind.
            value = schema["additionalProperties"]
            return {f"name{n}": _of(random, value, defs) for n in range(random.randint(0, 3))}
        case "object":
            return {name: _of(random, field, defs) for name, field in schema["properties"].items()}
        case "array":
            return [_of(random, schema["items"], defs) for _ in range(random.randint(schema.get("minItems", 0), 3))]
        case "integer":
            return random.randint(max(schema.get("minimum", -5), -5), min(schema.get("maximum", 99), 99))
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
        case "string":
            return _text(random, schema.get("format"), schema.get("pattern", ""))
        case other:
            raise TypeError(f"no value is known for {other}")


def _text(random: Random, format: str | None, pattern: str) -> str:
    if SUBJECT.pattern in pattern:
        # No other text has so narrow a form.
        return f"s-{random.choice('abcdefghijklmnopqrstuvwxyz') * 16}"
    if DEVICE.pattern in pattern:
        return f"d-{random.choice('abcdefghijklmnopqrstuvwxyz') * 52}"
    if pattern == SHA256_PATTERN:
        return random.choice("0123456789abcdef") * 64
    if pattern == BASE64_PATTERN:
        return "AAAA" * random.randint(0, 3)
    day = f"2026-04-{random.randint(1, 28):02}"
    match format:
        case "date":
            return day
        case "date-time":
            return f"{day}T04:00:00Z"
        case _:
            return f"X{random.randint(0, 40)}"


# --- what is done


def _as_it_is(random: Random, made: Made) -> Made:
    return made


def _bytes(random: Random, made: Made) -> Made:
    value = bytearray(made.value or b"")
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(value))
        match random.randrange(3):
            case 0:
                value[at] = random.randrange(256)
            case 1:
                value.insert(at, random.randrange(256))
            case _:
                del value[at]
    return replace(made, value=bytes(value))


def _types(random: Random, made: Made) -> Made:
    """One field has another value, written as it is: not all of it is JSON that a program would write."""
    value = json.loads(made.value or b"")
    field = random.choice(sorted(value))
    text = json.dumps({**value, field: "\0"})
    return replace(made, value=text.replace('"\\u0000"', random.choice(ODD_VALUES), 1).encode(errors="surrogatepass"))


ODD_VALUES = (
    *("null", '"5"', "1.0", "-1", "0", "true", "[]", "{}", '""', "1e400", "NaN", "Infinity", "-0", "1e5", "0x1F"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "9007199254740993", "1" + "0" * 400),
    *('"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\u202e"', '"a b"', '" "', '"' + "x" * 600 + '"', '"../../x"'),
    *('"$where"', '"\\n"', '"%s%n"', "[[[[]]]]", '{"$gt": ""}', '["X1", 5]', '[{"lot": "X1"}]', "1e-400", '"💥"'),
    *('"0000-01-01"', '"0001-01-01"', '"9999-12-31"', '"10000-01-01"', '"2026-02-30"', '"-0001-01-01"', '"1"'),
    *('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59.999999-14:00"', '"9999-12-31T23:59:59Z"'),
    *('"0001-01-01T00:00:00Z"', '"2026-04-18T04:00:00"', '"2026-04-18T04:00:60Z"', '"1e9"', "1776484800", "1e15"),
)


def _deep(random: Random, made: Made) -> Made:
    depth = random.choice([50, 200, 1000, 10_000, 60_000])
    start, end = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    deep = start * depth + b"1" + end * depth
    if random.random() < 0.5:
        return replace(made, value=deep)
    return replace(made, value=(made.value or b"")[:-1] + b',"more":' + deep + b"}")


def _numbers(random: Random, made: Made) -> Made:
    digits = b"9" * random.choice([20, 400, 5000, 100_000])
    number = random.choice([digits, b"-" + digits, b"0." + digits, digits + b"e9", b"1e" + digits])
    if random.random() < 0.5:
        return replace(made, value=(made.value or b"")[:-1] + b',"more":' + number + b"}")
    value = json.loads(made.value or b"")
    field = random.choice(sorted(value))
    text = json.dumps({**value, field: "\0"}).encode()
    return replace(made, value=text.replace(b'"\\u0000"', number, 1))


def _surrogates(random: Random, made: Made) -> Made:
    odd = random.choice(NO_TEXT)
    return replace(made, value=(made.value or b"").replace(b'"X', b'"X' + odd, 1), key=random.choice([made.key, odd]))


NO_TEXT = (b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\\ud83d", b"\\udc00\\ud800")


def _large(random: Random, made: Made) -> Made:
    room = b"x" * (LARGE - 2000)
    whole = (made.value or b"")[:-1] + b',"more":"' + room + b'"}'
    return replace(made, value=random.choice([room, b'"' + room + b'"', whole]))


def _broken(random: Random, made: Made) -> Made:
    whole = made.value or b""
    odd = (b"", b"null", b"[]", b"true", b"{", b"}", b"\xef\xbb\xbf" + whole, whole * 2, whole + b"\0", whole[:-1])
    return replace(made, value=random.choice([*odd, whole.decode().encode("utf-16"), b"[" + whole + b"]", bytes(64)]))


def _tombstone(random: Random, made: Made) -> Made:
    return replace(made, value=None)


def _headers(random: Random, made: Made) -> Made:
    headers = list(made.headers)
    at = random.randrange(5)
    name = headers[at][0]
    match random.randrange(6):
        case 0:
            del headers[at]
        case 1:
            headers[at] = (name, None)
        case 2:
            headers[at] = (name, random.choice(ODD_HEADERS))
        case 3:
            headers.insert(
                random.choice([0, at, len(headers)]), (name, random.choice([*ODD_HEADERS, headers[at][1]]))
            )
        case 4:
            headers = [(f"x{n}", b"y" * n) for n in range(random.choice([1, 300]))] + headers
        case _:
            more = random.choice(["", "traceparent", "causationid", "dlq_reason", "dlq_topic", "ü", "content-type"])
            headers.insert(0, (more, random.choice([*ODD_HEADERS, None])))
    return replace(made, headers=tuple(headers))


ODD_HEADERS = (
    *(b"", b" ", b"\xff", b"\xed\xa0\x80", b"a b", b"x" * 201, b"x" * 10_000, "ü".encode(), b"\0", b"1.0", b"2.0"),
    *(b"0000-01-01T00:00:00Z", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59.999999-14:00", b"10000-01-01"),
    *(b"2026-04-18", b"2026-04-18T04:00:00", b"now", b"1e400", b"2026-W16-6T04:00:00Z", b"9999-12-31T23:59:59Z"),
    *(b"{}", b"../../x", b"a/b c", b"$ne", b"00-0-0-01", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"),
)


def _kinds(random: Random, made: Made) -> Made:
    kinds = (b"Nothing.v1", b"", b"v1", b".v1", b"ReceiptIssued.v2", b"LotRecorded.v1.v1", b"LotRecorded.v99")
    type_header = dict(made.headers)["ce_type"] or b""
    kind = random.choice(
        [
            *kinds,
            b"v" * 500,
            type_header.replace(b".v1", b".v2"),
            type_header.lower(),
            type_header + b" ",
            type_header[:-1],
        ]
    )
    return replace(made, headers=tuple((n, kind if n == "ce_type" else v) for n, v in made.headers))


def _keys(random: Random, made: Made) -> Made:
    key = made.key or b""
    return replace(
        made, key=random.choice([None, b"", b"other", b"\xff\xfe", key + b" ", key.lower(), key * 2000, b"\0"])
    )


def _place(random: Random, made: Made) -> Made:
    return replace(made, partition=0)


Doing: TypeAlias = Callable[[Random, Made], Made]
DONE: dict[str, tuple[Doing, float]] = {
    "as it is": (_as_it_is, 16),
    "again": (_as_it_is, 6),
    "reused": (_as_it_is, 4),
    "bytes": (_bytes, 13),
    "types": (_types, 22),
    "deep": (_deep, 2),
    "numbers": (_numbers, 3),
    "surrogates": (_surrogates, 4),
    "large": (_large, 0),
    "broken": (_broken, 5),
    "tombstone": (_tombstone, 3),
    "headers": (_headers, 14),
    "kinds": (_kinds, 4),
    "keys": (_keys, 4),
    "place": (_place, 2),
}


def ledger_id(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """As the ledger would know the event."""
    return f"{envelope.header(headers, 'ce_source')} {envelope.header(headers, 'ce_id')}"
