"""`karya dlq`: dead letters, their status, their replay, and what an operator can do about unusable ones."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Annotated, Any

import typer

from cli.console import exit_on_error, local, say, show_json, warn
from cli.files import content_of
from cli.operator_name import operator_name
from cli.parameters import seconds
from deploy.topics import SERVICES, writers
from ops import drafts, mending
from ops.dlq import DeadLetters, ResendReport, dead_letters
from ops.letters import REASONS, SETTLED, Letter, LetterPlace, Status, parse_place
from ops.mending import MendReport
from shared.envelope import rfc3339
from shared.errors import NoSuchLetter, NotMendable
from shared.events.language import MAX_TEXT
from shared.settings import settings_for
from shared.shown import pluralize
from shared.translation import translated
from shared.wording import Message

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Dead letters: list, show, replay, mend and archive them."
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
LetterArgument = Annotated[
    str, typer.Argument(help="The letter's place, as `list` shows it: TOPIC/PARTITION/OFFSET.")
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Your name in the event. Default: KARYA_OPERATOR, else the account signed in, else the user of Kafka.",
    ),
]
WithoutOriginal = Annotated[
    bool,
    typer.Option(
        "--without-original",
        help="Accept a letter whose record was deleted from Kafka. Nothing can be compared then.",
    ),
]
Wait = Annotated[
    float, typer.Option(parser=seconds(most=600), help="Seconds to wait until it is worked, at most 600.")
]
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason, e.g. BUG or BAD_BODY.")]


@app.command(name="list")
def list_letters(
    service: Annotated[str | None, typer.Option(help="Only letters of this service.")] = None,
    reason: Reason = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also letters that were worked since, mended or archived.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the dead letters that need action, with their reasons, the oldest first."""
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service}; there are {', '.join(SERVICES)}")
    with exit_on_error():
        candidates = asyncio.run(_all_letters())
        _check_reason(reason, candidates)
        letters = [
            letter
            for letter in candidates
            if (service is None or letter.service == service)
            and (reason is None or letter.reason == reason)
            and (everything or letter.status not in SETTLED)
        ]
    if as_json:
        show_json([_row(letter) for letter in letters])
        return
    if not letters:
        say("No dead letter waits.")
    for letter in letters:
        # No table: a letter's place is long, and people copy it.
        row = _row(letter)
        say(f"{row['letter']}  {row['status']}, {pluralize(letter.times, 'time')}, {local(letter.at, None)}")
        say(f"    {row['service']}, key {row['key']}: {row['reason']}. {row['message']}")
        if (description := _became(letter)) is not None:
            say(f"    {description}")


@app.command()
def show(
    letter: LetterArgument,
    value: Annotated[
        bool, typer.Option("--value", help="Show the value even if it may contain a maker's pseudonym.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one letter with its headers and its value (as text, or in hex if it is not UTF-8)."""
    with exit_on_error():
        dead_letter = asyncio.run(_letter(letter))
    description = _became(dead_letter) or _advice([dead_letter])
    hidden = dead_letter.private and not value
    headers = [[name, _bytes(raw)] for name, raw in dead_letter.headers]
    fields = {**_row(dead_letter), "advice": description or None, "headers": headers}
    if not hidden:
        fields["value"] = _bytes(dead_letter.value)
    if as_json:
        show_json(fields)
    else:
        for name, entry in fields.items():
            if name == "headers":
                say("headers:")
                for title, text in headers:
                    say(f"  {title} = {text}")
            elif entry is not None:
                say(f"{name}: {entry}")
    if hidden:
        warn("The value may contain a maker's pseudonym and is not shown; --value shows it.")


@app.command()
def replay(
    which: Annotated[
        str | None, typer.Argument(help="A key: all its waiting letters, in order. Or the place of one letter.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="All letters with this reason instead.")] = None,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait until each part is worked, at most 600.")
    ] = 10.0,
    without_original: WithoutOriginal = False,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Send letters back to their topics, unchanged. Safe to repeat: each event is worked once.

    A letter that is not the record that it names is not sent.
    """
    if (which is None) == (reason is None):
        raise typer.BadParameter("name a key, a letter or a --reason: exactly one of them")
    with exit_on_error():
        selection, replayed = asyncio.run(_replay(which, reason, wait, without_original, actor))
    unusable_letters = [letter for letter in selection if letter.status is Status.UNUSABLE] if _is_key(which) else []
    end_states = {letter.status for letter in selection} - {Status.OPEN, Status.UNUSABLE}
    if as_json:
        show_json(
            {
                "meant": len(selection),
                "sent": replayed.sent,
                "still_open": replayed.still_open,
                "not_replayed": [
                    _row(letter) | {"advice": _became(letter) or _advice([letter])}
                    for letter in (*unusable_letters, *replayed.unusable, *replayed.kept)
                    if letter.status is not Status.WORKED
                ]
                + [_row(letter) | {"advice": _obstructed(letter, why)} for letter, why in replayed.impossible],
            }
        )
    else:
        _say_replayed(replayed, unusable_letters, end_states or {Status.WORKED})
    nothing_done = bool(unusable_letters) and not replayed.sent
    if nothing_done or replayed.open or replayed.unusable or replayed.impossible or _mended(replayed):
        raise typer.Exit(1)


@app.command()
def mend(
    letter: LetterArgument,
    edits: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIELD=VALUE]...", help="Changes to its body, e.g. qty=12; FIELD= takes one out."),
    ] = None,
    body: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file with the whole right body; - is standard input."),
    ] = None,
    type: Annotated[str | None, typer.Option(help="The event's name, if the letter does not say it.")] = None,
    key: Annotated[str | None, typer.Option(help="The right key, if the letter's key is wrong.")] = None,
    actor: Actor = None,
    note: Annotated[str, typer.Option(help="Why the mended body is right. `karya trace` shows this note.")] = "",
    wait: Wait = 10.0,
    without_original: WithoutOriginal = False,
    as_json: Json = False,
) -> None:
    """Publish a mended copy of an unusable letter, with an id of its own. Safe to repeat: it counts once."""
    with exit_on_error():
        dead_letter, report = asyncio.run(
            _mend(
                letter,
                edits or (),
                content_of(body) if body is not None else None,
                type,
                key,
                actor,
                note,
                wait,
                without_original,
            )
        )
    if as_json:
        show_json(
            {
                "letter": str(dead_letter.place),
                "original": dead_letter.original,
                "mended": report.copy,
                "changed": list(report.changed),
                "worked": report.worked,
                "copy_letter": str(report.letter.place) if report.letter is not None else None,
            }
        )
    else:
        fields = f" with {', '.join(report.changed)} changed" if report.changed else ""
        say(f"{'Mended before' if report.again else 'Published'}: {report.copy}{fields}, for {dead_letter.original}.")
        if report.worked:
            say(f"{dead_letter.service} has worked it.")
        elif report.letter is not None:
            copy = report.letter
            warn(f"It became a dead letter itself, {copy.place}: {copy.reason}. {copy.message}")
        else:
            warn(f"{dead_letter.service} has not worked it yet: does it run? `karya status` says so.")
    if not report.worked:
        raise typer.Exit(1)


@app.command()
def archive(
    letter: LetterArgument,
    reason: Annotated[str, typer.Option(help="Why nothing is to be done. `list --all` shows this reason.")],
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Take an unusable letter from the list, with a reason. It stays in `list --all`, and can still be mended."""
    with exit_on_error():
        dead_letter, new = asyncio.run(_archive(letter, reason, actor))
    if as_json:
        show_json({"letter": str(dead_letter.place), "original": dead_letter.original, "archived_before": not new})
    else:
        say(f"{dead_letter.place} {'is archived' if new else 'was archived before'}.")


def _say_replayed(replayed: ResendReport, refused: Sequence[Letter], settled: Collection[Status]) -> None:
    if replayed.sent:
        say(f"{pluralize(replayed.sent, 'record')} sent back.")
    elif refused or replayed.impossible or _mended(replayed):
        say("Nothing was sent back.")
    else:
        say(f"No letter waits: all of them were {' or '.join(sorted(settled))}.")
    if replayed.open:
        warn(f"{replayed.still_open} still wait: fix the bug that parked them (see the service's log) and replay.")
    if refused:
        warn(f"{len(refused)} of this key can't be replayed, because no service can use them:")
        _warn_each(refused)
    if replayed.unusable:
        warn(f"{len(replayed.unusable)} are still unusable, or the service does not run:")
        _warn_each(replayed.unusable)
    for letter, why in replayed.impossible:
        warn(_obstructed(letter, why))
    for letter in _mended(replayed):
        warn(f"{letter.place} is not replayed. {_became(letter)}")


def _warn_each(letters: Sequence[Letter]) -> None:
    for letter in letters:
        warn(f"  {letter.place}  {letter.reason}. {letter.message}")
    if advice := _advice(letters):
        warn(advice)


def _obstructed(letter: Letter, why: Message) -> str:
    """Why the letter can't be replayed, and what to do."""
    archiving = f" `karya dlq archive {letter.place} --reason TEXT` puts it aside."
    return (
        f"{letter.place} can't be replayed: {translated(why)}{archiving if letter.status is not Status.OPEN else ''}"
    )


def _mended(replayed: ResendReport) -> list[Letter]:
    return [letter for letter in replayed.kept if letter.status is Status.MENDED]


def _became(letter: Letter) -> str | None:
    """An operator's repair of the letter, in a sentence."""
    if letter.status is Status.MENDED:
        by = f" by {letter.mending.body.actor}" if letter.mending is not None else ""
        return f"It was mended{by}: its copy {letter.mended_id} says it in its place."
    if letter.status is Status.ARCHIVED and letter.archived is not None:
        return f"It was archived by {letter.archived.actor}: {letter.archived.reason}"
    return None


def _advice(letters: Sequence[Letter]) -> str:
    """Advice about these letters."""
    if len(letters) == 1 and letters[0].status is Status.OPEN:
        return f"Mend the fault of {letters[0].service}, then `karya dlq replay {_bytes(letters[0].key)}`."
    owners = {letter.place.topic: writers().get(letter.place.topic) for letter in letters}
    if not any(letter.status is Status.UNUSABLE for letter in letters):
        return ""
    lines = []
    if any(owner is None for owner in owners.values()):
        lines.append("Publish a right copy: `karya dlq mend LETTER FIELD=VALUE`.")
    lines += [
        f"Only {owner} may write {topic}: find who wrote these (`karya verify`, check `writers`)."
        for topic, owner in sorted(owners.items())
        if owner is not None
    ]
    lines.append("If an update can read it, `karya dlq replay LETTER`.")
    lines.append("If nothing is to be done, `karya dlq archive LETTER --reason TEXT`.")
    return " ".join(lines)


async def _all_letters() -> list[Letter]:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.all()


async def _letter(text: str) -> Letter:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.get(_place(text))


def _place(text: str) -> LetterPlace:
    place = parse_place(text)
    if place is None:
        raise NoSuchLetter(
            f"{text} is not the place of a letter; `karya dlq list` shows places as TOPIC/PARTITION/OFFSET."
        )
    return place


async def _replay(
    which: str | None, reason: str | None, wait: float, without_original: bool, actor: str | None
) -> tuple[Sequence[Letter], ResendReport]:
    settings = settings_for("kafka", "mongo")
    name = operator_name(settings, actor)
    async with dead_letters(settings) as letters:
        meant = await _meant(letters, which, reason)
        # Only usable events wait for a key. Unusable ones are sent back by place or by reason.
        sent = [letter for letter in meant if letter.status is Status.OPEN] if _is_key(which) else meant
        return meant, await letters.replay(sent, wait, actor=name, without_original=without_original)


async def _meant(letters: DeadLetters, which: str | None, reason: str | None) -> Sequence[Letter]:
    if which is None:
        candidates, end_states = await letters.all(), (Status.ARCHIVED, Status.MENDED)
        _check_reason(reason, candidates)
        return [letter for letter in candidates if letter.reason == reason and letter.status not in end_states]
    place = parse_place(which)
    if place is not None:
        return [await letters.get(place)]
    of_key = [letter for letter in await letters.all() if letter.key == which.encode()]
    if not of_key:
        raise NoSuchLetter(f"No dead letter has the key {which}.")
    return of_key


def _check_reason(reason: str | None, letters: Sequence[Letter]) -> None:
    """Raise NoSuchLetter for a reason that no letter can have, which would look as if none had it."""
    reasons = REASONS | {letter.reason for letter in letters}
    if reason is not None and reason not in reasons:
        raise NoSuchLetter(f"There is no reason {reason}; there are {', '.join(sorted(reasons))}.")


def _is_key(which: str | None) -> bool:
    return which is not None and parse_place(which) is None


async def _mend(
    place: str,
    edits: Sequence[str],
    body: bytes | None,
    type: str | None,
    key: str | None,
    actor: str | None,
    note: str,
    wait: float,
    without_original: bool,
) -> tuple[Letter, MendReport]:
    settings = settings_for("kafka", "mongo")
    name = operator_name(settings, actor)
    _check_length(note)
    async with dead_letters(settings) as letters:
        letter = await letters.get(_place(place))
        draft = drafts.draft(letter, edits, body=body, type=type, key=key)
        return letter, await mending.mend(
            letters, letter, draft, actor=name, note=note, wait=wait, without_original=without_original
        )


async def _archive(place: str, reason: str, actor: str | None) -> tuple[Letter, bool]:
    settings = settings_for("kafka", "mongo")
    name = operator_name(settings, actor)
    if not reason.strip():
        raise NotMendable("Say why nothing is to be done: --reason TEXT.")
    _check_length(reason.strip())
    async with dead_letters(settings) as letters:
        letter = await letters.get(_place(place))
        return letter, await mending.archive(letters, letter, actor=name, reason=reason.strip())


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise NotMendable(f"The text has {len(text)} characters; at most {MAX_TEXT} fit.")


def _row(letter: Letter) -> dict[str, Any]:
    return {
        "letter": str(letter.place),
        "topic": letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "when": rfc3339(letter.at),
        "key": _bytes(letter.key),
        "service": letter.service,
        "status": letter.status.value,
        "times": letter.times,
        "reason": letter.reason,
        "message": letter.message,
        "original": letter.original,
        "mended": letter.mended_id if letter.status is Status.MENDED else None,
    }


def _bytes(raw: bytes | None) -> str | None:
    """As text if it is UTF-8, else in hex."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return f"0x{raw.hex()}"
