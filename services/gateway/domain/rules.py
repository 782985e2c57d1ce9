"""The one rule of the gateway: every event is kept as it came."""

from services.gateway.domain.news import ANSWERED, NewsItem, news_id
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
