"""Synchronises an edge agent's spool with the services, over Kafka or over a gateway.

1. **send** pending records in the order they were made. From then on nobody can amend them;
2. **acknowledge** in the spool what is stored in Kafka. A crash between the two sends a record again with the same
   id. Its reader drops the second copy. A record that the gateway does not take stays pending, with the reason; those
   behind it are sent;
3. **receive** the agent's own part of each subscribed topic, from the spool's position. One transaction keeps the
   events and the new position;
4. **checkpoint** the spool, so that its one file is complete and can be copied.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.spool import Spool
from edge.sync.gateway import GatewayRoute
from edge.sync.kafka import KafkaRoute
from edge.sync.route import Declined, Link, Received, Subscription, SyncRoute, Unreachable
from shared.errors import NotReached, SpoolFailed
from shared.events.language import Body
from shared.wording import Message, as_message

__all__ = ["GatewayRoute", "KafkaRoute", "Subscription", "SyncReport", "SyncRoute", "sync"]

WINDOW = 500


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of one synchronisation. `unreadable`: received events that this version can't read and skipped.
    `refused`: records that the gateway did not take."""

    sent: int
    received: int
    unreadable: int
    unanswered: int
    refused: int = 0


async def sync(
    spool: Spool,
    route: SyncRoute,
    subscriptions: Sequence[Subscription],
    *,
    awaited: Sequence[type[Body]],
    wait: float,
    on_sent: Callable[[int], None] = lambda _: None,
) -> SyncReport:
    """Send all pending records and receive all new events. Then wait up to `wait` seconds for the answers to records
    of the `awaited` kinds. `on_sent` gets the number of records acknowledged since its last call.

    Raises NotReached when the server of the route can't be reached, does not answer or refuses, SpoolFailed as the
    spool does.
    """
    progress = _Progress(on_sent)
    try:
        async with route.open(spool, subscriptions) as link:
            await _send(spool, link, progress)
            received = await _receive(link, lambda: spool.unanswered(awaited) == 0, wait)
    except Unreachable as fault:
        raise NotReached(
            Message(
                "{server} {why}. {pending:record waits|records wait} in {path}. Nothing is lost; please "
                "sync again when the connection is back.",
                server=route.server,
                why=fault.why,
                pending=spool.counts().pending,
                path=str(spool.path),
            )
        ) from fault
    except Declined as fault:
        raise NotReached(
            Message(
                "{server} refuses: {why} {pending:record waits|records wait} in {path}. Nothing is lost; please "
                "sync again afterwards.",
                server=route.server,
                why=fault.why,
                pending=spool.counts().pending,
                path=str(spool.path),
            )
        ) from fault
    except SpoolFailed as error:
        raise SpoolFailed(
            Message(
                "{server} has taken {sent} records now. {error}",
                server=route.name,
                sent=progress.sent,
                error=as_message(error.message),
            )
        ) from error
    # 4. A copy of the file alone, made after a power cut too, then holds everything that was synced.
    spool.checkpoint()
    return SyncReport(
        progress.sent, received.events, received.unreadable, spool.unanswered(awaited), progress.refused
    )


@dataclass(slots=True)
class _Progress:
    """The number of records that were stored in this synchronisation, and of those that were refused."""

    report: Callable[[int], None]
    sent: int = 0
    refused: int = 0

    def count(self, stored: int, refused: int) -> None:
        self.sent += stored
        self.refused += refused
        self.report(stored)


async def _send(spool: Spool, link: Link, progress: _Progress) -> None:
    """Parts 1 and 2, window by window."""
    after = 0
    while window := spool.offer(min(WINDOW, link.window), after):
        sent = await link.send(window)
        progress.count(len(sent.stored), len(sent.refusals))
        spool.acknowledge(sent.stored)
        spool.refuse(sent.refusals)
        if sent.fault is not None:
            raise sent.fault
        # A refused record is not offered again in this sync.
        after = max([*sent.stored, *(refusal.number for refusal in sent.refusals)])


async def _receive(link: Link, complete: Callable[[], bool], wait: float) -> Received:
    """Part 3, until everything is received and `complete`, or the wait is over."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait
    events = unreadable = 0
    while (behind := await link.is_behind()) or not (complete() or clock() >= deadline):
        received = await link.receive(0 if behind else max(0.0, deadline - clock()))
        events, unreadable = events + received.events, unreadable + received.unreadable
    return Received(events, unreadable)
