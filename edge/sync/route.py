"""What every way between a spool and the services has: records out, events in."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from edge.spool import IntakeRefusal, Spool, SpooledRecord
from shared.events.language import Topic
from shared.wording import Message


class Unreachable(Exception):
    """The server of a route can't be reached or does not answer. `why`: the end of a sentence about the server."""

    def __init__(self, why: Message) -> None:
        super().__init__(why.english)
        self.why = why


class Declined(Exception):
    """The server of a route answers, and refuses the whole request. `why`: a sentence for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(why.english)
        self.why = why


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription to the events of `key` on `topic`. The body field `about` holds the id of the agent's record
    that an event answers; None for a topic without answers."""

    topic: Topic
    key: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a window: the numbers of `stored` records, and the `refusals`. `fault`: why others are neither,
    None if they were left for the next window."""

    stored: Sequence[int]
    refusals: Sequence[IntakeRefusal] = ()
    fault: Exception | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Counts of received events. `unreadable`: those that this version can't read and skipped."""

    events: int = 0
    unreadable: int = 0


class Link(Protocol):
    """An open route. Its methods raise Unreachable and Declined, and SpoolFailed as the spool does."""

    @property
    def window(self) -> int:
        """How many records the next window may have."""

    async def send(self, window: Sequence[SpooledRecord]) -> Sent:
        """Send these records in their order: all of them, or some from the front."""

    async def is_behind(self) -> bool:
        """Whether there are events that were there when the link was opened and have not been received."""

    async def receive(self, seconds: float) -> Received:
        """Put the next events into the spool, with the new position in one transaction. Waits up to `seconds` for
        some if it is not behind."""


class SyncRoute(Protocol):
    """A way between a spool and the services."""

    @property
    def name(self) -> Message:
        """The name of its server in a sentence."""

    @property
    def server(self) -> Message:
        """Its server with the address, at the beginning of a sentence."""

    def open(self, spool: Spool, subscriptions: Sequence[Subscription]) -> AbstractAsyncContextManager[Link]:
        """The open route. Entering and leaving it, and anything between, raises Unreachable and Declined."""
