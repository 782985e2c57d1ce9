"""The page of every service that tells which account gave it which command or record."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from shared.envelope import rfc3339
from shared.events.language import Utc
from shared.http.listing import AFTER, Limit, cursor_of_form, next_page
from shared.mongo import Document
from shared.runtime.audit import CURSOR, GIVEN
from shared.runtime.service import Service

# An answer may take so long: a rare actor is looked for among all commands.
MOST_MILLISECONDS = 10_000

_Text = Annotated[str | None, Query(max_length=200)]


class AuditPage(BaseModel):
    """A command, or a record of a device. `at`: when Kafka took it in; `actor`: the account or device that gave it;
    `key`: what it is about; `id`: the id of the command or record. `festival`: the festival that it names, alone, by
    a booth or as a role's scope. A facility that is a scope or a place stands there too, as in `EnrolDevice` and
    `HoldRecord`. It is null for all else, as for the `ProductionReported` of a facility."""

    at: datetime
    actor: str
    command: str
    key: str
    id: str
    festival: str | None

    @classmethod
    def of(cls, document: Document) -> "AuditPage":
        at, source, id = document[GIVEN].split(" ")
        del source
        return cls(
            at=datetime.fromisoformat(at),
            actor=document["actor"],
            command=document["kind"],
            key=document["key"],
            id=id,
            festival=document.get("festival"),
        )


def audit(service: Service) -> APIRouter:
    """The router of the page."""
    router = APIRouter(tags=["audit"])

    @router.get("/audit", summary="Which account gave which command or record, in the order in which they came")
    async def many(
        request: Request,
        response: Response,
        actor: _Text = None,
        command: _Text = None,
        festival: _Text = None,
        since: Annotated[Utc | None, Query(description="from this moment on")] = None,
        until: Annotated[Utc | None, Query(description="before this moment")] = None,
        after: Annotated[str, cursor_of_form(CURSOR), AFTER] = "",
        limit: Limit = 100,
    ) -> list[AuditPage]:
        """What comes to Kafka earlier and is worked later may be missing at the end of a list."""
        filters = {"actor": actor, "kind": command, "festival": festival}
        query: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        query[GIVEN] = {"$gt": max(after, rfc3339(since) if since is not None else "")}
        if until is not None:
            query[GIVEN]["$lt"] = rfc3339(until)
        rows = service.database["ledger"].find(query).sort(GIVEN, 1).limit(limit).max_time_ms(MOST_MILLISECONDS)
        found = await rows.to_list(None)
        last = found[-1][GIVEN] if found else after
        response.headers["Link"] = next_page(request, last)
        return [AuditPage.of(document) for document in found]

    return router
