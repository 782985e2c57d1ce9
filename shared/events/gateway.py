"""Records of revoked devices: the gateway holds them with their exact bytes until an operator decides."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.events.identity import DeviceSubject
from shared.events.language import Body, CommandId, Id, Qty, Text, Topic, Utc, Values

# A held record and its headers must fit into one body, where its bytes are a third longer.
MAX_HELD_BYTES = 180 * 1024
BASE64_PATTERN = r"^[A-Za-z0-9+/]*={0,2}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
Base64 = Annotated[str, StringConstraints(pattern=BASE64_PATTERN, max_length=MAX_HELD_BYTES // 3 * 4 + 4)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]


class RecordHeader(Body):
    """One header of a record. `value`: its text in UTF-8."""

    name: Id
    value: Annotated[str, StringConstraints(max_length=2000)]


class HoldRecord(Body):
    """The gateway took in a record that a revoked device has signed. `place`: its facility or booth; `device`: the
    signer; `record`: its id; `topic`: where it belongs; `seq`: its number on its device, if it has one. `headers` and
    `value_base64` are the record as its topic would have it. A terminal's may hold a maker's pseudonym."""

    place: Id
    device: DeviceSubject
    record: CommandId
    topic: Id
    seq: Qty | None = None
    headers: tuple[RecordHeader, ...]
    value_base64: Base64


class ReleaseRecords(Body):
    """Held records of a device go to their topic, unchanged and in the order of the device: one of them, or all."""

    place: Id
    device: DeviceSubject
    record: CommandId | None = None


class RefuseRecords(Body):
    """Held records of a device do not count: one of them, or all. `reason` must say why."""

    place: Id
    device: DeviceSubject
    record: CommandId | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class RecordHeld(Body):
    """The gateway holds a record that a revoked device has signed. `type`: that of the record; `digest`: the SHA-256
    of its exact bytes; `actor`: who brought it, if the gateway knows its callers."""

    place: Id
    device: DeviceSubject
    record: CommandId
    topic: Id
    type: Id
    source: CommandId
    digest: Sha256
    seq: Qty | None = None
    actor: Id | None = None
    held_at: Utc


class HeldRecordReleased(Body):
    """An operator released the record: its topic has it now, as its device has signed it."""

    place: Id
    device: DeviceSubject
    record: CommandId
    topic: Id
    digest: Sha256
    actor: Id | None = None
    released_at: Utc


class HeldRecordRefused(Body):
    """An operator refused the record: it does not count. The gateway keeps its bytes."""

    place: Id
    device: DeviceSubject
    record: CommandId
    topic: Id
    reason: Text
    actor: Id | None = None
    refused_at: Utc


class HeldRefusal(StrEnum):
    """The reason why a command about held records was refused."""

    UNKNOWN_RECORD = "unknown_record"
    NOTHING_HELD = "nothing_held"
    RECORD_RELEASED = "record_released"
    TOO_MANY_HELD = "too_many_held"
    ID_TAKEN = "id_taken"


class HeldCommandRefused(Body):
    """A command about held records is refused, and changes nothing. `message`, `template` and `values` as in
    EntryCommandRefused."""

    place: Id
    command: CommandId
    field: Id
    reason: HeldRefusal
    message: Text
    template: Text
    values: Values


HELD_COMMANDS = Topic("karya.held-commands.v1", "place", (HoldRecord, ReleaseRecords, RefuseRecords))
_FACTS = (RecordHeld, HeldRecordReleased, HeldRecordRefused, HeldCommandRefused)
# Of terminals and of tills: each kind of device hears of its own.
HELD_REPORTS = Topic("karya.held-reports.v1", "place", _FACTS)
HELD_SALES = Topic("karya.held-sales.v1", "place", _FACTS)
