"""The HTTP interface of festival: the organisers' commands, and the pages that everybody may read."""

from fastapi import APIRouter

from services.festival.api import commands, reads, shares, what_if
from shared.runtime.service import Service


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter()
    router.include_router(commands.routes(service))
    router.include_router(reads.routes(service))
    router.include_router(what_if.routes(service))
    router.include_router(shares.routes(service))
    return router
