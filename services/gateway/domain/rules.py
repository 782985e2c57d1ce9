"""The rules of news and devices: every event is kept as it came, and devices as identity tells of them."""

from dataclasses import replace

from services.gateway.domain.known_device import KnownDevice
from services.gateway.domain.news import ANSWERED, NewsItem, news_id
from shared.events.identity import DeviceEnrolled, DeviceRevoked
from shared.events.language import Body, Event, Topic
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State


def keep(topic: Topic) -> Rule[Body]:
    """The rule that keeps an event of `topic` as news of the place that is its key."""

    def rule(state: State, event: Event, body: Body) -> Decision:
        item = NewsItem(
            id=news_id(topic, event.source, event.id),
            place=event.key,
            topic=topic.name,
            body=body,
            source=event.source,
            event=event.id,
            time=event.time,
            logged_at=event.logged_at,
            about=getattr(body, ANSWERED.get(topic.name, ""), None),
        )
        return state.put(item), []

    return rule


def know(state: State, _event: Event, body: DeviceEnrolled) -> Decision:
    """A device signs records from now on."""
    source = f"{body.role.value}/{body.scope}/{body.name}"
    return state.put(KnownDevice(body.subject, body.public_key, source, body.enrolled_at)), []


def distrust(state: State, _event: Event, body: DeviceRevoked) -> Decision:
    """What the device signs counts no longer."""
    device = state.get(KnownDevice, body.subject)
    return (state, []) if device is None else (state.put(replace(device, revoked=True)), [])


def pass_over(state: State, _event: Event, _body: Body) -> Decision:
    """An event that the gateway does not need."""
    return state, []
