"""Requests put together from their stored parts."""

from collections.abc import Iterable

from services.festival.domain import Request
from services.festival.domain.allocation.lines import StoredLines
from services.festival.domain.allocation.pages import assembled
from services.festival.domain.allocation.request import PlanTerms


def whole_requests(
    requests: Iterable[Request], terms: Iterable[PlanTerms], pages: Iterable[StoredLines]
) -> list[Request]:
    """The requests with their terms and all their lines, in the order of ids."""
    terms_of = {plan_terms.id: plan_terms for plan_terms in terms}
    pages_of: dict[str, list[StoredLines]] = {}
    for page in pages:
        pages_of.setdefault(page.request, []).append(page)
    return [
        assembled(request, pages_of.get(request.id, ()), terms_of.get(request.id))
        for request in sorted(requests, key=lambda request: request.id)
    ]
