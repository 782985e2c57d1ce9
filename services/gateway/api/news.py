"""The pages of news: what services say to the devices of a facility or a booth, in the order in which it came."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError

from services.gateway.api.cloud_events import CloudEvent, CloudEvents
from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES, NewsItem
from services.gateway.store import BOOTH_NEWS, FACILITY_NEWS, FEED, feed_of
from shared.events.language import Topic
from shared.faults import value_error
from shared.http.commands import Prefer, wait_seconds
from shared.http.listing import Listing
from shared.retry import attempts
from shared.runtime.processor import Collection
from shared.runtime.service import Service
from shared.wording import Message

ASK_AGAIN_SECONDS = 0.5
TopicNames = Annotated[
    list[str] | None,
    Query(description="only events of these topics, repeated or with commas; of all topics if left out"),
]


def routes(service: Service) -> APIRouter:
    """The router of the pages of news."""
    router = APIRouter()

    async def page(
        place: str, topics: Sequence[str], collection: Collection[NewsItem], listing: Listing, prefer: str | None
    ) -> CloudEvents:
        feeds = [feed_of(place, topic) for topic in topics]
        items: list[NewsItem] = []
        async for _ in attempts(within=wait_seconds(prefer), first=0.05, most=ASK_AGAIN_SECONDS):
            items = await listing.page_of_lane(service.database, collection, {FEED: {"$in": feeds}})
            if items or service.stopping.is_set():
                break
        return CloudEvents(
            [CloudEvent.of(item).model_dump(exclude_none=True) for item in items], headers=listing.link
        )

    @router.get(
        "/facilities/{facility}/news",
        summary="What is said to the terminals of a facility, a page at a time as it came",
        response_class=CloudEvents,
        response_model=list[CloudEvent],
    )
    async def facility_news(
        facility: str, listing: Annotated[Listing, Depends()], topic: TopicNames = None, prefer: Prefer = None
    ) -> CloudEvents:
        return await page(facility, _chosen(topic, OF_FACILITIES), FACILITY_NEWS, listing, prefer)

    @router.get(
        "/booths/{booth}/news",
        summary="What is said to the tills of a booth, a page at a time as it came",
        response_class=CloudEvents,
        response_model=list[CloudEvent],
    )
    async def booth_news(
        booth: str, listing: Annotated[Listing, Depends()], topic: TopicNames = None, prefer: Prefer = None
    ) -> CloudEvents:
        return await page(booth, _chosen(topic, OF_BOOTHS), BOOTH_NEWS, listing, prefer)

    return router


def _chosen(asked: Iterable[str] | None, topics: Sequence[Topic]) -> list[str]:
    """The names of the topics to read. Raises RequestValidationError for a name that is not among them."""
    known = [topic.name for topic in topics]
    if asked is None:
        return known
    names = [name.strip() for text in asked for name in text.split(",")]
    if unknown := sorted(set(names) - set(known)):
        message = Message(
            "There is no such topic here: {topic}. There are {known}.", topic=unknown[0], known=", ".join(known)
        )
        raise RequestValidationError([value_error(("query", "topic"), message)])
    return names
