"""The reference page of topics and events, generated from the models."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.topics import SERVICES, all_topics, read_topics, writers
from shared.events import catalogue, festival, gateway, identity, inventory, names, operator, production, sales
from shared.events.journal import journal
from shared.events.language import EVENT_ID, Body, Topic, event_type

_MODULES = {
    "production": ("Terminals and production", production),
    "catalogue": ("The catalogue", catalogue),
    "inventory": ("Inventory", inventory),
    "festival": ("Organisers and festival", festival),
    "sales": ("Tills and sales", sales),
    "identity": ("Accounts", identity),
    "gateway": ("Records of revoked devices", gateway),
    "operator": ("Operators", operator),
}
# The code does not tell which topics are written by other parties than services.
_WRITERS = {
    production.TERMINAL.name: "terminals",
    catalogue.ENTRY_COMMANDS.name: "staff (by production's HTTP API)",
    festival.ORGANISER.name: "organisers (by festival's HTTP API)",
    sales.TILL.name: "tills",
    identity.IDENTITY_COMMANDS.name: "administrators, organisers and invited people (by identity's HTTP API)",
    gateway.HELD_COMMANDS.name: "the gateway's intake, and operators (by its HTTP API)",
    operator.OPERATOR.name: "operators (by `karya dlq` and `karya rebuild`)",
    **writers(),
}
_READERS = {
    production.ANSWERS.name: ("terminals", "staff"),
    catalogue.CATALOGUE.name: ("staff", "anyone"),
    catalogue.FACILITY_CATALOGUE.name: ("terminals",),
    inventory.INVENTORY.name: ("anyone",),
    festival.FESTIVAL.name: ("organisers", "anyone"),
    festival.BOOTH_STOCK.name: ("tills",),
    sales.SALES.name: ("tills", "anyone"),
    sales.SETTLEMENTS.name: ("facilities",),
    sales.DEMAND.name: ("facilities",),
    sales.PUBLIC_SALES.name: ("subscribers",),
    identity.IDENTITY.name: ("administrators", "anyone"),
    gateway.HELD_REPORTS.name: ("trace", "verify"),
    gateway.HELD_SALES.name: ("trace", "verify"),
    operator.OPERATOR.name: ("`karya dlq`", "verify", "trace", "audit"),
    **{journal(service).name: ("rebuild",) for service in SERVICES},
}
_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$": "id",
    EVENT_ID: "id of any visible characters",
    r"^[^\x00-\x1f\x7f]+$": "what was typed",
    r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$": "a name of at most 120 characters",
    r"^[^\x00]*$": "text",
    rf"^{identity.SUBJECT.pattern}$": "subject of an account",
    rf"^{identity.DEVICE.pattern}$": "subject of a device",
    rf"^{identity.ANY_SUBJECT.pattern}$": "subject of an account or a device",
    identity.COORDINATE_PATTERN: "32 bytes in base64url",
    identity.SCOPE_PATTERN: "scope of a role",
    gateway.BASE64_PATTERN: "bytes in base64",
    gateway.SHA256_PATTERN: "SHA-256 in hex",
}
_INTRODUCTION = """# Topics and events

Generated from the code by `python -m docsite`; change the code, not this page.

Every record is a CloudEvents 1.0 event in Kafka's binary mode. The headers are `ce_specversion`, `ce_id`,
`ce_source`, `ce_type`, `ce_time` and `content-type`. Some events also have the headers `traceparent` and
`causationid`. The value is the JSON body below. `ce_source` and `ce_id` together are the event's identity: an event
that comes twice has the same identity. `ce_type` is the event's name and version, as in `LotRecorded.v1`. The
record's key is the field of the body that the table names. Kafka's own default (murmur2) gives its partition.

Within a `.v1` events only gain fields that have defaults; readers ignore unknown fields. Money is whole rupiah,
times are UTC (RFC 3339) in the years 1970 to 2099, quantities are whole pieces. No object has a name twice. A field
with `=` may be left out and then means that. Ids are 1 to 120 letters, digits, `.`, `_`, `:`, `/` and `-`; text has
at most 500 characters. Names that people give have a narrower rule each, which the first receiver checks: see
[Names](#names).

A record that a service can't use lies in `<topic>.dlq`, with the same key, value and headers. Further headers there
are `dlq_reason`, `dlq_message`, `dlq_service`, `dlq_topic`, `dlq_partition`, `dlq_offset` and `dlq_at`.

An operator can publish a **mended copy** of such a record on a topic that people write. It is a record as any other.
More headers tell it from the records that terminals, organisers and tills send. `ce_source` is `karya/operator`, and
`actor` is the operator's name. `mends` is the place of the unusable record (`topic/partition/offset`), and
`causationid` is that record's `ce_id`. `ce_id` is the copy's own. `ce_subject` is the id by which others know what it
records, e.g. the number of a receipt. It is the id of the unusable record, unless that id was the fault. A reader
that must trust the sender accepts `karya/operator` only where it accepts what operators do. `actor` proves nothing,
since Kafka takes any header from every writer of the topic.
"""


def page() -> str:
    """The page as Markdown: a table of topics, the rules for names, then each topic with its events."""
    lines = [_INTRODUCTION, *_overview(), *_names()]
    for title, module in _MODULES.values():
        lines += ["", f"## {title}"]
        for topic in vars(module).values():
            if isinstance(topic, Topic):
                lines += _section(topic)
    lines += ["", "## Journals", "", "Each service has one, `karya.<service>.journal.v1`, keyed by lane."]
    lines += _events(journal("inventory"))
    return "\n".join(lines) + "\n"


def readers(topic: Topic) -> list[str]:
    """The readers of the topic: services by their processors, and other readers."""
    services = [service for service, processors in SERVICES.items() if any(topic in f.topics for f in processors)]
    return [*services, *_READERS.get(topic.name, ())]


def _overview() -> Iterator[str]:
    yield "| topic | key | written by | read by | events |"
    yield "|---|---|---|---|---|"
    for topic in all_topics():
        events = ", ".join(body.__name__ for body in topic.bodies)
        dlq = " ·" if topic.name in read_topics() else ""
        cells = [f"`{topic.name}`{dlq}", topic.key, _WRITERS[topic.name], ", ".join(readers(topic)), events]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "· has a DLQ."


def _names() -> Iterator[str]:
    yield ""
    yield "## Names"
    yield ""
    yield from (f"- {rule.words}" for rule in vars(names).values() if isinstance(rule, names.NameRule))


def _section(topic: Topic) -> Iterator[str]:
    yield ""
    yield f"### `{topic.name}`"
    yield ""
    yield f"Key: `{topic.key}`. Written by {_WRITERS[topic.name]}, read by {', '.join(readers(topic))}."
    yield from _events(topic)


def _events(topic: Topic) -> Iterator[str]:
    parts: dict[str, dict[str, Any]] = {}
    for body in topic.bodies:
        schema = body.model_json_schema()
        parts |= schema.get("$defs", {})
        yield ""
        yield f"**{event_type(topic, body)}** {_about(body)}".rstrip()
        yield from _fields(schema, parts)
    for name, part in sorted(parts.items()):
        if "properties" in part:
            yield ""
            yield f"*{name}*: {' '.join(part.get('description', '').split())}".rstrip(": ")
            yield from _fields(part, parts)


def _fields(schema: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Iterator[str]:
    required = set(schema.get("required", []))
    yield ""
    for name, field in schema["properties"].items():
        default = "" if name in required else f" = `{_default(field)}`"
        yield f"- `{name}`: {_words(name, field, parts)}{default}"


def _words(name: str, field: dict[str, Any], parts: dict[str, dict[str, Any]]) -> str:
    """The type of a field in words."""
    if "$ref" in field:
        part = field["$ref"].rsplit("/", 1)[1]
        values = parts[part].get("enum")
        return "one of " + ", ".join(f"`{value}`" for value in values) if values else f"*{part}*"
    if "anyOf" in field:
        kinds = [_words(name, option, parts) for option in field["anyOf"] if option.get("type") != "null"]
        return f"{' or '.join(kinds)}, or null"
    match field.get("type"):
        case "array":
            return f"list: {_words(name, field['items'], parts)}"
        case "string":
            formats = {"date": "day", "date-time": "time", "": "text"}
            return _PATTERNS.get(field.get("pattern", "")) or formats[field.get("format", "")]
        case "boolean":
            return "true or false"
        case _:
            return ("rupiah" if name.endswith("_rupiah") else "number") + _range(field)


def _range(field: dict[str, Any]) -> str:
    least, most = field.get("minimum"), field.get("maximum")
    upper = most if most is not None and most < 2**53 else None
    if least is not None and least >= 0:
        return f", {least:,} to {upper:,}" if upper is not None else f", at least {least:,}"
    return ""


def _default(field: dict[str, Any]) -> str:
    return json.dumps(field.get("default"), ensure_ascii=False)


def _about(body: type[Body]) -> str:
    own = body.__dict__.get("__doc__")
    return re.sub(r"\s+", " ", inspect.cleandoc(own)) if own else ""
