"""Who did what: the commands of all services by time, for auditors and administrators."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from services.portal.api.files import FILE, csv_file, table_of
from services.portal.api.filters import FILES
from services.portal.api.pages import NOT_KEPT, Pages
from services.portal.api.people import Person, Visited
from services.portal.clients import Services, answers
from services.portal.domain.audit_answers import AuditPart, AuditRow, merged
from shared.access.rights import Action
from shared.envelope import rfc3339
from shared.http.access import NO_RIGHT
from shared.http.problems import PageRefused
from shared.wording import Message

PAGE = 100
# What one file has at most: a longer list is asked for by its days.
MOST_ROWS = 5_000
COLUMNS = ["at", "service", "actor", "command", "key", "festival", "id"]
WRONG_DAY = Message("Give the days as YYYY-MM-DD.")

_Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class AskedAudit:
    """What is looked for, as the address has it. Days are those of UTC, and `until` is the last one."""

    service: str = ""
    actor: str = ""
    command: str = ""
    festival: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The filters of a service's list. Raises PageRefused 422 for what is no day."""
        asked = {"actor": self.actor, "command": self.command, "festival": self.festival}
        asked["since"] = _begin_of(self.since) if self.since else ""
        asked["until"] = _begin_of(self.until, later=1) if self.until else ""
        return {name: text for name, text in asked.items() if text}

    def address(self, after: str = "") -> str:
        """The filters for an address."""
        return urlencode({name: text for name, text in {**asdict(self), "after": after}.items() if text})


def asked_filter(
    service: _Text = "",
    actor: _Text = "",
    command: _Text = "",
    festival: _Text = "",
    since: _Text = "",
    until: _Text = "",
) -> AskedAudit:
    """The filters of a request's address. People paste names with spaces around."""
    texts = (text.strip() for text in (service, actor, command, festival, since, until))
    return AskedAudit(*texts)


Asked = Annotated[AskedAudit, Depends(asked_filter)]


def routes(pages: Pages, services: Services) -> APIRouter:
    """The router of the list of commands."""
    router = APIRouter()

    async def part(person: Person, asked: AskedAudit, after: str) -> tuple[AuditPart, Sequence[str]]:
        """A part of the list, and the services that did not answer."""
        if not person.caller.may(Action.READ_AUDIT, {}):
            raise PageRefused(403, NO_RIGHT)
        names = [name for name in services.names if asked.service in ("", name)]
        query = {**asked.query, "newest": "true", "limit": str(PAGE), **({"after": after} if after else {})}
        found = await services.of_each(person.token, names, "audit", **query)
        rows = [
            [replace(row, service=name) for row in answers.AUDIT.validate_python(page)]
            for name, page in found.items()
            if page is not None
        ]
        return merged(rows, PAGE), [name for name, page in found.items() if page is None]

    @router.get("/audit", dependencies=[FILES])
    async def page(
        request: Request, person: Visited, asked: Asked, after: Annotated[str, Query(max_length=500)] = ""
    ) -> Response:
        if request.query_params.get(FILE):
            return await file(person, asked, after)
        shown, away = await part(person, asked, after)
        return pages.render(
            request,
            "audit.html",
            person=person,
            asked=asked,
            names=services.names,
            rows=shown.rows,
            away=away,
            is_first=not after,
            older=f"/audit?{asked.address(shown.older)}" if shown.older else None,
            most=MOST_ROWS,
        )

    async def file(person: Person, asked: AskedAudit, after: str) -> Response:
        """All rows from the page on, however many pages they fill."""
        rows: list[AuditRow] = []
        older: str | None = after
        while older is not None and len(rows) < MOST_ROWS:
            shown, away = await part(person, asked, older)
            if away:
                raise PageRefused(503, _incomplete(away))
            rows += shown.rows
            older = shown.older
        return csv_file(table_of("audit", COLUMNS, map(_cells, rows[:MOST_ROWS])), NOT_KEPT)

    return router


@dataclass(frozen=True, slots=True)
class AuditCells:
    """A row of the file."""

    at: str
    service: str
    actor: str
    command: str
    key: str
    festival: str
    id: str


def _cells(row: AuditRow) -> AuditCells:
    return AuditCells(rfc3339(row.at), row.service, row.actor, row.command, row.key, row.festival or "", row.id)


def _incomplete(away: Sequence[str]) -> Message:
    return Message(
        "The list would not be whole: {services} does not answer. Please try again in a moment.",
        services=", ".join(away),
    )


def _begin_of(day: str, later: int = 0) -> str:
    try:
        begin = date.fromisoformat(day) + timedelta(days=later)
    except (ValueError, OverflowError):
        raise PageRefused(422, WRONG_DAY) from None
    return rfc3339(datetime.combine(begin, time(), UTC))
