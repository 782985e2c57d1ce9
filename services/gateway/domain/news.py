"""News items, and the topics that they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.festival import BOOTH_STOCK
from shared.events.gateway import HELD_REPORTS, HELD_SALES, HeldCommandRefused
from shared.events.language import Body, Topic
from shared.events.production import ANSWERS
from shared.events.sales import PUBLIC_SALES, SALES, SETTLEMENTS

OF_FACILITIES: tuple[Topic, ...] = (ANSWERS, FACILITY_CATALOGUE, PUBLIC_SALES, SETTLEMENTS, HELD_REPORTS)
OF_BOOTHS: tuple[Topic, ...] = (BOOTH_STOCK, SALES, HELD_SALES)
TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in (*OF_FACILITIES, *OF_BOOTHS)}
# The field of a topic's events that has the id of the record that they answer.
ANSWERED: Mapping[str, str] = {
    ANSWERS.name: "report",
    SALES.name: "receipt",
    HELD_REPORTS.name: "record",
    HELD_SALES.name: "record",
}
# What no device is told: an operator gave the command.
UNTOLD: tuple[type[Body], ...] = (HeldCommandRefused,)


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One event for the devices of `place`, a facility or a booth. `id` is made by `news_id`.

    `source` and `event` are the event's own. `about`: the id of the record that the event answers, if any.
    """

    id: str
    place: str
    topic: str
    body: Body
    source: str
    event: str
    time: datetime
    logged_at: datetime
    about: str | None


def news_id(topic: Topic, source: str, event: str) -> str:
    """The id of an event's news item. One source may use an id on two topics."""
    return f"{topic.name}/{source} {event}"
