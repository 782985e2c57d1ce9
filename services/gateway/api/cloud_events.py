"""News items as CloudEvents in JSON."""

from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.gateway.domain.news import TOPICS, NewsItem
from shared.envelope import rfc3339
from shared.events.language import event_type


class CloudEvent(BaseModel):
    """An event in CloudEvents' JSON format. `partitionkey`: its facility or booth. `recordedtime`: when Kafka took it
    in. `about`: the id of the record that it answers, if any. `data`: the body, as the page of events has it."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    partitionkey: str
    recordedtime: str
    topic: str
    about: str | None = None
    data: dict[str, Any]

    @classmethod
    def of(cls, item: NewsItem) -> "CloudEvent":
        return cls(
            id=item.event,
            source=item.source,
            type=event_type(TOPICS[item.topic], type(item.body)),
            time=rfc3339(item.time),
            partitionkey=item.place,
            recordedtime=rfc3339(item.logged_at),
            topic=item.topic,
            about=item.about,
            data=item.body.model_dump(mode="json"),
        )


class CloudEvents(JSONResponse):
    """A list of CloudEvents."""

    media_type = "application/cloudevents-batch+json"
