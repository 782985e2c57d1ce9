"""Refuses query parameters that a page does not have: with a mistyped filter a list would be too long, in silence."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from shared.access.provider_sign_in import PORTAL_CALLBACK

UNKNOWN_FILTER = "unknown_filter"
# Another provider sends people there, with parameters of its own that must be ignored (RFC 6749, 4.1.2).
OTHERS_CHOOSE = frozenset({"/sessions/provider/callback", PORTAL_CALLBACK})


async def refuse_unknown_filters(request: Request) -> None:
    """A dependency of every page. Raises RequestValidationError, which names the known parameters."""
    route = request.scope["route"]
    if request.method == "POST" or not isinstance(route, APIRoute) or route.path_format in OTHERS_CHOOSE:
        return
    names = sorted(set(_parameters(route.dependant)))
    unknown = sorted(set(request.query_params) - set(names))
    if unknown:
        context = {"known": ", ".join(names)}
        raise RequestValidationError(
            [{"type": UNKNOWN_FILTER, "loc": ("query", name), "ctx": context} for name in unknown]
        )


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of the query parameters, with those of all dependencies."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _parameters(dependency)
