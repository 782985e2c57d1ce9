"""The subscribers of a secured Kafka: programs of others, each with the public topics that it may read."""

import re
from collections.abc import Mapping

from deploy.secure.files import SUBSCRIBER
from shared.errors import BadSettings
from shared.events.identity import ANY, STREAM
from shared.events.public import PUBLIC
from shared.settings import Settings
from shared.wording import Message

# Without a dot: no subscriber's groups begin with the prefix of another's.
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_FORM = Message(
    "KARYA_SUBSCRIBERS has pairs such as market=karya.public.sales.v1, with commas between. A name has small "
    "letters, digits and dashes."
)


def streams_of_subscribers(settings: Settings) -> Mapping[str, frozenset[str]]:
    """The public topics of each subscriber, by its principal. Raises BadSettings for a text of another form."""
    streams: dict[str, frozenset[str]] = {}
    for pair in filter(None, (part.strip() for part in settings.subscribers.split(","))):
        name, equals, stream = (part.strip() for part in pair.partition("="))
        if not equals or _NAME.fullmatch(name) is None:
            raise BadSettings(_FORM)
        if (wrong := STREAM.wrong(stream)) is not None:
            raise BadSettings(Message("KARYA_SUBSCRIBERS: {reason}", reason=wrong))
        principal = f"{SUBSCRIBER}.{name}"
        named = {topic.name for topic in PUBLIC} if stream == ANY else {stream}
        streams[principal] = streams.get(principal, frozenset()) | named
    return streams
