"""Lists over HTTP, a page at a time in the order of arrival."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response
from pydantic import AfterValidator

from shared.mongo import Database
from shared.runtime.arrival import ARRIVED, CURSOR, cursor_of, lane_of, read_on, read_up_to
from shared.runtime.processor import Collection
from shared.runtime.state import E
from shared.wording import Message, WrongValue


def cursor_of_form(form: re.Pattern[str]) -> AfterValidator:
    """Refuses a text that is no cursor of a list whose cursors have this form."""

    def check(cursor: str) -> str:
        if not form.fullmatch(cursor):
            raise WrongValue(Message("It is no cursor: use the `after` value in the `Link` of the page before."))
        return cursor

    return AfterValidator(check)


AFTER = Query(description="from the `Link` of the page before; empty for the first page")
After = Annotated[str, cursor_of_form(CURSOR), AFTER]
Limit = Annotated[int, Query(ge=1, le=500)]


def next_page(request: Request, after: str) -> str:
    """The value of a `Link` header that names the page behind this cursor, of the list that the request asks for."""
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    # Unquoted, a name in the path could end the header or the connection.
    return f'<{quote(request.scope["path"])}?{urlencode([*parameters, ("after", after)])}>; rel="next"'


class Listing:
    """The page that one request asks for. FastAPI makes it from the request."""

    def __init__(self, request: Request, response: Response, after: After = "", limit: Limit = 100) -> None:
        self._request = request
        self._response = response
        self._read = read_up_to(after)
        self._limit = limit

    async def page(
        self, database: Database, collection: Collection[E], filters: Mapping[str, Any], without: str | None = None
    ) -> list[E]:
        """The entities of the page that match `filters`, which may name any field. Raises PyMongoError.

        `without`: a large field that is left where it is. The collection must be able to read documents without it.

        The answer's `Link` header (RFC 8288) is the address of the next page, now or after more entities have
        arrived.
        """
        already_read = [{ARRIVED: {"$gte": f"{lane_of(number)}-", "$lte": number}} for number in self._read.values()]
        unread = {"$nor": already_read} if already_read else {}
        return await self._page(database, collection, filters, unread, {without: 0} if without is not None else None)

    async def page_of_lane(
        self, database: Database, collection: Collection[E], filters: Mapping[str, Any]
    ) -> list[E]:
        """`page` of filters whose entities all lie in one lane. It passes over those that were read by the index."""
        number = max(self._read.values(), default="")
        return await self._page(database, collection, filters, {ARRIVED: {"$gt": number}})

    @property
    def link(self) -> dict[str, str]:
        """The header with the address of the next page, for a response of one's own."""
        return {"Link": self._response.headers["Link"]}

    async def _page(
        self,
        database: Database,
        collection: Collection[E],
        filters: Mapping[str, Any],
        unread: Mapping[str, Any],
        fields: Mapping[str, int] | None = None,
    ) -> list[E]:
        query = {**filters, **unread}
        listed_field = next((name for name in collection.listed_by if name in filters), ARRIVED)
        # Read along the index. Entities sorted after the read could miss one that arrives meanwhile.
        index_keys = list(dict.fromkeys((listed_field, ARRIVED), 1).items())
        cursor = database[collection.name].find(query, fields).hint(index_keys).sort(ARRIVED, 1).limit(self._limit)
        documents = await cursor.to_list(None)
        self._link(cursor_of(read_on(self._read, (document[ARRIVED] for document in documents))))
        return [collection.from_document(document) for document in documents]

    def _link(self, after: str) -> None:
        self._response.headers["Link"] = next_page(self._request, after)
