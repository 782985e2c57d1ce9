"""Requests in their stored parts: the request itself, its terms, and the pages of its lines.

A rule for one line loads one page. A rule for a booth loads the pages with its lines, and a rule for a plan all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.festival.domain.allocation.lines import PAGE_LINES, StoredLines
from services.festival.domain.allocation.request import PlanTerms, Request, line_index, request_of, requests_at
from services.festival.domain.line import PROMISED, AllocationLine
from shared.runtime.state import OwnedQuery, Read, Ref, State


def page_id(request: str, number: int) -> str:
    return f"{request}#{number:06d}"


def pages_of(request: str) -> OwnedQuery[StoredLines]:
    """All pages of the request of this id."""
    return OwnedQuery(StoredLines, "request", request)


def pages_at(booth: str) -> OwnedQuery[StoredLines]:
    """The pages with lines for the booth, of all requests."""
    return OwnedQuery(StoredLines, "booths", booth)


def coming_to(booth: str) -> OwnedQuery[StoredLines]:
    """The pages with lines that are still to come to the booth, of all requests."""
    return OwnedQuery(StoredLines, "coming_to", booth)


def promising_pages(festival: str) -> OwnedQuery[StoredLines]:
    """The festival's pages of which something is still to come."""
    return OwnedQuery(StoredLines, "promising", festival)


def line_reads(reservation: str) -> Iterator[Read]:
    """The reads of a rule for one line. The reservation may be of no request."""
    request = request_of(reservation)
    yield Ref(Request, request)
    yield Ref(StoredLines, _page_of(reservation))


def whole_reads(request: str) -> Iterator[Read]:
    """The reads of a rule for the whole request of this id."""
    yield Ref(Request, request)
    yield Ref(PlanTerms, request)
    yield pages_of(request)


def all_reads(festival: str) -> Iterator[Read]:
    """The reads of a rule for all requests of the festival, whole."""
    yield requests_at(festival)
    yield OwnedQuery(PlanTerms, "festival", festival)
    yield OwnedQuery(StoredLines, "festival", festival)


def of_line(state: State, reservation: str) -> Request | None:
    """The request of this reservation, with the page of its line alone."""
    request = state.get(Request, request_of(reservation))
    if request is None:
        return None
    page = state.get(StoredLines, _page_of(reservation))
    return assembled(request, () if page is None else (page,))


def found_by(state: State, request: Request, query: OwnedQuery[StoredLines]) -> Request:
    """The request with those of its pages that the query finds."""
    return assembled(request, [page for page in state.find(query) if page.request == request.id])


def whole(state: State, id: str) -> Request | None:
    """The request of this id, with everything."""
    request = state.get(Request, id)
    return None if request is None else assembled(request, state.find(pages_of(id)), state.get(PlanTerms, id))


def all_whole(state: State, festival: str) -> list[Request]:
    """All requests of the festival, with everything."""
    pages: dict[str, list[StoredLines]] = {}
    for page in state.find(OwnedQuery(StoredLines, "festival", festival)):
        pages.setdefault(page.request, []).append(page)
    terms = {plan_terms.id: plan_terms for plan_terms in state.find(OwnedQuery(PlanTerms, "festival", festival))}
    return [
        assembled(request, pages.get(request.id, ()), terms.get(request.id))
        for request in state.find(requests_at(festival))
    ]


def promised_at(state: State, booths: Iterable[str]) -> list[AllocationLine]:
    """The lines that are still to come to these booths, of all requests."""
    pages = {page.id: page for booth in booths for page in state.find(coming_to(booth))}
    return [line for page in pages.values() for line in page.lines if line.status in PROMISED]


def promised(state: State, festival: str, bare: Request | None = None) -> list[AllocationLine]:
    """The festival's lines that are still to come. `bare` stands in place of the stored request of its id."""
    own = () if bare is None else bare.lines
    other_requests = (
        line
        for page in state.find(promising_pages(festival))
        if bare is None or page.request != bare.id
        for line in page.lines
    )
    return [line for lines in (other_requests, own) for line in lines if line.status in PROMISED]


def put(state: State, request: Request) -> State:
    """The state with the request: itself without its parts, its terms if it has others now, and its changed pages."""
    changed_pages = [
        StoredLines(page_id(request.id, number), request.id, request.festival, number, request.lines.pages[number])
        for number in sorted(request.lines.changed)
    ]
    bare = stored(request)
    if state.get(Request, request.id) != bare:
        state = state.put(bare)
    if changed_pages:
        state = state.put(*changed_pages)
    if request.terms is not None and state.get(PlanTerms, request.id) is not request.terms:
        state = state.put(request.terms)
    return state


def stored(request: Request) -> Request:
    """The request as its own document has it."""
    return replace(request, lines=request.lines.bare(), terms=None)


def assembled(request: Request, pages: Iterable[StoredLines], terms: PlanTerms | None = None) -> Request:
    """The request with these pages and terms."""
    return replace(request, lines=request.lines.with_pages(pages), terms=terms)


def _page_of(reservation: str) -> str:
    index = line_index(reservation)
    return page_id(request_of(reservation), 0 if index is None else index // PAGE_LINES)
