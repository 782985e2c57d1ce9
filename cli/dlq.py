"""`karya dlq`: dead letters, their status, and their replay."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli.console import exit_on_error, local, say, show_json, warn
from cli.parameters import seconds
from ops.dlq import DeadLetters, Letter, ResendReport, Status, dead_letters, parse_place
from shared.envelope import rfc3339
from shared.errors import NoSuchLetter
from shared.settings import settings_for
from shared.shown import pluralize

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, show and replay them.")

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason, e.g. BUG or BAD_BODY.")]


@app.command(name="list")
def list_letters(
    service: Annotated[str | None, typer.Option(help="Only letters of this service.")] = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Also letters that were worked since.")] = False,
    as_json: Json = False,
) -> None:
    """List the dead letters that were not worked since, with their reasons, the oldest first."""
    with exit_on_error():
        letters = [
            letter
            for letter in asyncio.run(_all_letters())
            if (service is None or letter.service == service)
            and (reason is None or letter.reason == reason)
            and (everything or letter.status is not Status.WORKED)
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


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="The letter's place, as `list` shows it: TOPIC/PARTITION/OFFSET.")],
    value: Annotated[
        bool, typer.Option("--value", help="Show the value even if it may contain a maker's pseudonym.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one letter with its headers and its value (as text, or in hex if it is not UTF-8)."""
    with exit_on_error():
        dead_letter = asyncio.run(_letter(letter))
    hidden = dead_letter.private and not value
    fields = {**_row(dead_letter), "headers": [[name, _bytes(raw)] for name, raw in dead_letter.headers]}
    if not hidden:
        fields["value"] = _bytes(dead_letter.value)
    if as_json:
        show_json(fields)
    else:
        for name, entry in fields.items():
            if name != "headers":
                say(f"{name}: {entry}")
                continue
            say("headers:")
            for title, text in entry:
                say(f"  {title} = {text}")
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
    as_json: Json = False,
) -> None:
    """Send letters back to their topics, unchanged. Safe to repeat: each event is worked once."""
    if (which is None) == (reason is None):
        raise typer.BadParameter("name a key, a letter or a --reason: exactly one of them")
    with exit_on_error():
        selected, replayed = asyncio.run(_replay(which, reason, wait))
    if as_json:
        show_json({"meant": selected, "sent": replayed.sent, "still_open": replayed.still_open})
    else:
        sentence = f"{pluralize(replayed.sent, 'record')} sent back."
        say(sentence if replayed.sent else "No letter waits: all of them were worked.")
        if replayed.still_open:
            warn(
                f"{replayed.still_open} still wait: fix the bug that parked them (see the service's log) and replay."
            )
        if replayed.still_unusable:
            warn(f"{replayed.still_unusable} are still unusable, or the service does not run: see `karya dlq list`.")
    if replayed.still_open or replayed.still_unusable:
        raise typer.Exit(1)


async def _all_letters() -> list[Letter]:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.all()


async def _letter(text: str) -> Letter:
    place = parse_place(text)
    if place is None:
        raise NoSuchLetter(
            f"{text} is not the place of a letter; `karya dlq list` shows places as TOPIC/PARTITION/OFFSET."
        )
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        return await letters.get(place)


async def _replay(selector: str | None, reason: str | None, wait: float) -> tuple[int, ResendReport]:
    async with dead_letters(settings_for("kafka", "mongo")) as letters:
        selected = await _selected(letters, selector, reason)
        return len(selected), await letters.replay(selected, wait)


async def _selected(letters: DeadLetters, selector: str | None, reason: str | None) -> Sequence[Letter]:
    if selector is None:
        return [letter for letter in await letters.all() if letter.reason == reason]
    place = parse_place(selector)
    if place is not None:
        return [await letters.get(place)]
    waiting = [letter for letter in await letters.all() if letter.key == selector.encode()]
    if not waiting:
        raise NoSuchLetter(f"No dead letter has the key {selector}.")
    # Only usable events wait for a key. Unusable ones are replayed by place or by reason.
    return [letter for letter in waiting if letter.status is not Status.UNUSABLE]


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
