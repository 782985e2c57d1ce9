"""Kafka records that the scenario generates for terminals, tills and organisers. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared import envelope
from shared.events.language import Body, Topic


@dataclass(frozen=True, slots=True)
class GeneratedRecord:
    """One record of a terminal, a till or festival's HTTP API. `device`: which one signs it; None for a command."""

    topic: Topic
    key: str
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    device: str | None = None


def new_id(rng: random.Random) -> str:
    """A UUID of version 4 from `rng`: the same seed gives the same ids."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def make_record(
    topic: Topic, body: Body, *, id: str, source: str, at: datetime, device: str | None = None
) -> GeneratedRecord:
    """The record of `body` on `topic`, with CloudEvents headers; `at` is its time."""
    headers: list[tuple[str, bytes | None]] = [
        *envelope.headers(id=id, source=source, topic=topic, body=body, time=at)
    ]
    return GeneratedRecord(topic, topic.key_of(body), envelope.encode(body), headers, device)


def interleaved(streams: Sequence[Sequence[GeneratedRecord]]) -> list[GeneratedRecord]:
    """One stream of all `streams`: each keeps its own order, and all advance at the same rate."""
    order = sorted(
        ((position + 1) / (len(stream) + 1), index, position)
        for index, stream in enumerate(streams)
        for position in range(len(stream))
    )
    return [streams[index][position] for _, index, position in order]
