"""Lists over HTTP, a page at a time in the order of arrival."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from pydantic import AfterValidator

from shared.mongo import Database
from shared.runtime.arrival import ARRIVED, CURSOR, cursor_of, lane_of, read_on, read_up_to
from shared.runtime.processor import Collection
from shared.runtime.state import E


def _checked(cursor: str) -> str:
    if not CURSOR.fullmatch(cursor):
        raise ValueError("no cursor: take `after` as the `Link` of the page before has it")
    return cursor


After = Annotated[
    str, AfterValidator(_checked), Query(description="as the `Link` of the page before says; empty: the first")
]
Limit = Annotated[int, Query(ge=1, le=500)]


class Listing:
    """The page that one request asks for. FastAPI makes it of the request."""

    def __init__(self, request: Request, response: Response, after: After = "", limit: Limit = 100) -> None:
        self._request = request
        self._response = response
        self._read = read_up_to(after)
        self._limit = limit

    async def page(self, database: Database, collection: Collection[E], wanted: Mapping[str, Any]) -> list[E]:
        """Those that are `wanted`, of fields that the collection is listed by or others. Raises PyMongoError.

        The answer's `Link` (RFC 8288) says where to go on, now or when more has come.
        """
        seen = [{ARRIVED: {"$gte": f"{lane_of(number)}-", "$lte": number}} for number in self._read.values()]
        query = {**wanted, **({"$nor": seen} if seen else {})}
        by = next((name for name in collection.listed_by if name in wanted), ARRIVED)
        # Along the index: one that is sorted afterwards may be read while another arrives before it.
        along = list(dict.fromkeys((by, ARRIVED), 1).items())
        found = database[collection.name].find(query).hint(along).sort(ARRIVED, 1).limit(self._limit)
        documents = await found.to_list(None)
        self._link(cursor_of(read_on(self._read, (document[ARRIVED] for document in documents))))
        return [collection.from_document(document) for document in documents]

    def _link(self, after: str) -> None:
        others = [(name, value) for name, value in self._request.query_params.multi_items() if name != "after"]
        place = f"{self._request.url.path}?{urlencode([*others, ('after', after)])}"
        self._response.headers["Link"] = f'<{place}>; rel="next"'
