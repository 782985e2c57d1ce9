"""HTTP pages of the catalogue, the snapshot for newcomers, and the commands for its entries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from services.production.domain.entries import EntryCommandStatus, EntryRejection
from services.production.handlers import COMMANDS
from services.production.store import ENTRIES, ENTRY_COMMANDS, REVISIONS
from shared.events import catalogue
from shared.events.catalogue import EntryFact, EntryKind, EntryRefusal, FacilitySet, ProductSet, code_of, kind_of
from shared.http.commands import CommandOutcome, Commands
from shared.http.endpoints import add_commands
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

SOURCE = "karya/production/http"
NO_ENTRY = "There is no entry {entry}. An entry's id is its kind, a slash and its code, e.g. product/KTI."


class EntryPage(BaseModel):
    """One entry at one revision. Fields of other kinds are left out, and `retired_at` before it is retired."""

    entry: str
    kind: EntryKind
    code: str
    revision: int
    changed_at: datetime
    retired_at: datetime | None = None
    command: str
    name: str | None = None
    category: str | None = None
    unit: str | None = None
    max_qty: int | None = None
    shelf_life_days: int | None = None
    usual_price_rupiah: int | None = None
    facility_kind: str | None = None
    zone: str | None = None
    island: str | None = None
    products: list[str] | None = None
    days: int | None = None

    @classmethod
    def of(cls, fact: EntryFact) -> "EntryPage":
        return cls(kind=EntryKind(kind_of(fact.entry)), code=code_of(fact.entry), **fact.model_dump())


class CataloguePage(BaseModel):
    """All entries by their ids. `revision` grows with every change of any entry."""

    revision: int
    entries: list[EntryPage]


class EntryRejectionPage(BaseModel):
    field: str
    reason: str
    message: str
    template: str
    values: dict[str, str | int]

    @classmethod
    def of(cls, rejection: EntryRejection) -> "EntryRejectionPage":
        message = rejection.message
        return cls(
            field=rejection.field,
            reason=rejection.reason.value,
            message=message.english,
            template=message.template,
            values=message.plain_values,
        )


class EntryCommandPage(BaseModel):
    """A command and its outcome: `waiting` while entries that it names are asked, then `done` or `refused`."""

    command: str
    entry: str
    name: str
    given_at: datetime
    status: str
    wrong: EntryRejectionPage | None


class FacilityPage(BaseModel):
    code: str
    kind: str
    name: str
    zone: str
    products: list[str]
    revision: int
    retired_at: datetime | None


class ProductPage(BaseModel):
    """`max_qty`: the most pieces that one report may have."""

    code: str
    name: str
    category: str
    unit: str
    max_qty: int
    shelf_life_days: int | None
    usual_price_rupiah: int | None
    revision: int
    retired_at: datetime | None


def routes(service: Service) -> APIRouter:
    """The router of the catalogue."""
    router = APIRouter(tags=["catalogue"])
    entries, revisions = service.database[ENTRIES.name], service.database[REVISIONS.name]
    command_documents = service.database[ENTRY_COMMANDS.name]

    async def facts(kind: EntryKind | None = None) -> list[EntryFact]:
        query: Mapping[str, Any] = {"revision": {"$gt": 0}, **({"kind": kind.value} if kind is not None else {})}
        documents = await entries.find(query).sort("_id", 1).to_list(None)
        newest = (ENTRIES.from_document(document).fact for document in documents)
        return [fact for fact in newest if fact is not None]

    async def find(id: str) -> CommandOutcome | None:
        documents = await command_documents.find({"command": id}).to_list(None)
        if not documents:
            return None
        document = next((document for document in documents if document["source"] == SOURCE), None)
        if document is None:
            message = Message("Another sender used this id for a command. Give each command its own UUID.")
            return CommandOutcome(done=False, field="command", reason=EntryRefusal.ID_TAKEN.value, message=message)
        command = ENTRY_COMMANDS.from_document(document)
        if command.status is EntryCommandStatus.WAITING:
            return None
        wrong = command.rejection
        if wrong is None:
            return CommandOutcome(done=True)
        return CommandOutcome(done=False, field=wrong.field, reason=wrong.reason.value, message=wrong.message)

    add_commands(router, Commands(service, catalogue.ENTRY_COMMANDS, SOURCE, find), COMMANDS)

    @router.get(
        "/catalogue",
        summary="The whole catalogue, or one kind of it",
        responses={304: {"description": "Nothing has changed since the ETag in If-None-Match"}},
        response_model=CataloguePage,
        response_model_exclude_none=True,
    )
    async def snapshot(
        response: Response,
        kind: Annotated[EntryKind | None, Query(description="only entries of this kind")] = None,
        if_none_match: Annotated[str | None, Header(description="the ETag of the snapshot that you have")] = None,
    ) -> Any:
        all_facts = await facts(kind)
        # Every change raises one entry's revision, and no entry ever goes: equal sums are equal catalogues.
        revision = sum(fact.revision for fact in all_facts)
        etag = f'"{kind.value if kind is not None else "all"}-{revision}"'
        if if_none_match is not None and etag in if_none_match:
            return Response(status_code=304, headers={"ETag": etag})
        response.headers["ETag"] = etag
        return CataloguePage(revision=revision, entries=[EntryPage.of(fact) for fact in all_facts])

    @router.get(
        "/catalogue/{entry:path}/history",
        summary="All revisions of an entry, the first one first",
        response_model=list[EntryPage],
        response_model_exclude_none=True,
    )
    async def history(entry: str) -> list[EntryPage]:
        documents = await revisions.find({"entry": entry}).sort("_id", 1).to_list(None)
        if not documents:
            raise PageRefused(404, Message(NO_ENTRY, entry=entry))
        return [EntryPage.of(REVISIONS.from_document(document).fact) for document in documents]

    @router.get(
        "/catalogue/{entry:path}",
        summary="An entry at its newest revision",
        response_model=EntryPage,
        response_model_exclude_none=True,
    )
    async def one(entry: str) -> EntryPage:
        document = await entries.find_one({"_id": entry})
        fact = ENTRIES.from_document(document).fact if document is not None else None
        if fact is None:
            raise PageRefused(404, Message(NO_ENTRY, entry=entry))
        return EntryPage.of(fact)

    @router.get("/commands/{command:path}", summary="What became of a command")
    async def command_page(command: str) -> EntryCommandPage:
        document = await command_documents.find_one({"command": command})
        if document is None:
            raise PageRefused(
                404,
                Message("No command {command} was worked (yet). If it was just given, ask again.", command=command),
            )
        outcome = ENTRY_COMMANDS.from_document(document)
        wrong = outcome.rejection
        return EntryCommandPage(
            command=outcome.command,
            entry=outcome.entry,
            name=outcome.name,
            given_at=outcome.given_at,
            status=outcome.status.value,
            wrong=EntryRejectionPage.of(wrong) if wrong is not None else None,
        )

    @router.get("/facilities", summary="Facilities and their products")
    async def facilities() -> list[FacilityPage]:
        all_facts = await facts(EntryKind.FACILITY)
        return [
            FacilityPage(
                code=code_of(fact.entry),
                kind=fact.facility_kind,
                name=fact.name,
                zone=fact.zone,
                products=sorted(fact.products),
                revision=fact.revision,
                retired_at=fact.retired_at,
            )
            for fact in all_facts
            if isinstance(fact, FacilitySet)
        ]

    @router.get("/products", summary="Products of the catalogue")
    async def products() -> list[ProductPage]:
        all_facts = await facts(EntryKind.PRODUCT)
        names = ProductPage.model_fields.keys() - {"code"}
        return [
            ProductPage(code=code_of(fact.entry), **{name: getattr(fact, name) for name in names})
            for fact in all_facts
            if isinstance(fact, ProductSet)
        ]

    return router
