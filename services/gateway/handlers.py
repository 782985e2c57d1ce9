"""Gateway's three processors: news of facilities, news of booths, of which every event is kept, and devices."""

from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES
from services.gateway.domain.rules import distrust, keep, know, pass_over
from services.gateway.store import BOOTH_NEWS, FACILITY_NEWS, KNOWN_DEVICES
from shared.events.identity import IDENTITY, DeviceEnrolled, DeviceRevoked
from shared.events.language import Body, Event
from shared.runtime.processor import Processor, on
from shared.runtime.state import Ref


def _nothing(_event: Event, _body: Body) -> tuple[()]:
    return ()


def _of_device(_event: Event, body: DeviceEnrolled | DeviceRevoked) -> tuple[Ref, ...]:
    return (Ref(KnownDevice, body.subject),)


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
_OF_DEVICES = (DeviceEnrolled, DeviceRevoked)
DEVICES = Processor(
    service="gateway",
    key="subject",
    topics=(IDENTITY,),
    collections=(KNOWN_DEVICES,),
    handlers=(
        on(DeviceEnrolled, know, reads=_of_device),
        on(DeviceRevoked, distrust, reads=_of_device),
        *(on(body, pass_over, reads=_nothing) for body in IDENTITY.bodies if body not in _OF_DEVICES),
    ),
)
PROCESSORS = (FACILITY, BOOTH, DEVICES)
