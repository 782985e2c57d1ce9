"""What operators did, over HTTP, in the form in which every service tells who gave which command."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shared.envelope import rfc3339
from shared.events.language import Utc
from shared.events.operator import OPERATOR
from shared.http.audit import AuditPage, given_between
from shared.http.listing import AFTER, Limit, cursor_of_form, next_page
from shared.runtime.audit import CURSOR
from shared.settings import Settings

SOURCE = "karya/operator"

_Text = Annotated[str | None, Query(max_length=200)]


def routes(settings: Settings) -> APIRouter:
    """The router of the page."""
    router = APIRouter(tags=["audit"])

    @router.get("/audit", summary="What operators mended, archived, replayed and switched")
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
        """No repair names a festival."""
        from ops.audit import AuditFilter, audit

        entries = await audit(settings, AuditFilter(actor=actor), (OPERATOR,)) if festival is None else []
        rows = [
            AuditPage(
                at=entry.at,
                actor=entry.actor,
                command=entry.command,
                key=entry.key,
                id=entry.id,
                festival=None,
                cursor=f"{rfc3339(entry.at)} {SOURCE} {entry.id}",
            )
            for entry in entries
            if command in (None, entry.command)
        ]
        bounds = given_between(since, until, after, newest=newest)
        found = [
            row for row in rows if bounds["$gt"] < row.cursor and ("$lt" not in bounds or row.cursor < bounds["$lt"])
        ]
        found.sort(key=lambda row: row.cursor, reverse=newest)
        del found[limit:]
        response.headers["Link"] = next_page(request, found[-1].cursor if found else after)
        return found

    return router
