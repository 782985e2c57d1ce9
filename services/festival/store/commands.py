"""How the fates of commands are kept."""

from typing import Any

from services.festival.domain import Command
from services.festival.domain.command import Outcome, Wrong
from services.festival.store.requests import conflict_documents, conflicts
from shared.events.festival import CommandRefusal
from shared.runtime.processor import Collection, Document


def _command_document(command: Command) -> dict[str, Any]:
    wrong = command.wrong
    return {
        "source": command.source,
        "festival": command.festival,
        "name": command.name,
        "given_at": command.given_at,
        "outcome": command.outcome.value,
        "wrong": wrong and _wrong_document(wrong),
        "booth": command.booth,
        "lot": command.lot,
        "qty": command.qty,
    }


def _command(document: Document) -> Command:
    wrong = document["wrong"]
    return Command(
        id=document["_id"],
        source=document["source"],
        festival=document["festival"],
        name=document["name"],
        given_at=document["given_at"],
        outcome=Outcome(document["outcome"]),
        wrong=wrong and _wrong(wrong),
        booth=document["booth"],
        lot=document["lot"],
        qty=document["qty"],
    )


def _wrong_document(wrong: Wrong) -> dict[str, Any]:
    kept = {"field": wrong.field, "reason": wrong.reason.value, "message": wrong.message}
    # Few have any, and those of old times don't name them.
    return {**kept, "conflicts": conflict_documents(wrong.conflicts)} if wrong.conflicts else kept


def _wrong(document: Document) -> Wrong:
    return Wrong(
        document["field"],
        CommandRefusal(document["reason"]),
        document["message"],
        conflicts(document.get("conflicts", ())),
    )


COMMANDS = Collection("commands", Command, _command_document, _command, indexes=("festival",))
