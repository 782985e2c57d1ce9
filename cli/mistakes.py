"""`karya demo --mistakes`: three festivals by the command line alone, with mistakes that are taken back."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiokafka.errors import KafkaError
from typer.testing import CliRunner

import cli
from cli import sessions
from cli.console import say, show_json, warn
from deploy.local.services import environment
from lab import mistakes
from lab.mistakes.script import BadScript, CommandAnswer, Outcome, ScriptPart, ScriptStep, play, read, steps_of
from shared import envelope
from shared.errors import KaryaError
from shared.events.production import TERMINAL, ProductionReported
from shared.kafka import partition_for, producer, stop_producer, topic_name
from shared.settings import Settings
from shared.translation import Language, language, tr, translated, use_language

HERE = Path(mistakes.__file__).parent
ZONE = ZoneInfo("Asia/Makassar")
OPERATOR = "op.demo"


@dataclass(frozen=True, slots=True)
class Played:
    """The result of a season. `wrong`: the faults of steps, by their line."""

    steps: int
    wrong: dict[int, tuple[str, ...]]
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.wrong


def season() -> list[ScriptPart]:
    """The season with its mistakes, all quantities of which are made up."""
    return read((HERE / "season.txt").read_text(encoding="utf-8"))


def play_season(settings: Settings, urls: Mapping[str, str], devices: Path, session: Path, *, quiet: bool) -> Played:
    """Play the season against running services: a line for each step says what was typed and what Karya said.

    `devices`: a folder for the records of terminals and tills. `session`: the file of the session of whoever gives
    the commands. `quiet` shows no lines.
    """
    shell = Shell(settings, urls, devices, session)
    began, parts = time.monotonic(), season()
    values, wrong = {"here": str(HERE), "work": str(devices)}, dict[int, tuple[str, ...]]()
    for part in parts:
        if not quiet:
            say()
            say(part.title)
        for step in part.steps:
            try:
                outcome = play(step, values, datetime.now(ZONE).date(), shell.sends if step.broken_record else shell)
            except BadScript as fault:
                outcome = Outcome(step.words, CommandAnswer(0, ""), faults=(str(fault),))
            values |= outcome.kept
            if outcome.faults:
                wrong[step.line] = outcome.faults
            if not quiet:
                _show(step, outcome, time.monotonic() - began)
    return Played(sum(1 for _ in steps_of(parts)), wrong, time.monotonic() - began)


class Shell:
    """Runs command lines of `karya` in Indonesian, as a shell does, with the addresses of one stack."""

    def __init__(self, settings: Settings, urls: Mapping[str, str], devices: Path, session: Path) -> None:
        self._settings = settings
        # A device or token of the caller is none of the season's.
        foreign = dict.fromkeys(
            ("KARYA_FACILITY", "KARYA_TERMINAL", "KARYA_BOOTH", "KARYA_TILL", "KARYA_ZONE", sessions.TOKEN)
        )
        self._environment: dict[str, str | None] = {
            **foreign,
            **environment(settings),
            **{f"KARYA_{name.upper()}_URL": url for name, url in urls.items()},
            "KARYA_SPOOL_DIR": str(devices),
            sessions.FILE: str(session),
            "KARYA_OPERATOR": OPERATOR,
            "COLUMNS": "300",  # a sentence in one line
        }

    def __call__(self, words: Sequence[str]) -> CommandAnswer:
        before = language()
        try:
            result = CliRunner().invoke(
                cli.app,
                ["--lang", Language.INDONESIAN.value, *words],
                env=self._environment,
                input="",
                prog_name="karya",
            )
            stderr = result.stderr
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                if not isinstance(result.exception, KaryaError):
                    raise result.exception
                stderr += translated(result.exception.message)
            return CommandAnswer(result.exit_code, result.stdout, stderr)
        finally:
            use_language(before)

    def sends(self, words: Sequence[str]) -> CommandAnswer:
        """Send what a broken terminal would: no command makes such a record."""
        key, value = words
        try:
            asyncio.run(self._send(key, value.encode()))
        except KafkaError as fault:
            return CommandAnswer(1, "", str(fault))
        return CommandAnswer(0, value)

    async def _send(self, key: str, value: bytes) -> None:
        body = ProductionReported(
            facility=key, terminal="T9", product="KTI", qty=1, made_on=datetime.now(ZONE).date()
        )
        headers = envelope.headers(
            id=str(uuid4()), source=f"terminal/{key}/T9", topic=TERMINAL, body=body, time=datetime.now(UTC)
        )
        client = producer(self._settings)
        try:
            await client.start()
            partition = partition_for(key, self._settings.partitions)
            await client.send_and_wait(
                topic_name(self._settings, TERMINAL.name), value, key.encode(), partition, headers=headers
            )
        finally:
            await stop_producer(client)


def show_played(played: Played, *, as_json: bool) -> None:
    """Show how the season went."""
    if as_json:
        show_json({"steps": played.steps, "wrong": played.wrong, "seconds": round(played.seconds, 1)})
        return
    say()
    count, seconds = played.steps, round(played.seconds)
    if played.ok:
        say(tr("{count:step|steps} in {seconds} s, and everything adds up.", count=count, seconds=seconds))
        return
    lines = ", ".join(map(str, played.wrong))
    warn(
        tr(
            "{count:step|steps} in {seconds} s; {wrong} did not go as written (lines {lines} of season.txt).",
            count=count,
            seconds=seconds,
            wrong=len(played.wrong),
            lines=lines,
        )
    )


def _show(step: ScriptStep, outcome: Outcome, seconds: float) -> None:
    command_text = " ".join(word if word and " " not in word else f'"{word}"' for word in outcome.words)
    name = tr("(a broken terminal sends)") if step.broken_record else "karya"
    line = f"{seconds:5.1f}  {name} {command_text}  →  {outcome.heard}"
    say(line)
    for fault in outcome.faults:
        warn(tr("Line {line} of season.txt: {fault}", line=step.line, fault=fault))
    if outcome.faults:
        for answer_line in outcome.answer.text.splitlines():
            warn(answer_line)
