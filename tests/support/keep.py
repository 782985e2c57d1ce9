"""Keeps a sample and the schema of each event as it is now: `python -m tests.support.keep`.

Only of events that have none yet. What is kept is what readers of the past were promised: it is never changed, and
taken away only for an event that was never released. All values are made up.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from deploy.topics import all_topics
from shared import envelope
from shared.events.festival import PlanRule
from shared.events.gateway import (
    HeldRecordRefused,
    HeldRecordReleased,
    HoldRecord,
    RecordHeader,
    RecordHeld,
    RefuseRecords,
    ReleaseRecords,
)
from shared.events.identity import (
    Curve,
    DeviceEnrolled,
    DeviceRevoked,
    EnrolDevice,
    KeyKind,
    PublicKey,
    RevokeDevice,
    Role,
)
from shared.events.language import Body, Topic, event_type

CONTRACT = Path(__file__).parents[1] / "contract"
SAMPLES = CONTRACT / "samples"
SCHEMAS = CONTRACT / "schemas"
AT = datetime(2023, 4, 18, 2, 30, tzinfo=UTC)

_BY_NAME: dict[str, Any] = {
    "lot": "PR-KPG-KTI-230418-007-4",
    "facility": "PR-KPG",
    "terminal": "PR-KPG.T1",
    "product": "KTI",
    "products": ("KTI",),
    "entry": "product/KTI",
    "asker": "facility/PR-KPG",
    "lots": ("PR-KPG-KTI-230418-007-4",),
    "without": ("LP-KPG",),
    "category": "tenun",
    "maker": "p.mazcrdi4ewgq7ubn",
    "festival": "ODOP-2023",
    "booth": "ODOP-2023.B07",
    "booths": ("ODOP-2023.B07",),
    "till": "T1",
    "device": "0b0e7a52-6a3e-4f0e-9d59-7f5e3f1f0c11",
    "previous": "5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e00",
    "drawer": "5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8dff",
    "cashier": "k.7q2m",
    "receipt": "5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e01",
    "receipts": ("5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e01",),
    "transfer": "T1",
    "to": "ODOP-2023.B08",
    "tills": ("T1", "T2"),
    "request": "R1",
    "reservation": "ODOP-2023/R1.3",
    "shipment": "S1",
    "key": "ODOP-2023.B07",
    "deadline": "ODOP-2023.B07",
    "lane": "karya.inventory.lot/003",
    "topic": "karya.production.v1",
    "zone": "Asia/Makassar",
    "field": "qty",
    "message": "The quantity must be at least 1.",
    "template": "The quantity must be at least {least}.",
    "values": {"least": 1},
    "place": "Kupang",
    "name": "One Day One Prison's Product",
    "reason": "mouldy",
    "sale": "5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e01/1",
    "disputed": ("5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e02/1",),
    "line": 1,
    "discount_rupiah": 0,
    "given_rupiah": 3_000_000,
    "change_rupiah": 0,
    "price_reason": "the last piece, with a stain",
    "reference": "QR-20230418-0007",
    "qty": 12,
    "unit_price_rupiah": 250_000,
    "price_rupiah": 250_000,
    "amount_rupiah": 3_000_000,
    "change": -2,
    "hours": (467_000, 467_001),
    "sold": (4, 0),
    "minutes": (60, 12),
    "original": "karya.till.sales.v1/3/17",
    "letter": "karya.till.sales.v1.dlq/3/0",
    "fields": ("qty",),
    "actor": "op.kupang",
    "subject": "s-mfrggzdfmztwq2lknnwg23tpoa",
    "announced_by": "s-mfrggzdfmztwq2lknnwg23tpoa",
    "credential": "c-nbswy3dpeb3w64tmmq2tknzyge",
    "scope": "PR-KPG",
    "digest": "0123456789abcdef0123456789abcdef",
    "rules": (PlanRule.STOCK, PlanRule.LEAD_TIME),
}
# A key of Ed25519, whose private half nobody kept, and the device that has it.
_KEY = PublicKey(kty=KeyKind.OKP, crv=Curve.ED25519, x="25qyAU9vy-8kw19yp4PPoXFPcZ-B5IxuFZDWzW_CLxQ")
_DEVICE = {"subject": _KEY.device, "public_key": _KEY, "role": Role.TERMINAL, "name": "T1"}
_HEADER = RecordHeader(name="ce_id", value="r1")
_HELD = {"place": "PR-KPG", "device": _KEY.device}
_ABOUT_HELD = {**_HELD, "topic": "karya.terminal.production.v1", "digest": 2 * "0123456789abcdef0123456789abcdef"}
# Fields whose values depend on each other.
_BY_MODEL: dict[type[BaseModel], dict[str, Any]] = {
    PublicKey: dict(_KEY),
    EnrolDevice: _DEVICE,
    DeviceEnrolled: _DEVICE,
    RevokeDevice: {"subject": _KEY.device},
    DeviceRevoked: {"subject": _KEY.device},
    RecordHeader: dict(_HEADER),
    HoldRecord: {
        **_HELD,
        "topic": "karya.terminal.production.v1",
        "headers": (_HEADER,),
        "value_base64": "e30=",
    },
    ReleaseRecords: _HELD,
    RefuseRecords: _HELD,
    RecordHeld: {**_ABOUT_HELD, "type": "ProductionReported.v1", "source": "terminal/PR-KPG/T1"},
    HeldRecordReleased: _ABOUT_HELD,
    HeldRecordRefused: {**_HELD, "topic": "karya.terminal.production.v1"},
}
_BY_TYPE: dict[Any, Any] = {
    bool: True,
    int: 3,
    str: "9c0b6d5e-30f5-4f0a-8a3c-0d9d6b1c7e55",
    AwareDatetime: AT,
    date: date(2023, 4, 18),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """Where one event of one topic is kept."""

    topic: Topic
    body: type[Body]

    def __str__(self) -> str:
        return f"{self.topic.name} {self.body.__name__}"

    @property
    def sample(self) -> Path:
        return SAMPLES / self.topic.name / f"{event_type(self.topic, self.body)}.json"

    @property
    def schema(self) -> Path:
        return SCHEMAS / self.topic.name / f"{event_type(self.topic, self.body)}.json"


def every_event() -> list[Kept]:
    return [Kept(topic, body) for topic in all_topics() for body in topic.bodies]


def a_body(model: type[BaseModel]) -> BaseModel:
    """A body with every field filled in."""
    values = {name: _value(name, field.annotation) for name, field in model.model_fields.items()}
    return model(**values | _BY_MODEL.get(model, {}))


def a_record(topic: Topic, body: Body) -> dict[str, Any]:
    """The record as it lies in Kafka: key, headers and body."""
    headers = envelope.headers(
        id="0f2f4e0a-59d0-4f6e-8b53-6f6d1d2b7a10",
        source="karya/sample",
        topic=topic,
        body=body,
        time=AT,
        trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        cause="8a1b9f0c-6f6e-4a58-9b63-0f7d2f6f1c22",
    )
    return {
        "key": topic.key_of(body),
        "headers": {name: value.decode() for name, value in headers},
        "body": body.model_dump(mode="json"),
    }


def keep() -> Iterator[Path]:
    """Write what is missing; the files that were written."""
    for files in every_event():
        body = a_body(files.body)
        assert isinstance(body, Body)
        for path, content in (
            (files.sample, a_record(files.topic, body)),
            (files.schema, files.body.model_json_schema()),
        ):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                yield path


def _value(name: str, annotation: Any) -> Any:
    kind = _bare(annotation)
    if get_origin(kind) is dict:
        return _BY_NAME[name]
    if get_origin(kind) is tuple:
        element = _bare(get_args(kind)[0])
        if isinstance(element, type) and issubclass(element, BaseModel):
            return (a_body(element),)
        return _BY_NAME[name]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return a_body(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    made = _BY_NAME.get(name)
    # A name may mean another thing in another event: then the type decides.
    return made if made is not None and type(made) is kind else _BY_TYPE[kind]


def _bare(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    inner = [member for member in get_args(annotation) if member is not NoneType]
    if NoneType in get_args(annotation):
        return _bare(inner[0])
    return annotation


if __name__ == "__main__":
    for path in keep():
        print(path.relative_to(Path.cwd()))
