"""Documents of commands and their outcomes."""

from typing import Any

from services.festival.domain import Command
from services.festival.domain.command import CommandStatus, Rejection
from services.festival.store.requests import conflict_documents, conflicts_from
from shared.events.festival import CommandRefusal
from shared.rejections import rejection_document
from shared.runtime.processor import Collection, Document
from shared.wording import message_of


def _command_document(command: Command) -> dict[str, Any]:
    rejection = command.wrong
    return {
        "source": command.source,
        "festival": command.festival,
        "name": command.name,
        "given_at": command.given_at,
        "outcome": command.outcome.value,
        "wrong": rejection and _rejection_document(rejection),
        "booth": command.booth,
        "lot": command.lot,
        "qty": command.qty,
    }


def _command(document: Document) -> Command:
    rejection = document["wrong"]
    return Command(
        id=document["_id"],
        source=document["source"],
        festival=document["festival"],
        name=document["name"],
        given_at=document["given_at"],
        outcome=CommandStatus(document["outcome"]),
        wrong=rejection and _rejection(rejection),
        booth=document["booth"],
        lot=document["lot"],
        qty=document["qty"],
    )


def _rejection_document(rejection: Rejection) -> dict[str, Any]:
    fields = rejection_document(rejection)
    # Most rejections have none, and older documents lack the field.
    return {**fields, "conflicts": conflict_documents(rejection.conflicts)} if rejection.conflicts else fields


def _rejection(document: Document) -> Rejection:
    return Rejection(
        document["field"],
        CommandRefusal(document["reason"]),
        message_of(document["template"], document["values"]),
        conflicts_from(document.get("conflicts", ())),
    )


COMMANDS = Collection("commands", Command, _command_document, _command, indexes=("festival",))
