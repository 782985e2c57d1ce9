"""GET /backlog: what a service still has to work, for operators."""

from fastapi import APIRouter
from pydantic import BaseModel

from shared.runtime.service import Service

MOST_KEYS = 200


class WaitingRecords(BaseModel):
    """Records of a topic that wait to be worked by this process. `records` null: Kafka does not answer."""

    group: str
    topic: str
    records: int | None


class ParkedKey(BaseModel):
    """A key whose events wait: one of them is a dead letter, and the rest come after it in their order."""

    group: str
    key: str
    events: int


class BacklogPage(BaseModel):
    """What a service has still to do. `outbox_pages`: pages of events that are committed and not published yet;
    `parked`: the first keys that wait."""

    service: str
    waiting: list[WaitingRecords]
    outbox_pages: int
    parked_keys: int
    parked: list[ParkedKey]


def backlog(service: Service) -> APIRouter:
    """The router of the page."""
    router = APIRouter(tags=["health"])

    @router.get("/backlog", summary="What waits to be worked, and which keys are parked")
    async def page() -> BacklogPage:
        parked = await service.store.first_parked(MOST_KEYS)
        return BacklogPage(
            service=service.name,
            waiting=[
                WaitingRecords(group=group, topic=topic, records=records)
                for group, topic, records in await service.waiting()
            ],
            outbox_pages=await service.store.outbox_pages(),
            parked_keys=await service.store.count_parked(),
            parked=[ParkedKey(group=group, key=key, events=events) for group, key, events in parked],
        )

    return router
