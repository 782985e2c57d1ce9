"""The rules of held records: held once, and released or refused once."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from services.gateway.domain.held_record import (
    HeldCommand,
    HeldDevice,
    HeldRecord,
    HeldRejection,
    HeldStatus,
    device_id,
    held_command_id,
    held_id,
)
from shared.events import names
from shared.events.gateway import (
    HELD_REPORTS,
    HELD_SALES,
    HeldCommandRefused,
    HeldRecordRefused,
    HeldRecordReleased,
    HeldRefusal,
    HoldRecord,
    RecordHeld,
    RefuseRecords,
    ReleaseRecords,
)
from shared.events.language import MAX_TEXT, Body, Deadline, Event, Publication, Unchanged
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State
from shared.wording import Message

TOPICS = {topic.name: topic for topic in (TERMINAL, TILL)}
_FACTS = {TERMINAL.name: HELD_REPORTS, TILL.name: HELD_SALES}
# Of one command: a lost tablet may bring a season, and a transaction has to end.
MOST_AT_ONCE = 500
MOST_BYTES_AT_ONCE = 4 * 1024 * 1024
TOO_MANY_HELD = Message(
    "The gateway holds as many records of this revoked device as it may. This one stays on the device: send it again "
    "when an operator has released or refused the others."
)


def waiting_of(place: str, device: str) -> OwnedQuery[HeldRecord]:
    """The records of the device that wait for a decision."""
    return OwnedQuery(HeldRecord, "waiting", device_id(place, device))


def hold(state: State, event: Event, body: HoldRecord) -> Decision:
    """A record waits for an operator. What comes again under its id changes nothing."""
    id = held_id(body.place, body.device, body.record)
    if state.get(HeldRecord, id) is not None:
        return state, []
    device = _device(state, body.place, body.device)
    value = base64.b64decode(body.value_base64)
    if not device.has_room(len(value)):
        # The intake refuses such records. It has not yet seen all that came at the same moment.
        rejection = HeldRejection("device", HeldRefusal.TOO_MANY_HELD, TOO_MANY_HELD)
        return state, [_FACTS[body.topic].of(_refusal(body.place, event, rejection))]
    device = replace(device.after(1, len(value)), records=device.records + 1)
    record = HeldRecord(
        id=id,
        place=body.place,
        device=body.device,
        record=body.record,
        topic=body.topic,
        number=device.records,
        seq=body.seq,
        headers=tuple((header.name, header.value.encode()) for header in body.headers),
        value=value,
        digest=hashlib.sha256(value).hexdigest(),
        size=len(value),
        held_at=event.logged_at,
    )
    # A record that can't be released must not be held: it fails here, where its command becomes a dead letter.
    _body_of(record)
    fact = RecordHeld(
        place=body.place,
        device=body.device,
        record=body.record,
        topic=body.topic,
        type=record.header("ce_type") or "",
        source=record.header("ce_source") or "",
        digest=record.digest,
        seq=body.seq,
        actor=event.actor,
        held_at=event.logged_at,
    )
    return state.put(record, device), [_FACTS[body.topic].of(fact)]


def release(state: State, event: Event, body: ReleaseRecords) -> Decision:
    """Held records go to their topic as they are, in the order of their device."""
    chosen = _chosen(state, event, body)
    if isinstance(chosen, HeldRejection):
        return _refused(state, event, body.place, chosen)
    if any(record.status is HeldStatus.RELEASED for record in chosen):
        message = Message("The record {record} was released already.", record=str(body.record))
        return _refused(state, event, body.place, HeldRejection("record", HeldRefusal.RECORD_RELEASED, message))
    outputs: list[Publication | Deadline] = []
    for record in chosen:
        fact = HeldRecordReleased(
            place=record.place,
            device=record.device,
            record=record.record,
            topic=record.topic,
            digest=record.digest,
            actor=event.actor,
            released_at=event.logged_at,
        )
        outputs += [
            Unchanged(TOPICS[record.topic], _body_of(record), record.value, record.headers),
            _FACTS[record.topic].of(fact),
        ]
    released = [replace(record, status=HeldStatus.RELEASED, decided_at=event.logged_at) for record in chosen]
    return state.put(*released, _decided(state, body, chosen), _done(event, body.place)), outputs


def refuse(state: State, event: Event, body: RefuseRecords) -> Decision:
    """Held records do not count."""
    chosen = _chosen(state, event, body)
    if isinstance(chosen, HeldRejection):
        return _refused(state, event, body.place, chosen)
    if any(record.status is HeldStatus.RELEASED for record in chosen):
        message = Message("The record {record} was released, and counts.", record=str(body.record))
        return _refused(state, event, body.place, HeldRejection("record", HeldRefusal.RECORD_RELEASED, message))
    refused = [
        replace(record, status=HeldStatus.REFUSED, decided_at=event.logged_at, reason=body.reason)
        for record in chosen
    ]
    outputs: list[Publication | Deadline] = [
        _FACTS[record.topic].of(
            HeldRecordRefused(
                place=record.place,
                device=record.device,
                record=record.record,
                topic=record.topic,
                reason=body.reason,
                actor=event.actor,
                refused_at=event.logged_at,
            )
        )
        for record in chosen
    ]
    return state.put(*refused, _decided(state, body, chosen), _done(event, body.place)), outputs


def _body_of(record: HeldRecord) -> Body:
    """The body of the record, which the intake has read before."""
    type = record.header("ce_type") or ""
    return TOPICS[record.topic].by_type[type].model_validate_json(record.value)


def _chosen(state: State, event: Event, body: ReleaseRecords | RefuseRecords) -> Sequence[HeldRecord] | HeldRejection:
    """The records that a command is about, in the order of their device: at most MOST_AT_ONCE, and one or as many as
    MOST_BYTES_AT_ONCE allows."""
    if state.get(HeldCommand, held_command_id(body.place, event.id)) is not None:
        message = Message("Another command has this id; give each one its own UUID.")
        return HeldRejection("command", HeldRefusal.ID_TAKEN, message)
    if body.record is not None:
        record = state.get(HeldRecord, held_id(body.place, body.device, body.record))
        if record is None:
            message = Message("No record {record} of this device is held here.", record=body.record)
            return HeldRejection("record", HeldRefusal.UNKNOWN_RECORD, message)
        return [record]
    waiting = state.find(waiting_of(body.place, body.device))
    if not waiting:
        message = Message("No record of this device waits for a decision here.")
        return HeldRejection("device", HeldRefusal.NOTHING_HELD, message)
    # Records of terminals have no number on their device. They come in its order.
    ordered = sorted(waiting, key=lambda record: (record.seq or 0, record.number))[:MOST_AT_ONCE]
    sizes = accumulate(record.size for record in ordered)
    return ordered[: max(1, sum(size <= MOST_BYTES_AT_ONCE for size in sizes))]


def _device(state: State, place: str, device: str) -> HeldDevice:
    id = device_id(place, device)
    return state.get(HeldDevice, id) or HeldDevice(id)


def _decided(state: State, body: ReleaseRecords | RefuseRecords, chosen: Sequence[HeldRecord]) -> HeldDevice:
    """The device after these records were decided. A refused one that is released has not waited."""
    sizes = [record.size for record in chosen if record.status is HeldStatus.HELD]
    return _device(state, body.place, body.device).after(-len(sizes), -sum(sizes))


def _done(event: Event, place: str) -> HeldCommand:
    return HeldCommand(held_command_id(place, event.id), event.id, event.source)


def _refused(state: State, event: Event, place: str, rejection: HeldRejection) -> Decision:
    fact = _refusal(place, event, rejection)
    # No facility has the name of a booth.
    topic = HELD_SALES if names.BOOTH.wrong(place) is None else HELD_REPORTS
    if rejection.reason is HeldRefusal.ID_TAKEN:
        # The first command with this id keeps its outcome.
        return state, [topic.of(fact)]
    return state.put(replace(_done(event, place), rejection=rejection)), [topic.of(fact)]


def _refusal(place: str, event: Event, rejection: HeldRejection) -> HeldCommandRefused:
    return HeldCommandRefused(
        place=place,
        command=event.id,
        field=rejection.field,
        reason=rejection.reason,
        message=rejection.message.english[:MAX_TEXT],
        template=rejection.message.template,
        values=rejection.message.plain_values,
    )
