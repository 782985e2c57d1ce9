"""A record of a revoked device that waits for an operator, and the outcome of each command about such records."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.events.gateway import HeldRefusal
from shared.wording import Message

# Of one device at one place, a season of a busy till. A decision about all of them loads them all.
MOST_WAITING = 10_000
MOST_WAITING_BYTES = 16 * 1024 * 1024


class HeldStatus(StrEnum):
    """The state of a record. A refused one can still be released, by its id."""

    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One record that a revoked device has signed; `id` is made by `held_id`. `number`: counts the device's held
    records as they came; `seq`: the record's number on its device, if it has one. `headers` and `value`: as its topic
    has them after a release; `digest`: the SHA-256 of the value; `size`: its bytes. A page of many records is read
    without their values. `decided_at` and `reason`: of a release or a refusal."""

    id: str
    place: str
    device: str
    record: str
    topic: str
    number: int
    seq: int | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes
    digest: str
    size: int
    held_at: datetime
    status: HeldStatus = HeldStatus.HELD
    decided_at: datetime | None = None
    reason: str | None = None

    def header(self, name: str) -> str | None:
        """The text of one of its headers, or None if it has no such header."""
        value = dict(self.headers).get(name)
        return value.decode() if value is not None else None

    @property
    def waiting(self) -> str | None:
        """The `device_id` of a record that waits for a decision; None for a decided one."""
        return device_id(self.place, self.device) if self.status is HeldStatus.HELD else None


@dataclass(frozen=True, slots=True)
class HeldDevice:
    """A revoked device at a place; `id` is made by `device_id`. `records`: how many of its records were ever held;
    `waiting` and `waiting_bytes`: those that wait for a decision."""

    id: str
    records: int = 0
    waiting: int = 0
    waiting_bytes: int = 0

    def has_room(self, size: int) -> bool:
        """Whether one more record of so many bytes may wait."""
        return self.waiting < MOST_WAITING and self.waiting_bytes + size <= MOST_WAITING_BYTES

    def after(self, records: int, size: int) -> "HeldDevice":
        """The device after so many more records, with so many bytes in all, wait. Both are negative for fewer."""
        return replace(self, waiting=self.waiting + records, waiting_bytes=self.waiting_bytes + size)


@dataclass(frozen=True, slots=True)
class HeldRejection:
    """The rejection of a command: the field, a reason for programs and a sentence for a person."""

    field: str
    reason: HeldRefusal
    message: Message


@dataclass(frozen=True, slots=True)
class HeldCommand:
    """One command about held records and its outcome; `id` is made by `held_command_id`."""

    id: str
    command: str
    source: str
    rejection: HeldRejection | None = None


def device_id(place: str, device: str) -> str:
    """The id of a device at a place. Each place has a lane of its own."""
    return f"{place} {device}"


def held_id(place: str, device: str, record: str) -> str:
    """The id of a held record. A device signs for one source alone, in which the ids of records are unique."""
    return f"{device_id(place, device)} {record}"


def held_command_id(place: str, command: str) -> str:
    """The id of a command's document. Commands about two places lie in two lanes, even with one id."""
    return f"{place} {command}"
