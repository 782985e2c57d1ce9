"""What a command says when Kafka or MongoDB does not answer."""

from shared.causes import cause_of
from shared.settings import Settings
from shared.wording import Message


def unreachable(settings: Settings, fault: BaseException) -> Message:
    """The sentence about a fault of Kafka or MongoDB. The address of MongoDB, which may hold a password, is not in
    it."""
    return Message(
        "Kafka at {kafka} or MongoDB does not answer: {reason}.", kafka=settings.kafka, reason=cause_of(fault)
    )
