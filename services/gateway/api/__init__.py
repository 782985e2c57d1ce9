"""HTTP pages of the gateway: records in, news out, and records that are held."""

from fastapi import APIRouter

from services.gateway.api import held, intake, news
from shared.runtime.service import Service


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["gateway"])
    router.include_router(intake.routes(service))
    router.include_router(news.routes(service))
    router.include_router(held.routes(service))
    return router
