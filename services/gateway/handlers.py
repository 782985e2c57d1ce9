"""Gateway's two processors: news of facilities, and news of booths. Both keep every event that comes."""

from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES
from services.gateway.domain.rules import keep
from services.gateway.store import BOOTH_NEWS, FACILITY_NEWS
from shared.events.language import Body, Event
from shared.runtime.processor import Processor, on


def _nothing(_event: Event, _body: Body) -> tuple[()]:
    return ()


FACILITY = Processor(
    service="gateway",
    key="facility",
    topics=OF_FACILITIES,
    collections=(FACILITY_NEWS,),
    handlers=tuple(on(body, keep(topic), reads=_nothing) for topic in OF_FACILITIES for body in topic.bodies),
)
BOOTH = Processor(
    service="gateway",
    key="booth",
    topics=OF_BOOTHS,
    collections=(BOOTH_NEWS,),
    handlers=tuple(on(body, keep(topic), reads=_nothing) for topic in OF_BOOTHS for body in topic.bodies),
)
PROCESSORS = (FACILITY, BOOTH)
