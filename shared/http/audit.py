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
    `HoldRecord`. It is null for all else, as for the `ProductionReported` of a facility. `cursor`: an `after` that
    goes on behind this row, at every service."""

    at: datetime
    actor: str
    command: str
    key: str
    id: str
    festival: str | None
    cursor: str

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
            cursor=document[GIVEN],
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
        newest: Annotated[bool, Query(description="the latest first, back to the beginning")] = False,
    ) -> list[AuditPage]:
        """What comes to Kafka earlier and is worked later may be missing at the end of a list."""
        filters = {"actor": actor, "kind": command, "festival": festival}
        query: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        query[GIVEN] = given_between(since, until, after, newest=newest)
        order = -1 if newest else 1
        rows = service.database["ledger"].find(query).sort(GIVEN, order).limit(limit).max_time_ms(MOST_MILLISECONDS)
        found = await rows.to_list(None)
        last = found[-1][GIVEN] if found else after
        response.headers["Link"] = next_page(request, last)
        return [AuditPage.of(document) for document in found]

    return router


def given_between(since: datetime | None, until: datetime | None, after: str, *, newest: bool) -> dict[str, str]:
    """The query of the cursors from `since` on and before `until` that come behind `after` in this order."""
    least, most = rfc3339(since) if since is not None else "", rfc3339(until) if until is not None else ""
    if newest:
        most = min(filter(None, (most, after)), default="")
    else:
        least = max(least, after)
    return {"$gt": least} | ({"$lt": most} if most else {})
