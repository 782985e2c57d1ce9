"""A dead letter: the record that a service could not use, its places, and what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aiokafka import ConsumerRecord

from deploy.topics import SERVICES, read_topics
from ops import repairs
from ops.repairs import Mending
from shared.envelope import EPOCH, digest, header, taken_in
from shared.events.language import as_utc
from shared.events.operator import LetterArchived
from shared.events.production import TERMINAL
from shared.runtime.dlq import BUG, ID_REUSED, KEY_PARKED, HeaderList, original_headers
from shared.settings import Settings

# Records of terminals may hold a maker's pseudonym, which is shown only on request.
PRIVATE = frozenset({TERMINAL.name})
# Why a record is a dead letter. An older or newer service may name others.
REASONS = frozenset(
    {BUG, KEY_PARKED, ID_REUSED, "WRONG_KEY", "NO_VALUE", "TOO_LARGE", "BAD_BODY", "NAME_TWICE", "BAD_TIME"}
    | {"MISSING_HEADER", "WRONG_SPEC_VERSION", "BAD_ID", "UNKNOWN_TYPE", "UNKNOWN_VERSION"}
)
_PARTITION = re.compile(r"[0-9]{1,9}")
_OFFSET = re.compile(r"[0-9]{1,18}")
_PLACE = re.compile(r"(?P<topic>[\w.-]+?)(?:\.dlq)?/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})")


class Status(StrEnum):
    """The state of a dead letter."""

    OPEN = "open"  # its key waits for it: fix the bug, then replay the key
    WORKED = "worked"  # the ledger holds this event with the same body
    UNUSABLE = "unusable"  # no service can use it; no key waits for it
    MENDED = "mended"  # an operator has published a mended copy
    ARCHIVED = "archived"  # an operator has taken it from the list


# Nothing is to be done about these.
SETTLED = frozenset({Status.WORKED, Status.MENDED, Status.ARCHIVED})


@dataclass(frozen=True, slots=True)
class LetterPlace:
    """The position of a letter in the DLQ of `topic` (the name without prefix and `.dlq`)."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}.dlq/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `headers` and `value` are those of the original record, `original_partition` and
    `original_offset` are its place (-1 if unknown), `arrived_at` is when Kafka took it in.

    `times`: how often the record came to this DLQ; `places`: its letters. Place and time are those of the first.
    `mending` and `archived`: what an operator did with it.
    """

    place: LetterPlace
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: HeaderList
    service: str
    reason: str
    message: str
    original_partition: int
    original_offset: int
    arrived_at: datetime
    status: Status = Status.UNUSABLE
    times: int = 1
    places: tuple[LetterPlace, ...] = ()
    mending: Mending | None = None
    archived: LetterArchived | None = None

    @property
    def ledger_id(self) -> str | None:
        """The id of the event in the ledger, or None if the headers lack a part of it."""
        source, id = header(self.headers, "ce_source"), header(self.headers, "ce_id")
        return f"{source} {id}" if source and id else None

    @property
    def original(self) -> str:
        """The place of the record in its own topic, as operators' events name it."""
        return repairs.place(self.place.topic, self.original_partition, self.original_offset)

    @property
    def mended_id(self) -> str:
        """The `ce_id` of the letter's mended copy, whether there is one or not."""
        return repairs.copy_id(self.original, self.place.topic)

    @property
    def private(self) -> bool:
        return self.place.topic in PRIVATE


def parse_place(text: str) -> LetterPlace | None:
    """The place that the text names as `TOPIC/PARTITION/OFFSET` (with or without `.dlq`), or None for another
    text."""
    match = _PLACE.fullmatch(text)
    if match is None or match["topic"] not in read_topics():
        return None
    return LetterPlace(match["topic"], int(match["partition"]), int(match["offset"]))


def letter_of(settings: Settings, record: ConsumerRecord) -> Letter:
    """The letter in a record of a DLQ. Its status is not known yet."""

    def mark(name: str) -> str:
        return header(record.headers, f"dlq_{name}") or ""

    topic = record.topic.removeprefix(settings.topic_prefix).removesuffix(".dlq")
    partition, offset = mark("partition"), mark("offset")
    place = LetterPlace(topic, record.partition, record.offset)
    return Letter(
        place=place,
        places=(place,),
        at=taken_in(record) or EPOCH,
        key=record.key,
        value=record.value,
        headers=original_headers(record.headers),
        service=mark("service"),
        reason=mark("reason"),
        message=mark("message"),
        original_partition=int(partition) if _PARTITION.fullmatch(partition) else record.partition,
        original_offset=int(offset) if _OFFSET.fullmatch(offset) else -1,
        arrived_at=_moment(mark("at")),
    )


def status_of(letter: Letter, worked_digest: bytes | None, *, mended: bool, archived: bool) -> Status:
    """The status of a letter. `worked_digest`: of the body that its reader has worked under the letter's id."""
    if worked_digest is not None and worked_digest == digest(letter.value or b""):
        return Status.WORKED
    if letter.reason in (BUG, KEY_PARKED) and letter.service in SERVICES:
        return Status.OPEN
    if mended:
        return Status.MENDED
    return Status.ARCHIVED if archived else Status.UNUSABLE


def _moment(text: str) -> datetime:
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return EPOCH
