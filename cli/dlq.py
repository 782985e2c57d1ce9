"""`karya dlq`: what could not be used, what became of it, and sending it back."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli.console import local, refusing, say, show_json, warn
from cli.parameters import seconds
from ops.dlq import DeadLetters, Letter, Replayed, Status, dead_letters, place_of
from shared.envelope import rfc3339
from shared.errors import NoSuchLetter
from shared.settings import settings_for
from shared.shown import pluralize

app = typer.Typer(no_args_is_help=True, help="Dead letters: list them, look into one, send them back.")

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason, e.g. BUG or BAD_BODY.")]


@app.command(name="list")
def list_letters(
    service: Annotated[str | None, typer.Option(help="Only what this service could not use.")] = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what was worked since.")] = False,
    as_json: Json = False,
) -> None:
    """Every dead letter that was not worked since, with its reason, the oldest first."""
    with refusing():
        found = [
            letter
            for letter in asyncio.run(_all())
            if (service is None or letter.service == service)
            and (reason is None or letter.reason == reason)
            and (everything or letter.status is not Status.WORKED)
        ]
    if as_json:
        show_json([_row(letter) for letter in found])
        return
    if not found:
        say("No dead letter waits.")
    for letter in found:
        # No table: a letter's place is long, and somebody will copy it.
        row = _row(letter)
        say(f"{row['letter']}  {row['status']}, {pluralize(letter.times, 'time')}, {local(letter.at, None)}")
        say(f"    {row['service']}, key {row['key']}: {row['reason']}. {row['message']}")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="The letter's place as `list` shows it: TOPIC/PARTITION/OFFSET.")],
    value: Annotated[
        bool, typer.Option("--value", help="Show the value also where it may hold a maker's pseudonym.")
    ] = False,
    as_json: Json = False,
) -> None:
    """One letter with its headers and its value (as text if it is, else in hex)."""
    with refusing():
        found = asyncio.run(_one(letter))
    hidden = found.private and not value
    shown = {**_row(found), "headers": [[name, _bytes(raw)] for name, raw in found.headers]}
    if not hidden:
        shown["value"] = _bytes(found.value)
    if as_json:
        show_json(shown)
    else:
        for name, held in shown.items():
            if name != "headers":
                say(f"{name}: {held}")
                continue
            say("headers:")
            for title, text in held:
                say(f"  {title} = {text}")
    if hidden:
        warn("The value may hold a maker's pseudonym and is not shown; --value shows it.")


@app.command()
def replay(
    which: Annotated[
        str | None, typer.Argument(help="A key: all that waits for it, in order. Or one letter's place.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Every letter with this reason instead.")] = None,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for each part to be worked, at most 600.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Send letters back to where they came from, as they were. Safe to repeat: an event is worked once."""
    if (which is None) == (reason is None):
        raise typer.BadParameter("name a key or a letter, or a reason with --reason: one of them")
    with refusing():
        meant, done = asyncio.run(_replay(which, reason, wait))
    if as_json:
        show_json({"meant": meant, "sent": done.sent, "still_open": done.still_open})
    else:
        say(f"{pluralize(done.sent, 'record')} sent back." if done.sent else "Nothing waits: all of it was worked.")
        if done.still_open:
            warn(f"{done.still_open} still wait: mend the bug that parked them (see the service's log), then replay.")
        if done.still_unusable:
            warn(f"{done.still_unusable} can't be used still, or the service does not run: see `karya dlq list`.")
    if done.still_open or done.still_unusable:
        raise typer.Exit(1)


async def _all() -> list[Letter]:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.all()


async def _one(text: str) -> Letter:
    place = place_of(text)
    if place is None:
        raise NoSuchLetter(f"{text} is no letter's place; `karya dlq list` shows them as TOPIC/PARTITION/OFFSET.")
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.one(place)


async def _replay(which: str | None, reason: str | None, wait: float) -> tuple[int, Replayed]:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        meant = await _meant(letters, which, reason)
        return len(meant), await letters.replay(meant, wait)


async def _meant(letters: DeadLetters, which: str | None, reason: str | None) -> Sequence[Letter]:
    if which is None:
        return [letter for letter in await letters.all() if letter.reason == reason]
    place = place_of(which)
    if place is not None:
        return [await letters.one(place)]
    found = [letter for letter in await letters.all() if letter.key == which.encode()]
    if not found:
        raise NoSuchLetter(f"No dead letter has the key {which}.")
    # A key waits for its events alone: what nobody could use is sent back by its place, or by its reason.
    return [letter for letter in found if letter.status is not Status.UNUSABLE]


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
    }


def _bytes(raw: bytes | None) -> str | None:
    """As text if it is UTF-8, else in hex."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return f"0x{raw.hex()}"
