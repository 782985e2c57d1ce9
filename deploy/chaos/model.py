"""The reckoning: what was acknowledged against the ledgers, and what the services said and keep against a replay of
all that Kafka holds into fresh databases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from deploy.rebuild import compare
from deploy.topics import SERVICES
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.ledger import Ledger
from shared.mongo import Mongo
from shared.settings import Settings

AT_ONCE = 1000

Acknowledged: TypeAlias = tuple[Topic, bytes]


@dataclass(slots=True)
class Reckoning:
    """`acknowledged`: ledger ids of what terminals and tills were acknowledged for, with their topic and the digest
    of their body. `lost`: such ids that no ledger holds, and events that the rules demand and no topic has.
    `doubled`: events that no rule demands. `torn`: what was worked with another body, and documents that are not what
    the rules make of the log."""

    acknowledged: Mapping[str, Acknowledged] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.torn)


async def reckon(settings: Settings, found: Reckoning) -> None:
    """Add to it whatever is wrong, once everything is quiet. What was found stays if the rest can't be looked at."""
    acknowledged = found.acknowledged
    mongo = Mongo(settings)
    try:
        for service, topic in (("production", TERMINAL), ("sales", TILL)):
            said = [(id, digest) for id, (of, digest) in acknowledged.items() if of == topic]
            ledger = Ledger(mongo.database(service))
            for start in range(0, len(said), AT_ONCE):
                some = said[start : start + AT_ONCE]
                known = await ledger.known(id for id, _ in some)
                found.lost += [f"{service} never worked {id}" for id, _ in some if id not in known]
                found.torn += [
                    f"{service} worked another body of {id}" for id, digest in some if known.get(id, digest) != digest
                ]
    finally:
        await mongo.close()
    for service in SERVICES:
        compared = await compare(settings, service)
        found.lost += compared.lost
        found.doubled += compared.doubled
        found.torn += compared.torn
