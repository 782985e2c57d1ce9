"""Kafka records as the consumer hands them over, and a small processor to work them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord

from shared import envelope
from shared.events.language import Body, Deadline, Event, Id, Topic
from shared.runtime.processor import Collection, Decision, Document, Processor, on
from shared.runtime.state import Ref, State

NOON = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)


class Added(Body):
    account: Id
    amount: int


class Grew(Body):
    account: Id
    total: int


IN = Topic("karya.test.in.v1", "account", (Added,))
OUT = Topic("karya.test.out.v1", "account", (Grew,))


@dataclass(frozen=True, slots=True)
class RunningTotal:
    id: str
    total: int = 0


def add(state: State, _event: Event, body: Added) -> Decision:
    """Adds; 13 is a bug, 7 asks for a deadline."""
    account = state.get(RunningTotal, body.account) or RunningTotal(body.account)
    if body.amount == 13:
        raise ZeroDivisionError("made up for a test")
    grown = replace(account, total=account.total + body.amount)
    publications: list[Any] = [OUT.of(Grew(account=grown.id, total=grown.total))]
    if body.amount == 7:
        publications.append(Deadline("d1", body.account, NOON))
    return state.put(grown), publications


def account_of(event: Event, _body: Added) -> Iterable[Ref]:
    return (Ref(RunningTotal, event.key),)


def _to(account: RunningTotal) -> dict[str, Any]:
    return {"total": account.total}


def _from(document: Document) -> RunningTotal:
    return RunningTotal(document["_id"], document["total"])


PROCESSOR = Processor(
    service="test",
    key="account",
    topics=(IN,),
    collections=(Collection("accounts", RunningTotal, _to, _from),),
    handlers=(on(Added, add, reads=account_of),),
    deadlines=IN,
)


def a_record(
    body: Body | None = None,
    *,
    id: str = "e1",
    offset: int = 0,
    partition: int = 0,
    topic: Topic = IN,
    value: bytes | None = None,
    key: bytes | None = None,
    headers: list[tuple[str, bytes | None]] | None = None,
) -> ConsumerRecord[Any, Any]:
    body = body or Added(account="a", amount=1)
    made = envelope.headers(id=id, source="till-1", topic=topic, body=body, time=NOON)
    return ConsumerRecord(
        topic=topic.name,
        partition=partition,
        offset=offset,
        timestamp=int(NOON.timestamp() * 1000),
        timestamp_type=1,
        key=topic.key_of(body).encode() if key is None else key,
        value=envelope.encode(body) if value is None else value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(made if headers is None else headers),
    )
