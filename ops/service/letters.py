"""Dead letters over HTTP: which there are and why, their replay, their mending and their archive."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from shared.access.rights import Action
from shared.envelope import rfc3339
from shared.errors import NoSuchLetter, NotMendable
from shared.events.language import MAX_TEXT, MAX_VALUE_BYTES, Body
from shared.http.access import caller_of
from shared.http.commands import parse_command
from shared.http.endpoints import body_openapi
from shared.http.listing import AFTER, Limit, cursor_of_form, next_page
from shared.settings import Settings
from shared.wording import Message

if TYPE_CHECKING:
    from ops.letters import Letter

CURSOR = re.compile(r"(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z [!-~]{1,300})?")
# Shorter than what a client waits for: the answer is then that it is not worked yet.
WAIT_SECONDS = 5.0
# Without access control nobody has a name.
UNNAMED = "operator"

_Text = Annotated[str | None, Query(max_length=200)]
_Said = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
_Reason = Annotated[_Said, Field(min_length=1)]
_Place = Annotated[str, StringConstraints(max_length=300)]
_Name = Annotated[str, StringConstraints(max_length=200)]


class LetterPage(BaseModel):
    """A record that a service could not use. `letter`: its place. `at`: when it became a dead letter; `arrived_at`:
    when Kafka took the record in. `times`: how often it came. `status`: `open` (its key waits for it), `unusable`,
    `worked`, `mended` or `archived`. `repaired_by`, `note`: who mended or archived it, and why. `is_private`: it may
    hold a maker's pseudonym."""

    letter: str
    topic: str
    service: str
    key: str | None
    status: str
    reason: str
    message: str
    times: int
    at: datetime
    arrived_at: datetime
    original: str
    event: str | None
    repaired_by: str | None
    note: str | None
    is_private: bool


class LetterDetail(LetterPage):
    """A dead letter with its headers and its body: null if it is not shown, `is_text` false for hex. `writer`: the
    service that alone may write the topic, so that nobody can mend the letter. `events`: what the topic may hold."""

    headers: list[tuple[str, str | None]]
    body: str | None
    is_text: bool
    is_hidden: bool
    writer: str | None
    events: list[str]
    may_replay: bool
    may_mend: bool
    may_archive: bool


class LetterOutcome(BaseModel):
    """What became of a letter. `worked`: its service has worked it. `sent`: records sent back, those of a waiting key
    together. `letter`, `reason`, `message`: of the dead letter that it is still, or that its copy has become."""

    worked: bool
    sent: int = 0
    changed: list[str] = []
    letter: str | None = None
    reason: str | None = None
    message: str | None = None


class ReplayLetter(Body):
    """Send the record back to its topic, unchanged. A waiting key is sent as a whole, in its order.
    `without_original`: also if its record was deleted, so that nobody can compare them."""

    letter: _Place
    without_original: bool = False


class MendLetter(Body):
    """Publish a mended copy with this whole body. `type`: the event, if the letter does not name it; `key`: the right
    key, if the letter's is wrong; `note`: why the body is right."""

    letter: _Place
    body: Annotated[str, StringConstraints(max_length=MAX_VALUE_BYTES)]
    type: _Name | None = None
    key: _Name | None = None
    note: _Said = ""
    without_original: bool = False


class ArchiveLetter(Body):
    """Take the letter from the list, for a reason. It can still be mended."""

    letter: _Place
    reason: _Reason


def routes(settings: Settings) -> APIRouter:
    """The router of dead letters."""
    router = APIRouter(tags=["letters"])

    def described(action: str, model: type[Body]) -> dict[str, Any]:
        return {"openapi_extra": body_openapi(f"/letters/{{letter}}/{action}", model)}

    @router.get("/letters", summary="Dead letters, the oldest first")
    async def many(
        request: Request,
        response: Response,
        service: _Text = None,
        reason: _Text = None,
        settled: Annotated[bool, Query(description="also those that were worked, mended or archived since")] = False,
        after: Annotated[str, cursor_of_form(CURSOR), AFTER] = "",
        limit: Limit = 100,
    ) -> list[LetterPage]:
        from ops.dlq import dead_letters
        from ops.letters import SETTLED

        async with dead_letters(settings) as letters:
            found = sorted(await letters.all(), key=_cursor)
        wanted = [
            letter
            for letter in found
            if _cursor(letter) > after
            if service in (None, letter.service) and reason in (None, letter.reason)
            if settled or letter.status not in SETTLED
        ][:limit]
        response.headers["Link"] = next_page(request, _cursor(wanted[-1]) if wanted else after)
        return [LetterPage(**_row(letter)) for letter in wanted]

    @router.get("/letters/{letter:path}", summary="A dead letter with its headers and its body")
    async def one(
        request: Request,
        letter: str,
        value: Annotated[
            bool, Query(description="show a body that may hold a maker's pseudonym, to operators alone")
        ] = False,
    ) -> LetterDetail:
        may_see = value and caller_of(request).may(Action.REPAIR_LETTERS, {})
        return _detail(await _found(settings, letter), may_see=may_see)

    @router.post(
        "/letters/{letter:path}/replay", summary="Send a record back, unchanged", **described("replay", ReplayLetter)
    )
    async def replay(request: Request) -> LetterOutcome:
        from ops.dlq import dead_letters

        command = await parse_command(request, ReplayLetter)
        async with dead_letters(settings) as letters:
            letter = await letters.get(_place(command.letter))
            report = await letters.replay(
                [letter], WAIT_SECONDS, actor=_actor(request), without_original=command.without_original
            )
        for _, why in report.impossible:
            raise NotMendable(why)
        left = next((left for left in (*report.open, *report.unusable) if left.original == letter.original), None)
        rest = next(iter((*report.open, *report.unusable)), None)
        remaining = left or rest
        return LetterOutcome(worked=remaining is None, sent=report.sent, **_left(remaining))

    @router.post(
        "/letters/{letter:path}/mend", summary="Publish a mended copy of a record", **described("mend", MendLetter)
    )
    async def mend(request: Request) -> LetterOutcome:
        from ops import drafts, mending
        from ops.dlq import dead_letters

        command = await parse_command(request, MendLetter)
        async with dead_letters(settings) as letters:
            letter = await letters.get(_place(command.letter))
            draft = drafts.draft(letter, body=command.body.encode(), type=command.type, key=command.key)
            report = await mending.mend(
                letters,
                letter,
                draft,
                actor=_actor(request),
                note=command.note,
                wait=WAIT_SECONDS,
                without_original=command.without_original,
            )
        return LetterOutcome(worked=report.worked, sent=1, changed=list(report.changed), **_left(report.letter))

    @router.post(
        "/letters/{letter:path}/archive", summary="Take a letter from the list", **described("archive", ArchiveLetter)
    )
    async def archive(request: Request) -> LetterOutcome:
        from ops import mending
        from ops.dlq import dead_letters

        command = await parse_command(request, ArchiveLetter)
        async with dead_letters(settings) as letters:
            letter = await letters.get(_place(command.letter))
            await mending.archive(letters, letter, actor=_actor(request), reason=command.reason)
        return LetterOutcome(worked=False, letter=str(letter.place))

    return router


async def _found(settings: Settings, text: str) -> "Letter":
    from ops.dlq import dead_letters

    async with dead_letters(settings) as letters:
        return await letters.get(_place(text))


def _place(text: str) -> Any:
    from ops.letters import parse_place

    place = parse_place(text)
    if place is None:
        raise NoSuchLetter(Message("{text} is not the place of a dead letter: TOPIC/PARTITION/OFFSET.", text=text))
    return place


def _actor(request: Request) -> str:
    return caller_of(request).subject or UNNAMED


def _cursor(letter: "Letter") -> str:
    return f"{rfc3339(letter.at)} {letter.place}"


def _left(letter: "Letter | None") -> dict[str, Any]:
    if letter is None:
        return {}
    return {"letter": str(letter.place), "reason": letter.reason, "message": letter.message}


def _row(letter: "Letter") -> dict[str, Any]:
    mending, archived = letter.mending, letter.archived
    repair = mending.body if mending is not None else archived
    note = mending.body.note if mending is not None else archived.reason if archived is not None else None
    return {
        "letter": str(letter.place),
        "topic": letter.place.topic,
        "service": letter.service,
        "key": _text(letter.key)[0],
        "status": letter.status.value,
        "reason": letter.reason,
        "message": letter.message,
        "times": letter.times,
        "at": letter.at,
        "arrived_at": letter.arrived_at,
        "original": letter.original,
        "event": next((_text(raw)[0] for name, raw in letter.headers if name == "ce_type"), None),
        "repaired_by": repair.actor if repair is not None else None,
        "note": note,
        "is_private": letter.private,
    }


def _detail(letter: "Letter", *, may_see: bool) -> LetterDetail:
    from deploy.topics import all_topics, writers
    from ops.letters import Status

    writer = writers().get(letter.place.topic)
    is_hidden = letter.private and not may_see
    body, is_text = _text(letter.value)
    is_known = letter.original_offset >= 0
    is_unusable = letter.status in (Status.UNUSABLE, Status.ARCHIVED) and is_known
    return LetterDetail(
        **_row(letter),
        headers=[(name, _text(raw)[0]) for name, raw in letter.headers],
        body=None if is_hidden else body,
        is_text=is_text,
        is_hidden=is_hidden,
        writer=writer,
        events=[body.__name__ for topic in all_topics() if topic.name == letter.place.topic for body in topic.bodies],
        may_replay=letter.status in (Status.OPEN, Status.UNUSABLE, Status.ARCHIVED),
        may_mend=is_unusable and writer is None,
        may_archive=letter.status is Status.UNUSABLE and is_known,
    )


def _text(raw: bytes | None) -> tuple[str | None, bool]:
    """As text if it is UTF-8, else in hex; and whether it is text."""
    if raw is None:
        return None, True
    try:
        return raw.decode(), True
    except UnicodeDecodeError:
        return raw.hex(), False
