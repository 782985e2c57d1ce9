"""Mending and archiving of unusable dead letters.

A mended copy goes to the topic of the record that it stands for, with an id of its own that follows from that
record's place. Then a `LetterMended` goes to the operators' topic. A crash between the two leaves a copy without its
event: the letter counts as mended by its copy's entry in the ledger, and the same command publishes both again. Their
ids are the same, so readers drop what they have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.topics import SERVICES
from ops.dlq import DeadLetters
from ops.drafts import Draft
from ops.letters import Letter, Status
from ops.repairs import MENDS, SOURCE, event_headers
from shared import envelope
from shared.derivation import named_id
from shared.envelope import header
from shared.errors import NotMendable, Unusable
from shared.events.language import as_utc
from shared.events.letter_reasons import sentence_of
from shared.events.operator import OPERATOR, LetterArchived, LetterMended
from shared.retry import attempts
from shared.runtime.dlq import ID_REUSED, HeaderList
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class MendReport:
    """A mending's result. `worked`: the reader has worked the copy. `letter`: the copy's own dead letter, if any."""

    copy: str
    changed: tuple[str, ...]
    again: bool
    worked: bool
    letter: Letter | None


async def mend(
    letters: DeadLetters,
    letter: Letter,
    draft: Draft,
    *,
    actor: str,
    note: str = "",
    wait: float = 10.0,
    without_original: bool = False,
) -> MendReport:
    """Publish the mended copy, then its `LetterMended`, and wait up to `wait` seconds until the copy is worked.

    Safe to repeat with the same body. Raises NotMendable if the letter is not unusable, was mended otherwise, or is
    not the record that it names. `without_original`: that record may be deleted.
    """
    _check_place(letter)
    if (fault := await letters.difference(letter, without_original=without_original)) is not None:
        raise NotMendable(Message("{place} can't be mended: {fault}", place=str(letter.place), fault=fault))
    await letters.require_operators_topic()
    value = envelope.encode(draft.body)
    digest = envelope.digest(value).hex()
    before = await _mended_digest(letters, letter)
    if before is not None and before != digest:
        if letter.mending is None:
            await _tell(letters, letter, before, (), actor, note)
        raise NotMendable(_mended_otherwise(letter))
    if letter.status not in (Status.UNUSABLE, Status.ARCHIVED, Status.MENDED):
        raise NotMendable(_not_unusable(letter, Message("{place} can't be mended", place=str(letter.place))))
    headers = _headers(letter, draft, actor)
    key = _check_usable(letter, draft, value, headers)
    worked = await _worked_digest(letters, letter)
    if worked is None:
        await letters.publish(draft.topic.name, key, value, headers)
    if letter.mending is None:
        await _tell(letters, letter, digest, draft.changed, actor, note)
    own: Letter | None = None
    async for _ in attempts(within=wait, most=0.5):
        worked = await _worked_digest(letters, letter)
        own = await _own_letter(letters, letter, value) if worked is None else None
        if worked is not None or own is not None:
            break
    if worked is not None and worked != digest:
        # Another operator mended it at the same time, and the copy of this body is a dead letter.
        raise NotMendable(_mended_otherwise(letter))
    return MendReport(letter.mended_id, draft.changed, before is not None, worked is not None, own)


async def archive(letters: DeadLetters, letter: Letter, *, actor: str, reason: str) -> bool:
    """Take an unusable letter from the list. False if it was archived before.

    Raises NotMendable for a letter in another status.
    """
    _check_place(letter)
    await letters.require_operators_topic()
    if letter.status is Status.ARCHIVED:
        return False
    if letter.status is not Status.UNUSABLE:
        raise NotMendable(_not_unusable(letter, Message("{place} can't be archived", place=str(letter.place))))
    body = LetterArchived(
        original=letter.original, letter=str(letter.place), arrived_at=letter.arrived_at, actor=actor, reason=reason
    )
    await _publish(letters, body, f"archived {letter.original}")
    return True


@dataclass(frozen=True, slots=True)
class _CopyRecord:
    """A record that Kafka does not have yet."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: HeaderList


def _check_usable(letter: Letter, draft: Draft, value: bytes, headers: HeaderList) -> bytes:
    """Decode the copy as its reader will, and return its key. Raises NotMendable."""
    key = draft.topic.key_of(draft.body).encode()
    try:
        envelope.decode(draft.topic, _CopyRecord(key, value, int(letter.at.timestamp() * 1000), headers))
    except Unusable as fault:
        raise NotMendable(
            Message(
                "The copy would be unusable too. {reason}", reason=fault.message, reason_id=sentence_of(fault.reason)
            )
        ) from None
    return key


def _headers(letter: Letter, draft: Draft, actor: str) -> HeaderList:
    id, trace = header(letter.headers, "ce_id"), header(letter.headers, "traceparent")
    usable_id = id if id is not None and envelope.is_name(id.encode()) else None
    pairs: HeaderList = list(
        envelope.headers(
            id=letter.mended_id,
            source=SOURCE,
            topic=draft.topic,
            body=draft.body,
            time=_said_at(letter),
            trace=trace,
            cause=usable_id,
            # An id that another event has names that event.
            subject=None if letter.reason == ID_REUSED else usable_id,
        )
    )
    return [*pairs, (envelope.ACTOR, actor.encode()), (MENDS, letter.original.encode())]


def _said_at(letter: Letter) -> datetime:
    """The time that the sender gave, or else of the record's arrival."""
    try:
        moment = datetime.fromisoformat(header(letter.headers, "ce_time") or "")
        return as_utc(moment) if moment.tzinfo is not None else letter.arrived_at
    except (ValueError, OverflowError):
        return letter.arrived_at


def _check_place(letter: Letter) -> None:
    if letter.original_offset < 0 or letter.service not in SERVICES:
        raise NotMendable(
            Message(
                "{place} does not say which record it is of: no service wrote this letter.", place=str(letter.place)
            )
        )


def _not_unusable(letter: Letter, refused: Message) -> Message:
    match letter.status:
        case Status.OPEN:
            return Message(
                "{refused}: it is readable, and later events of its key wait for it. Mend the fault of {service}, "
                "then `karya dlq replay {key}`.",
                refused=refused,
                service=letter.service,
                key=(letter.key or b"").decode(errors="replace"),
            )
        case Status.WORKED:
            return Message("{refused}: {service} has worked it since.", refused=refused, service=letter.service)
        case _:
            return Message(
                "{refused}: it was mended, and its copy is {copy}.", refused=refused, copy=letter.mended_id
            )


def _mended_otherwise(letter: Letter) -> Message:
    if letter.mending is None:
        mended = Message("{place} was mended already", place=str(letter.place))
    else:
        actor = letter.mending.body.actor
        mended = Message("{place} was mended already by {actor}", place=str(letter.place), actor=actor)
    return Message(
        "{mended}, with another body: its copy is {copy}. A record has one copy. What the copy says is corrected "
        "like any other record of its kind.",
        mended=mended,
        copy=letter.mended_id,
    )


async def _mended_digest(letters: DeadLetters, letter: Letter) -> str | None:
    """The digest of the copy's body, in hex, if there is a copy."""
    # Of two operators' copies the reader's ledger tells which one counts.
    worked = await _worked_digest(letters, letter)
    return letter.mending.body.digest if worked is None and letter.mending is not None else worked


async def _worked_digest(letters: DeadLetters, letter: Letter) -> str | None:
    """The digest of the copy's body, in hex, once the reader has worked it."""
    digest = await letters.copy_digest(letter)
    return digest.hex() if digest is not None else None


async def _own_letter(letters: DeadLetters, letter: Letter, value: bytes) -> Letter | None:
    """The dead letter that the letter's copy with this body became."""
    for candidate in await letters.all({letter.place.topic}):
        if (
            header(candidate.headers, "ce_source") == SOURCE
            and header(candidate.headers, "ce_id") == letter.mended_id
            and candidate.value == value
        ):
            return candidate
    return None


async def _tell(
    letters: DeadLetters, letter: Letter, digest: str, changed: Sequence[str], actor: str, note: str
) -> None:
    body = LetterMended(
        original=letter.original,
        letter=str(letter.place),
        reason=letter.reason,
        arrived_at=letter.arrived_at,
        mended=letter.mended_id,
        digest=digest,
        fields=tuple(changed),
        actor=actor,
        note=note,
    )
    await _publish(letters, body, f"mended {letter.original}")


async def _publish(letters: DeadLetters, body: LetterMended | LetterArchived, cause: str) -> None:
    """Publish an operator's event. Its id follows from its cause, so that a repetition is the same event."""
    id = named_id(cause, OPERATOR.name, 0)
    headers = event_headers(body, id, body.mended if isinstance(body, LetterMended) else None)
    await letters.publish(OPERATOR.name, body.original.encode(), envelope.encode(body), headers)
