"""The organiser's commands: each is a POST with the ids in its path and the other fields in its body."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from services.festival.api.completion import Completion
from services.festival.api.pages import ConflictPage
from services.festival.api.permission import Permission
from services.festival.domain import Command
from services.festival.domain.allocation.planner import FairPlanner
from services.festival.domain.command import CommandStatus, Rejection
from services.festival.handlers import commands
from services.festival.store import COMMANDS
from shared.events.festival import ORGANISER, CommandRefusal
from shared.http.commands import CommandOutcome, Commands
from shared.http.endpoints import add_commands
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

SOURCE = "karya/festival/http"
ENDPOINTS = commands(FairPlanner())


class RejectionPage(BaseModel):
    """The rejection of a command. `conflicts`: the first conflicts that left nothing to plan."""

    field: str
    reason: str
    message: str
    template: str
    values: dict[str, str | int]
    conflicts: list[ConflictPage]

    @classmethod
    def of(cls, rejection: Rejection) -> "RejectionPage":
        message = rejection.message
        return cls(
            field=rejection.field,
            reason=rejection.reason.value,
            message=message.english,
            template=message.template,
            values=message.plain_values,
            conflicts=[ConflictPage.model_validate(conflict) for conflict in rejection.conflicts],
        )


class CommandPage(BaseModel):
    """A command and its outcome.

    `status` is `waiting` until inventory answers, then `done` or `refused`. `wrong` is the rejection.
    """

    command: str
    festival: str
    name: str
    given_at: datetime
    status: str
    wrong: RejectionPage | None

    @classmethod
    def of(cls, command: Command) -> "CommandPage":
        return cls(
            command=command.id,
            festival=command.festival,
            name=command.name,
            given_at=command.given_at,
            status=command.outcome.value,
            wrong=RejectionPage.of(command.wrong) if command.wrong else None,
        )


def routes(service: Service) -> APIRouter:
    """The router of the commands."""
    router = APIRouter(tags=["commands"])
    commands_collection = service.database[COMMANDS.name]

    async def find(id: str) -> CommandOutcome | None:
        document = await commands_collection.find_one({"_id": id})
        if document is None:
            return None
        command = COMMANDS.from_document(document)
        if command.source != SOURCE:
            message = Message("Another sender used this id for a command. Give each command its own UUID.")
            return CommandOutcome(done=False, field="command", reason=CommandRefusal.ID_TAKEN.value, message=message)
        if command.outcome is CommandStatus.WAITING:
            return None
        if command.wrong is None:
            return CommandOutcome(done=True)
        rejection = command.wrong
        return CommandOutcome(
            done=False, field=rejection.field, reason=rejection.reason.value, message=rejection.message
        )

    commands_over_http = Commands(service, ORGANISER, SOURCE, find)
    add_commands(router, commands_over_http, ENDPOINTS, Completion(service), Permission(service))

    @router.get("/commands/{command:path}", summary="What became of a command")
    async def command_page(command: str) -> CommandPage:
        document = await commands_collection.find_one({"_id": command})
        if document is None:
            raise PageRefused(
                404,
                Message("No command {command} was worked (yet). If it was just given, ask again.", command=command),
            )
        return CommandPage.of(COMMANDS.from_document(document))

    return router
