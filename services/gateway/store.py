"""The MongoDB documents of news and of devices."""

from typing import Any

from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES, NewsItem
from shared.events.identity import PublicKey
from shared.runtime.processor import Collection, Document

_BODIES = {(topic.name, body.__name__): body for topic in (*OF_FACILITIES, *OF_BOOTHS) for body in topic.bodies}
# One place's items of one topic. A page reads some topics of a place, each along the index.
FEED = "feed"


def feed_of(place: str, topic: str) -> str:
    """The feed of a place's items of one topic."""
    return f"{topic} {place}"


def _to_document(item: NewsItem) -> dict[str, Any]:
    return {
        FEED: feed_of(item.place, item.topic),
        "type": type(item.body).__name__,
        # As text: a database does not keep every number and every name of JSON.
        "value": item.body.model_dump_json(),
        "source": item.source,
        "event": item.event,
        "time": item.time,
        "logged_at": item.logged_at,
        "about": item.about,
    }


def _from_document(document: Document) -> NewsItem:
    topic, _, place = document[FEED].partition(" ")
    body = _BODIES[topic, document["type"]]
    return NewsItem(
        id=document["_id"],
        place=place,
        topic=topic,
        body=body.model_validate_json(document["value"]),
        source=document["source"],
        event=document["event"],
        time=document["time"],
        logged_at=document["logged_at"],
        about=document["about"],
    )


FACILITY_NEWS = Collection(
    "facility_news", NewsItem, _to_document, _from_document, indexes=("about",), listed_by=(FEED,)
)
BOOTH_NEWS = Collection("booth_news", NewsItem, _to_document, _from_document, indexes=("about",), listed_by=(FEED,))


def _device_document(device: KnownDevice) -> dict[str, Any]:
    return {"key": device.public_key.fields, "source": device.source, "revoked": device.revoked}


def _device(document: Document) -> KnownDevice:
    return KnownDevice(document["_id"], PublicKey.of(document["key"]), document["source"], document["revoked"])


KNOWN_DEVICES = Collection("known_devices", KnownDevice, _device_document, _device, indexes=("source",))
