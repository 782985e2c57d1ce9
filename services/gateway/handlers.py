"""Gateway's four processors: news of facilities, news of booths, devices, and records that are held."""

from services.gateway.domain import holding
from services.gateway.domain.held_record import (
    HeldCommand,
    HeldDevice,
    HeldRecord,
    device_id,
    held_command_id,
    held_id,
)
from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES, UNTOLD
from services.gateway.domain.rules import distrust, keep, know, pass_over
from services.gateway.store import (
    BOOTH_NEWS,
    FACILITY_NEWS,
    HELD_COMMAND_OUTCOMES,
    HELD_DEVICES,
    HELD_RECORD_DOCUMENTS,
    KNOWN_DEVICES,
)
from shared.events.gateway import HELD_COMMANDS, HoldRecord, RefuseRecords, ReleaseRecords
from shared.events.identity import IDENTITY, DeviceEnrolled, DeviceRevoked
from shared.events.language import Body, Event, Topic
from shared.http.command_handler import CommandHandler
from shared.runtime.processor import Handler, Processor, on
from shared.runtime.state import Read, Ref


def _nothing(_event: Event, _body: Body) -> tuple[()]:
    return ()


def _of_device(_event: Event, body: DeviceEnrolled | DeviceRevoked) -> tuple[Ref, ...]:
    return (Ref(KnownDevice, body.subject),)


def _of_hold(_event: Event, body: HoldRecord) -> tuple[Read, ...]:
    id = held_id(body.place, body.device, body.record)
    return Ref(HeldRecord, id), Ref(HeldDevice, device_id(body.place, body.device))


def _of_decision(event: Event, body: ReleaseRecords | RefuseRecords) -> tuple[Read, ...]:
    device = Ref(HeldDevice, device_id(body.place, body.device))
    command = Ref(HeldCommand, held_command_id(body.place, event.id))
    if body.record is None:
        return command, device, holding.waiting_of(body.place, body.device)
    return command, device, Ref(HeldRecord, held_id(body.place, body.device, body.record))


def _kept(topics: tuple[Topic, ...]) -> tuple[Handler, ...]:
    """Every event of these topics is news of its place, but for what no device is told."""
    return tuple(
        on(body, pass_over if body in UNTOLD else keep(topic), reads=_nothing)
        for topic in topics
        for body in topic.bodies
    )


FACILITY = Processor(
    service="gateway",
    key="facility",
    topics=OF_FACILITIES,
    collections=(FACILITY_NEWS,),
    handlers=_kept(OF_FACILITIES),
)
BOOTH = Processor(
    service="gateway",
    key="booth",
    topics=OF_BOOTHS,
    collections=(BOOTH_NEWS,),
    handlers=_kept(OF_BOOTHS),
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
RELEASE = CommandHandler(
    "/held/{place}/release",
    "Release held records of a device: they go to their topic, unchanged",
    on(ReleaseRecords, holding.release, reads=_of_decision),
)
REFUSE = CommandHandler(
    "/held/{place}/refuse",
    "Refuse held records of a device: they do not count",
    on(RefuseRecords, holding.refuse, reads=_of_decision),
)
HELD = Processor(
    service="gateway",
    key="place",
    topics=(HELD_COMMANDS,),
    collections=(HELD_RECORD_DOCUMENTS, HELD_DEVICES, HELD_COMMAND_OUTCOMES),
    handlers=(on(HoldRecord, holding.hold, reads=_of_hold), RELEASE.handler, REFUSE.handler),
)
PROCESSORS = (FACILITY, BOOTH, DEVICES, HELD)
