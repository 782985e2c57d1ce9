"""The check of signatures: every record of a device that is signed is as its device signed it."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiokafka import ConsumerRecord

from ops.verify.log import TopicLog
from ops.verify.report import Check
from shared import envelope
from shared.access.signatures import HEADER, UNSIGNED, SignatureRefused, SignedContent, device_of, verify
from shared.errors import Unusable
from shared.events.gateway import HELD_REPORTS, HELD_SALES, HeldRecordReleased
from shared.events.identity import IDENTITY, DeviceEnrolled, DeviceRevoked, PublicKey
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.settings import Settings
from shared.wording import Message

_SIGNED = (TERMINAL.name, TILL.name)
_HELD: Mapping[str, Topic] = {topic.name: topic for topic in (HELD_REPORTS, HELD_SALES)}
# The gateway hears of a revocation a moment after identity has published it.
HEARD_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _Signer:
    key: PublicKey
    source: str
    revoked_at: datetime | None = None


class SignatureAudit:
    """The signatures of all records, compared with what identity published of devices. `all_signed`: each record must
    have the signature of an enrolled device."""

    def __init__(self, *, all_signed: bool = False) -> None:
        self._all_signed = all_signed
        self._signers: dict[str, _Signer] = {}
        # The digests of the bytes that an operator released, by device and id of the record.
        self._released: dict[tuple[str, str], str] = {}
        self._found: set[tuple[str, str]] = set()
        self._unchecked: Counter[Message] = Counter()
        self._check = Check(
            "signatures",
            "per signed record: it is as an enrolled device signed it, and came before its loss or was released",
        )

    def hear(self, record: ConsumerRecord) -> None:
        """Take in a record of identity."""
        try:
            event = envelope.decode(IDENTITY, record)
        except Unusable:
            return  # it tells nobody anything
        match event.body:
            case DeviceEnrolled() as body:
                source = f"{body.role.value}/{body.scope}/{body.name}"
                self._signers[body.subject] = _Signer(body.public_key, source)
            case DeviceRevoked() as body if body.subject in self._signers:
                self._signers[body.subject] = replace(self._signers[body.subject], revoked_at=event.logged_at)

    def hear_held(self, topic: Topic, record: ConsumerRecord) -> None:
        """Take in a record of the gateway about records that it held."""
        try:
            body = envelope.decode(topic, record).body
        except Unusable:
            return
        if isinstance(body, HeldRecordReleased):
            self._released[body.device, body.record] = body.digest

    def look(self, record: ConsumerRecord) -> None:
        """Check a record of a device. One that nobody or an unknown device signed is counted alone, unless all must
        be signed."""
        signature = envelope.header(record.headers, HEADER)
        where = f"{record.topic} {record.partition}/{record.offset}"
        if signature is None:
            is_former = envelope.header(record.headers, UNSIGNED) is not None
            self._without(
                Message("of a former version, which signed nothing") if is_former else Message("not signed"), where
            )
            return
        try:
            device = device_of(signature)
        except SignatureRefused:
            self._check.expect(False, "{where}: it has a signature that is none", where=where)
            return
        signer = self._signers.get(device)
        if signer is None:
            self._without(Message("signed by a device that was never enrolled"), where)
            return
        known = (device, envelope.header(record.headers, "ce_id") or "")
        is_released = self._released.get(known) == hashlib.sha256(record.value or b"").hexdigest()
        if is_released:
            self._found.add(known)
        self._check.looked_at += 1
        wrong = _wrong(record, signature, device, signer, where, is_released=is_released)
        if wrong is not None:
            self._check.fail_with(wrong)

    def _without(self, what: Message, where: str) -> None:
        if self._all_signed:
            self._check.expect(False, "{where}: it is {what}", where=where, what=what)
        else:
            self._unchecked[what] += 1

    def result(self) -> Check:
        """The check, with the numbers of records that it can't be sure of as notes."""
        for device, record in sorted(self._released.keys() - self._found):
            self._check.expect(
                False,
                "record {record} of {device} was released, and its topic does not have it so",
                record=record,
                device=device,
            )
        self._check.remarks = [
            Message("{count:record is|records are} {what}", count=count, what=what)
            for what, count in sorted(self._unchecked.items(), key=lambda pair: pair[0].english)
        ]
        return self._check


async def signatures(settings: Settings, *, all_signed: bool = False) -> Check:
    """The check of all records of devices that Kafka has. `all_signed`: each must be signed by an enrolled device.
    Raises KafkaError or NotReached."""
    audit = SignatureAudit(all_signed=all_signed)
    async with TopicLog(settings, (IDENTITY.name, *_HELD, *_SIGNED)) as log:
        ends = await log.ends()
        async for _, records in log.read(log.of(ends, IDENTITY.name)):
            for record in records:
                audit.hear(record)
        async for name, records in log.read(log.of(ends, *_HELD)):
            for record in records:
                audit.hear_held(_HELD[name], record)
        async for _, records in log.read(log.of(ends, *_SIGNED)):
            for record in records:
                audit.look(record)
    return audit.result()


def _wrong(
    record: ConsumerRecord, signature: str, device: str, signer: _Signer, where: str, *, is_released: bool
) -> Message | None:
    """What is wrong with a signed record."""
    content = SignedContent.of(record.headers, record.key or b"", record.value or b"")
    try:
        verify(signature, content, signer.key)
    except SignatureRefused as refused:
        return Message(
            "{where}: {device} did not sign this ({fault})", where=where, device=device, fault=refused.fault.value
        )
    if content.source != signer.source.encode():
        return Message(
            "{where}: {device} of {source} signed it in the name of another",
            where=where,
            device=device,
            source=signer.source,
        )
    arrived = envelope.taken_in(record)
    if is_released:
        return None
    if signer.revoked_at is not None and (arrived is None or arrived > signer.revoked_at + HEARD_WITHIN):
        return Message("{where}: it came after {device} was revoked", where=where, device=device)
    return None
